import type { Absence } from '../watch/job-type-state.js';

/** Completions that make a habit. */
const LEAST_COMPLETIONS = 8;
/** Missing: so many times its longest gap so far and its usual one, and at least so long. */
const TIMES_LONGEST = 3;
const TIMES_USUAL = 6;
const LEAST_MS = 8_000;
/** After so long it is not news any more: it was taken out of service. */
const LONGEST_MS = 24 * 3_600_000;

/**
 * A type that completed regularly and stopped: nothing for thrice the longest gap that it ever left, nor for six times the
 * usual one. Bursty types have long gaps of their own, and so are given more time.
 * @param completedAtMs moments at which completions were seen, ascending; a bounded number of the latest.
 * @param isRunning some of it runs now: then it is slow, not absent.
 */
export function judgeAbsence(
  completedAtMs: readonly number[],
  isRunning: boolean,
  nowMs: number,
): Absence | null {
  const last = completedAtMs[completedAtMs.length - 1];
  if (last === undefined || completedAtMs.length < LEAST_COMPLETIONS || isRunning) return null;
  const gaps = completedAtMs.slice(1).map((atMs, i) => atMs - (completedAtMs[i] ?? atMs));
  const sorted = [...gaps].sort((a, b) => a - b);
  const usualGapMs = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const longestGapMs = sorted[sorted.length - 1] ?? 0;
  const silentMs = nowMs - last;
  const isMissing = silentMs > Math.max(LEAST_MS, TIMES_LONGEST * longestGapMs, TIMES_USUAL * usualGapMs);
  return isMissing && silentMs < LONGEST_MS ? { lastCompletedAtMs: last, usualGapMs, longestGapMs } : null;
}
