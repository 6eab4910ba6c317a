import type { Memory, Watching } from '../gauge.js';
import type { BaselineCondition } from '../rule.js';

/** Of its window, before a baseline says anything. */
const WARM_RATIO = 0.5;
/** A value further out than this teaches the baseline no more than this: an incident must not become usual at once. */
const MAX_TAUGHT = 4;
/** A deviation below this share of the mean is none: a signal that never moves would alarm at its first step. */
const LEAST_DEVIATION_RATIO = 0.05;
const LEAST_DEVIATION = 1e-9;
const MAX_STEP_MS = 60_000;

/** Distance of a signal from its own mean, in its own mean deviations; both forget over the window. */
export function watchBaseline(condition: BaselineCondition): Watching {
  const { signal, is, deviations, clearDeviations, windowSeconds } = condition;
  const sign = is === 'below' ? -1 : 1;
  return {
    gauge: {
      key: `${signal}|baseline|${is}|${windowSeconds}`,
      signal,
      second: null,
      remember: () => {
        const baseline = new Baseline(windowSeconds * 1000);
        return {
          next: (value, nowMs) => {
            const score = baseline.next(value, nowMs);
            return is === 'off' ? Math.abs(score) : sign * score;
          },
        };
      },
    },
    is: 'above',
    threshold: deviations,
    clear: clearDeviations ?? deviations / 2,
    whenUnknown: 'hold',
  };
}

class Baseline implements Memory {
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
    const floor = Math.max(LEAST_DEVIATION, LEAST_DEVIATION_RATIO * Math.abs(this.#mean));
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
