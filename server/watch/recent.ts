import type { Series } from './watch.js';

/** Ten thousand queues that do nothing hold a few points each: rings grow as they are filled. */
const FIRST_CAPACITY = 8;

/** A ring of points of a few named values, in typed arrays: what it holds is bounded and known beforehand. */
export class RecentSeries {
  readonly #names: readonly string[];
  readonly #capacity: number;
  readonly #everyMs: number;
  #times: Float64Array;
  #values: readonly Float32Array[];
  #length = 0;
  #next = 0;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  /** @param everyMs points closer together than this replace the newest instead of adding one. */
  constructor(names: readonly string[], capacity: number, everyMs: number) {
    this.#names = names;
    this.#capacity = capacity;
    this.#everyMs = everyMs;
    const first = Math.min(FIRST_CAPACITY, capacity);
    this.#times = new Float64Array(first);
    this.#values = names.map(() => new Float32Array(first));
  }

  /** Adds a point; null values are gaps. */
  add(atMs: number, values: Readonly<Record<string, number | null>>): void {
    if (atMs - this.#lastAtMs < this.#everyMs) return;
    this.#lastAtMs = atMs;
    if (this.#isThirdAlike(values)) {
      this.#times[this.#place(this.#length - 1)] = atMs;
      return;
    }
    if (this.#length === this.#times.length && this.#length < this.#capacity) this.#grow();
    this.#times[this.#next] = atMs;
    this.#names.forEach((name, i) => {
      const column = this.#values[i];
      if (column) column[this.#next] = values[name] ?? Number.NaN;
    });
    this.#next = (this.#next + 1) % this.#times.length;
    this.#length = Math.min(this.#times.length, this.#length + 1);
  }

  /** All points, oldest first. */
  series(): Series {
    const order = Array.from({ length: this.#length }, (_, i) => this.#place(i));
    const values: Record<string, readonly (number | null)[]> = {};
    this.#names.forEach((name, column) => {
      values[name] = order.map((place) => this.#at(column, place));
    });
    return { atMs: order.map((place) => this.#times[place] ?? 0), values };
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

  /** A level line needs two points: the same values a third time only move its end. */
  #isThirdAlike(values: Readonly<Record<string, number | null>>): boolean {
    if (this.#length < 2) return false;
    const [last, before] = [this.#place(this.#length - 1), this.#place(this.#length - 2)];
    return this.#names.every((name, column) => {
      const value = values[name] ?? null;
      const rounded = value === null ? null : Math.fround(value);
      return this.#at(column, last) === rounded && this.#at(column, before) === rounded;
    });
  }

  #grow(): void {
    const order = Array.from({ length: this.#length }, (_, i) => this.#place(i));
    const capacity = Math.min(this.#capacity, this.#times.length * 2);
    const times = new Float64Array(capacity);
    const values = this.#values.map(() => new Float32Array(capacity));
    order.forEach((from, to) => {
      times[to] = this.#times[from] ?? 0;
      for (const [column, kept] of values.entries()) kept[to] = this.#values[column]?.[from] ?? Number.NaN;
    });
    this.#times = times;
    this.#values = values;
    this.#next = this.#length % capacity;
  }

  #place(i: number): number {
    return (this.#next - this.#length + i + this.#times.length) % this.#times.length;
  }

  #at(column: number, place: number): number | null {
    const value = this.#values[column]?.[place];
    return value === undefined || Number.isNaN(value) ? null : value;
  }
}
