import type { Absence } from '../model/job-type.js';

/** Completions that make a habit. */
const LEAST_COMPLETIONS = 8;
/** Missing: so many times its longest gap so far and its usual one, and at least so long. */
const TIMES_LONGEST = 3;
const TIMES_USUAL = 6;
const LEAST_MS = 8_000;
/** ln of how rarely a gap may be called an absence by chance: once in 9 million. A busy type leaves thousands of gaps a day. */
const RARITY = 16;
/** What few gaps say of their own spread is too little by about so much, by √gaps; and burstier than this is told by the longest. */
const SPREAD_DOUBT = 1.5;
const MAX_SPREAD = 1.5;
/** After so long it is not news any more: it was taken out of service. */
const LONGEST_MS = 24 * 3_600_000;

/**
 * A type that completed regularly and stopped: nothing for thrice the longest gap that it ever left, nor for six times the
 * usual one, nor for as long as chance would leave a gap: gaps by chance have an exponential tail of mean × spread², where
 * spread is their deviation ÷ mean (a gamma distribution's; 0: a clock, 1: Poisson). Clocks are missed soon, Poisson types
 * later, bursty ones, which have long gaps of their own, later still.
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
  const silentMs = nowMs - last;
  // Cheap ones first: hardly any type is silent for long.
  if (silentMs <= LEAST_MS || silentMs >= LONGEST_MS) return null;
  // This is asked of every quiet type again and again, and nearly always the longest gap is the answer: then nothing is sorted.
  const longestGapMs = longestGap(completedAtMs);
  if (silentMs <= TIMES_LONGEST * longestGapMs) return null;
  const gaps = completedAtMs.slice(1).map((atMs, i) => atMs - (completedAtMs[i] ?? atMs));
  if (silentMs <= chanceGapMs(gaps)) return null;
  const usualGapMs = gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
  return silentMs > TIMES_USUAL * usualGapMs ? { lastCompletedAtMs: last, usualGapMs, longestGapMs } : null;
}

function longestGap(atMs: readonly number[]): number {
  let longestMs = 0;
  for (let i = 1; i < atMs.length; i += 1)
    longestMs = Math.max(longestMs, (atMs[i] ?? 0) - (atMs[i - 1] ?? 0));
  return longestMs;
}

/** The gap that chance leaves once in e^RARITY times. */
function chanceGapMs(gaps: readonly number[]): number {
  const meanMs = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  if (meanMs <= 0) return 0;
  const variance = gaps.reduce((sum, gap) => sum + (gap - meanMs) ** 2, 0) / gaps.length;
  const spread = Math.min(MAX_SPREAD, Math.sqrt(variance) / meanMs + SPREAD_DOUBT / Math.sqrt(gaps.length));
  return meanMs * (1 + RARITY * spread * spread);
}
