import type { RateWindow } from '../model/rate-limit.js';

/** Windows in which a broken rate is a whole number of jobs, to a tenth of a job a second. */
const LONG_WINDOW_MS = 10_000;

/**
 * The rate of a replay as a limit of a queue: 50/s is 50 per second, 0.5/s is 5 per 10 s.
 * @param perSecond at least 0.1
 */
export function limitOfRate(perSecond: number): RateWindow {
  if (Number.isInteger(perSecond)) return { max: perSecond, durationMs: 1000 };
  return { max: Math.max(1, Math.round((perSecond * LONG_WINDOW_MS) / 1000)), durationMs: LONG_WINDOW_MS };
}
