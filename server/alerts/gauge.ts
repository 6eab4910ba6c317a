/** What a subject's number may be judged by besides its own signal. */
export interface Beside {
  /** What Redis may hold: of the process that it is about, else of the smallest one. NaN: not known. */
  readonly limitBytes: number;
  /** Value of the gauge's second signal. NaN: none, or not known. */
  readonly second: number;
}

/** Memories must not keep `Beside`: it is used again for the next subject. */
type ReadBeside = (value: number, beside: Beside) => number;

/** What a gauge keeps of one subject, to make its next number from. */
export interface Memory {
  /** @returns NaN: not known (yet). */
  next(value: number, nowMs: number, beside: Beside): number;
}

/** A number of a subject that rules compare. Rules whose gauges have the same key share the work. */
export interface Gauge {
  readonly key: string;
  readonly signal: string;
  readonly second: string | null;
  /** Makes the memory of one subject; null: the number is the signal itself. */
  readonly remember: (() => Memory) | null;
}

/** A gauge with where it is bad and where it is good again. */
export interface WatchedCondition {
  readonly gauge: Gauge;
  /** On which side of the threshold it is bad. */
  readonly is: 'above' | 'below';
  readonly threshold: number;
  readonly clear: number;
  /** What a number that is not known says: nothing, or that there is nothing to measure. */
  readonly whenUnknown: 'hold' | 'clear';
}

/** A memory for what needs none. */
export function forgetful(of: ReadBeside): () => Memory {
  const memory: Memory = { next: (value, _nowMs, beside) => of(value, beside) };
  return () => memory;
}

/** Points that a window is judged by. */
const POINTS = 24;
/** Trends need so much of their window. */
const MIN_COVER = 0.5;
/** A gap this many times the spacing starts anew: what lies between was not seen. */
const MAX_SPACINGS = 6;
const MIN_POINTS = 6;

/** The last values of one subject at even spacing, for trends over a window. */
export class Past {
  readonly #windowMs: number;
  readonly #atMs: number[] = [];
  readonly #values: number[] = [];
  #slope = Number.NaN;

  constructor(windowSeconds: number) {
    this.#windowMs = windowSeconds * 1000;
  }

  /**
   * Change per second over the window, by the medians of its first and its last third, so that single spikes do not
   * count; 0 where it is less than the thirds vary in themselves; NaN until half the window is known.
   */
  slope(value: number, nowMs: number): number {
    if (Number.isNaN(value)) return Number.NaN;
    const lastMs = this.#atMs.at(-1);
    const spacingMs = this.#windowMs / POINTS;
    if (
      lastMs !== undefined &&
      (nowMs - lastMs > Math.max(MAX_SPACINGS * spacingMs, 15_000) || nowMs < lastMs)
    )
      this.#forget();
    if (this.#atMs.length === 0 || nowMs - (lastMs ?? 0) >= spacingMs) {
      this.#atMs.push(nowMs);
      this.#values.push(value);
      while ((this.#atMs[0] ?? nowMs) < nowMs - this.#windowMs) {
        this.#atMs.shift();
        this.#values.shift();
      }
      this.#slope = this.#fit();
    }
    return this.#slope;
  }

  #forget(): void {
    this.#atMs.length = 0;
    this.#values.length = 0;
    this.#slope = Number.NaN;
  }

  #fit(): number {
    const { length } = this.#atMs;
    const first = this.#atMs[0] ?? 0;
    const last = this.#atMs[length - 1] ?? 0;
    if (length < MIN_POINTS || last - first < this.#windowMs * MIN_COVER) return Number.NaN;
    const third = Math.floor(length / 3);
    const before = thirdOf(this.#values.slice(0, third), this.#atMs.slice(0, third));
    const after = thirdOf(this.#values.slice(-third), this.#atMs.slice(-third));
    const change = after.middle - before.middle;
    if (Math.abs(change) <= Math.max(before.spread, after.spread)) return 0;
    return (change * 1000) / (after.atMs - before.atMs);
  }
}

function thirdOf(values: readonly number[], atMs: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (i: number): number => sorted[i] ?? Number.NaN;
  const middle = (at((sorted.length - 1) >> 1) + at(sorted.length >> 1)) / 2;
  return {
    middle,
    spread: at(sorted.length - 1) - at(0),
    atMs: atMs.reduce((sum, one) => sum + one, 0) / atMs.length,
  };
}

/** Of its window, before a baseline says anything. */
const WARM_RATIO = 0.5;
/** A value further out than this teaches the baseline no more than this: an incident must not become usual at once. */
const MAX_TAUGHT = 4;
/** A deviation below this share of the mean is none: a signal that never moves would alarm at its first step. */
const MIN_DEVIATION_RATIO = 0.05;
const MIN_DEVIATION = 1e-9;
const MAX_STEP_MS = 60_000;

/** Distance of a number from its own mean, in its own mean deviations; both forget over a window. */
export class Habit implements Memory {
  readonly #windowMs: number;
  #mean = Number.NaN;
  #deviation = 0;
  #knownMs = 0;
  #lastMs = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  next(value: number, nowMs: number): number {
    if (!Number.isFinite(value)) return Number.NaN;
    if (Number.isNaN(this.#mean)) {
      this.#mean = value;
      this.#lastMs = nowMs;
      return Number.NaN;
    }
    const stepMs = Math.min(MAX_STEP_MS, Math.max(0, nowMs - this.#lastMs));
    this.#lastMs = nowMs;
    const isWarm = this.#knownMs >= this.#windowMs * WARM_RATIO;
    const floor = Math.max(MIN_DEVIATION, MIN_DEVIATION_RATIO * Math.abs(this.#mean));
    const usual = Math.max(this.#deviation, floor);
    const off = value - this.#mean;
    const score = isWarm ? off / usual : Number.NaN;
    this.#knownMs += stepMs;
    // While it is young it is the plain mean of what was seen; later it forgets at the pace of its window.
    const weight = stepMs / Math.max(stepMs, Math.min(this.#knownMs, this.#windowMs));
    const taught = isWarm ? Math.max(-MAX_TAUGHT * usual, Math.min(MAX_TAUGHT * usual, off)) : off;
    this.#mean += weight * taught;
    this.#deviation += weight * (Math.abs(taught) - this.#deviation);
    return score;
  }
}
