import { noTicks, type Points, TICK_MS } from './points.js';

/** Rows that a window has room for at first: most queues change less often than every few seconds. */
const FIRST_ROWS = 4;

/**
 * Ticks of one subject that are not written yet, a second a step. A row holds until the next one begins, so what does not
 * change takes a row however long it lasts: ten thousand idle queues are kept in mind for 70 bytes each.
 */
export class TickWindow {
  readonly startSecond: number;
  /** From this second on it is closed. */
  readonly endSecond: number;
  readonly #width: number;
  /** Of each row the second at which it begins, from the start, and a value for each signal; NaN: not known. */
  #rows: Float32Array;
  #length = 0;

  /** @param width signals of the subject's scope. */
  constructor(width: number, startSecond: number, endSecond: number) {
    this.#width = width;
    this.startSecond = startSecond;
    this.endSecond = endSecond;
    this.#rows = new Float32Array(FIRST_ROWS * (width + 1));
  }

  /** Begins a row without values; the one before it ends. @param second not before that of the last row, and in the window. */
  begin(second: number): void {
    const offset = second - this.startSecond;
    if (this.#length > 0 && this.#rows[this.#at(this.#length - 1)] === offset) this.#length -= 1;
    else if (this.#length > 1 && this.#isLastAlike()) this.#length -= 1;
    if (this.#at(this.#length + 1) > this.#rows.length) {
      const larger = new Float32Array(this.#rows.length * 2);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    const at = this.#at(this.#length);
    this.#rows.fill(Number.NaN, at, at + this.#width + 1);
    this.#rows[at] = offset;
    this.#length += 1;
  }

  /** Sets a value of the last row. */
  set(column: number, value: number): void {
    this.#rows[this.#at(this.#length - 1) + 1 + column] = value;
  }

  /** Begins the window that follows it, with the values that hold at its end. */
  next(endSecond: number): TickWindow {
    const window = new TickWindow(this.#width, this.endSecond, endSecond);
    window.begin(this.endSecond);
    for (let column = 0; column < this.#width; column++)
      window.set(column, this.#rows[this.#at(this.#length - 1) + 1 + column] ?? Number.NaN);
    return window;
  }

  /**
   * The values of one signal, a second each, from the start up to `untilSecond`.
   * @param into where they are put, made for as many ticks; the points are good until it is used again.
   */
  points(
    column: number,
    untilSecond: number,
    into = noTicks(this.startSecond * TICK_MS, Math.max(0, untilSecond - this.startSecond)),
  ): Points {
    into.count.fill(0);
    for (let row = 0; row < this.#length; row++) {
      const from = this.#rows[this.#at(row)] ?? 0;
      const to = row + 1 < this.#length ? this.#rows[this.#at(row + 1)] : into.count.length;
      const value = this.#rows[this.#at(row) + 1 + column] ?? Number.NaN;
      into.mean.fill(value, from, to);
      into.count.fill(Number.isFinite(value) ? 1 : 0, from, to);
    }
    return into;
  }

  get isBlank(): boolean {
    for (let column = 0; column < this.#width; column++) if (!this.isBlankColumn(column)) return false;
    return true;
  }

  /** Nothing was known of that signal. */
  isBlankColumn(column: number): boolean {
    for (let row = 0; row < this.#length; row++)
      if (!Number.isNaN(this.#rows[this.#at(row) + 1 + column])) return false;
    return true;
  }

  get heldBytes(): number {
    return this.#rows.byteLength;
  }

  #at(row: number): number {
    return row * (this.#width + 1);
  }

  #isLastAlike(): boolean {
    const [before, last] = [this.#at(this.#length - 2) + 1, this.#at(this.#length - 1) + 1];
    for (let column = 0; column < this.#width; column++)
      if (!Object.is(this.#rows[before + column], this.#rows[last + column])) return false;
    return true;
  }
}
