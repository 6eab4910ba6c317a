import { type Burst, spreadMs } from './bursts.js';

/** How durations go with starts within a burst. */
export interface CarryOver {
  /**
   * −1: who starts later is that much quicker, so ends do not depend on starts (a common timer). 0: a start's delay is
   * carried over to its end (a sleep, a time-out, work). 0 with an error of Infinity where no starts were apart enough.
   */
  readonly slope: number;
  /** Standard error of the slope. */
  readonly error: number;
}

/**
 * Node runs timers that fall due in one turn of its event loop together, and stamps what one tick resolves one after the
 * other: starts nearer together than this tell nothing. [measured: 5 exact sleeps 8 ms apart ended 5 ms apart, 5 ms
 * apart 1 ms; batches of 200 that began 181 ms apart ended within 7 ms]
 */
const TELLING_MS = 4;
const TELLING_EACH_MS = 0.1;

/**
 * Least squares of duration on start, pooled within bursts so that only differences between their members count, over
 * the bursts whose starts are apart enough to tell.
 */
export function carryOverOf(bursts: readonly Burst[]): CarryOver {
  const telling = bursts.filter(
    ({ runs }) => spreadMs(runs.map((run) => run.startMs)) >= TELLING_MS + TELLING_EACH_MS * runs.length,
  );
  let xx = 0;
  let xy = 0;
  let yy = 0;
  let freedom = -1;
  for (const { runs } of telling) {
    const startMs = mean(runs.map((run) => run.startMs));
    const durationMs = mean(runs.map((run) => run.durationMs));
    for (const run of runs) {
      xx += (run.startMs - startMs) ** 2;
      xy += (run.startMs - startMs) * (run.durationMs - durationMs);
      yy += (run.durationMs - durationMs) ** 2;
    }
    freedom += runs.length - 1;
  }
  if (xx === 0 || freedom < 1) return { slope: 0, error: Number.POSITIVE_INFINITY };
  const slope = xy / xx;
  const left = Math.max(0, yy - slope * xy) / freedom;
  return { slope, error: Math.sqrt(left / xx) };
}

/** From the first value, so that large times lose no digits. */
function mean(values: readonly number[]): number {
  const first = values[0] ?? 0;
  return first + values.reduce((sum, value) => sum + (value - first), 0) / Math.max(1, values.length);
}
