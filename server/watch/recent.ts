import type { Series } from './watch.js';

/** A ring of points of a few named values, in typed arrays: what it holds is bounded and known beforehand. */
export class RecentSeries {
  readonly #names: readonly string[];
  readonly #capacity: number;
  readonly #everyMs: number;
  readonly #times: Float64Array;
  readonly #values: readonly Float32Array[];
  #length = 0;
  #next = 0;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  /** @param everyMs points closer together than this replace the newest instead of adding one. */
  constructor(names: readonly string[], capacity: number, everyMs: number) {
    this.#names = names;
    this.#capacity = capacity;
    this.#everyMs = everyMs;
    this.#times = new Float64Array(capacity);
    this.#values = names.map(() => new Float32Array(capacity));
  }

  /** Adds a point; null values are gaps. */
  add(atMs: number, values: Readonly<Record<string, number | null>>): void {
    if (atMs - this.#lastAtMs < this.#everyMs) return;
    this.#lastAtMs = atMs;
    this.#times[this.#next] = atMs;
    this.#names.forEach((name, i) => {
      const column = this.#values[i];
      if (column) column[this.#next] = values[name] ?? Number.NaN;
    });
    this.#next = (this.#next + 1) % this.#capacity;
    this.#length = Math.min(this.#capacity, this.#length + 1);
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

  #place(i: number): number {
    return (this.#next - this.#length + i + this.#capacity) % this.#capacity;
  }

  #at(column: number, place: number): number | null {
    const value = this.#values[column]?.[place];
    return value === undefined || Number.isNaN(value) ? null : value;
  }
}
