import { type Burst, spreadMs } from './bursts.js';

/** How durations go with starts within a burst. */
export interface CarryOver {
  /** false where no starts were apart enough; then the slope means nothing. */
  readonly isTold: boolean;
  /** In some burst they were so far apart that it can't have been the event loop. */
  readonly isSure: boolean;
  /**
   * −1: who starts later is that much quicker, so ends do not depend on starts (a common timer). 0: a start's delay is
   * carried over to its end (a sleep, a time-out, work).
   */
  readonly slope: number;
  /** Standard error of the slope; Infinity where a single pair of runs tells it. */
  readonly error: number;
}

/**
 * Node runs timers that were set or fall due in one turn of its event loop together, and stamps what one tick resolves one after the
 * other: starts nearer together than this tell nothing, and not all up to APART_MS.
 */
const TELLING_MS = 4;
const TELLING_EACH_MS = 0.1;
/**
 * [measured, workers just started: exact sleeps that began 5 to 27 ms apart ended 1 to 5 ms apart; batches that began 5
 * to 181 ms apart ended within 7 ms]
 */
const APART_MS = 50;

/**
 * Least squares of duration on start, pooled within bursts so that only differences between their members count, over
 * the bursts whose starts are apart enough to tell.
 */
export function carryOverOf(bursts: readonly Burst[]): CarryOver {
  const telling = bursts.filter(
    (burst) => startSpreadMs(burst) >= TELLING_MS + TELLING_EACH_MS * burst.runs.length,
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
  if (xx === 0) return { isTold: false, isSure: false, slope: 0, error: Number.POSITIVE_INFINITY };
  const slope = xy / xx;
  const left = Math.max(0, yy - slope * xy);
  const error = freedom < 1 ? Number.POSITIVE_INFINITY : Math.sqrt(left / freedom / xx);
  return { isTold: true, isSure: telling.some((burst) => startSpreadMs(burst) >= APART_MS), slope, error };
}

function startSpreadMs({ runs }: Burst): number {
  return spreadMs(runs.map((run) => run.startMs));
}

/** From the first value, so that large times lose no digits. */
function mean(values: readonly number[]): number {
  const first = values[0] ?? 0;
  return first + values.reduce((sum, value) => sum + (value - first), 0) / Math.max(1, values.length);
}
