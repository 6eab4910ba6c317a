import { lacksQueues } from '../model/finding.js';
import type { QueueState, RedisNode, Unread } from '../model/snapshot.js';
import type { Series } from './watch.js';

/** Sums over the masters and queues of one Redis, for its chart: null where one is not known. `limitBytes` is null where a master has no limit. */
export function totalsOf(
  nodes: readonly RedisNode[],
  queues: readonly QueueState[],
  unread: Unread,
): Readonly<Record<string, number | null>> {
  const ofNodes = (read: (node: RedisNode) => number): number | null =>
    unread.nodes.length > 0 ? null : sum(nodes.map(read));
  const ofQueues = (read: (queue: QueueState) => number): number | null =>
    lacksQueues(unread) ? null : sum(queues.map(read));
  const limits = nodes.map((node) => node.limit?.bytes ?? null);
  return {
    usedBytes: ofNodes((node) => node.countedBytes),
    limitBytes:
      limits.includes(null) || unread.nodes.length > 0 ? null : sum(limits.flatMap((bytes) => bytes ?? [])),
    opsPerSecond: ofNodes((node) => node.opsPerSecond),
    arrivalsPerSecond: ofQueues((queue) => queue.rates?.arrivalsPerSecond ?? 0),
    departuresPerSecond: ofQueues((queue) => queue.rates?.departuresPerSecond ?? 0),
    backlog: ofQueues((queue) => queue.backlog),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Ten thousand queues that do nothing hold a few points each: rings grow as they are filled. */
const FIRST_CAPACITY = 4;

/** A ring of points of a few named values, in one typed array: what it holds is bounded and known beforehand. */
export class RecentSeries {
  readonly #names: readonly string[];
  readonly #capacity: number;
  readonly #everyMs: number;
  /** Of each point its time and a value for each name; NaN: a gap. */
  #rows: Float64Array;
  #length = 0;
  #next = 0;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param names of the values; one array for all series of a kind.
   * @param everyMs points closer together than this replace the newest instead of adding one.
   */
  constructor(names: readonly string[], capacity: number, everyMs: number) {
    this.#names = names;
    this.#capacity = capacity;
    this.#everyMs = everyMs;
    this.#rows = new Float64Array(Math.min(FIRST_CAPACITY, capacity) * this.#width);
  }

  /** Adds a point; null values are gaps. */
  add(atMs: number, values: Readonly<Record<string, number | null>>): void {
    if (atMs - this.#lastAtMs < this.#everyMs) return;
    this.#lastAtMs = atMs;
    if (this.#isThirdAlike(values)) {
      this.#rows[this.#place(this.#length - 1)] = atMs;
      return;
    }
    if (this.#length === this.#room && this.#length < this.#capacity) this.#grow();
    const at = this.#next * this.#width;
    this.#rows[at] = atMs;
    this.#names.forEach((name, i) => {
      this.#rows[at + 1 + i] = values[name] ?? Number.NaN;
    });
    this.#next = (this.#next + 1) % this.#room;
    this.#length = Math.min(this.#room, this.#length + 1);
  }

  /** All points, oldest first. */
  series(): Series {
    const order = Array.from({ length: this.#length }, (_, i) => this.#place(i));
    const values: Record<string, readonly (number | null)[]> = {};
    this.#names.forEach((name, column) => {
      values[name] = order.map((place) => this.#at(column, place));
    });
    return { atMs: order.map((place) => this.#rows[place] ?? 0), values };
  }

  /** The last `count` values of one name, oldest first, gaps left out. */
  last(name: string, count: number): readonly number[] {
    const column = this.#names.indexOf(name);
    const kept: number[] = [];
    for (let i = Math.max(0, this.#length - count); i < this.#length; i++) {
      const value = this.#at(column, this.#place(i));
      if (value !== null) kept.push(value);
    }
    return kept;
  }

  get #width(): number {
    return this.#names.length + 1;
  }

  /** Points that there is room for at present. */
  get #room(): number {
    return this.#rows.length / this.#width;
  }

  /** A level line needs two points: the same values a third time only move its end. */
  #isThirdAlike(values: Readonly<Record<string, number | null>>): boolean {
    if (this.#length < 2) return false;
    const [last, before] = [this.#place(this.#length - 1), this.#place(this.#length - 2)];
    for (let column = 0; column < this.#names.length; column++) {
      const value = values[this.#names[column] ?? ''] ?? null;
      if (this.#at(column, last) !== value || this.#at(column, before) !== value) return false;
    }
    return true;
  }

  #grow(): void {
    const rows = new Float64Array(Math.min(this.#capacity, this.#room * 2) * this.#width);
    for (let i = 0; i < this.#length; i++) {
      const from = this.#place(i);
      rows.set(this.#rows.subarray(from, from + this.#width), i * this.#width);
    }
    this.#rows = rows;
    this.#next = this.#length % this.#room;
  }

  /** Where the row of the i-th point begins, oldest first. */
  #place(i: number): number {
    return ((this.#next - this.#length + i + this.#room) % this.#room) * this.#width;
  }

  #at(column: number, place: number): number | null {
    const value = this.#rows[place + 1 + column];
    return value === undefined || Number.isNaN(value) ? null : value;
  }
}
