import type { CarryOver } from './carry-over.js';

export interface BatchEvidence {
  /** At the wall. */
  readonly bursts: number;
  readonly medianBurstSize: number;
  /** Share of the runs that ended together with others of their process, 0..1; and what it would be by chance. */
  readonly syncRatio: number;
  readonly chanceRatio: number;
  readonly wallSpreadRatio: number;
  /** Of a burst, median. */
  readonly endSpreadMs: number;
  readonly startSpreadMs: number;
  readonly processes: number;
  /** That were judged. */
  readonly runs: number;
  /** Share of the runs that took just as long as the wall, 0..1. */
  readonly shareAtWall: number;
  readonly widerTimes: number;
  readonly moments: number;
  readonly burstShare: number;
  readonly isolatedRatio: number;
  readonly coverageRatio: number;
  readonly pairs: number;
  readonly chancePairs: number;
  readonly carryOver: CarryOver;
  /** Runs that ended with one that had ended already, in bursts at the wall. */
  readonly coincidences: number;
}

/** What waits for less is not in anybody's way. */
const MIN_WALL_MS = 250;
const MIN_MOMENTS = 2;
const MIN_COINCIDENCES = 4;
const MIN_SYNC = 0.4;
const MIN_BURST_SHARE = 0.7;

export function isBatchWait(wallMs: number, seen: BatchEvidence, isRateLimited: boolean): boolean {
  return (
    wallMs >= MIN_WALL_MS &&
    seen.moments >= MIN_MOMENTS &&
    seen.coincidences >= MIN_COINCIDENCES &&
    seen.syncRatio >= MIN_SYNC &&
    seen.burstShare >= MIN_BURST_SHARE &&
    seen.wallSpreadRatio * wallMs <= 0.015 * wallMs + 60 &&
    (beatsChance(seen) ||
      isMoreThanInStep(seen) ||
      (isSparse(seen) &&
        (isTighter(seen) || carriesNothingOver(seen) || (!isRateLimited && isOneTick(seen, wallMs)))))
  );
}

export function beatsChance(seen: BatchEvidence): boolean {
  return seen.pairs >= 4 * seen.chancePairs + 4 && seen.widerTimes >= 2;
}

export function isMoreThanInStep(seen: BatchEvidence): boolean {
  return (
    seen.syncRatio >= 0.9 &&
    seen.syncRatio - seen.coverageRatio >= 0.4 &&
    seen.pairs >= 1.2 * seen.chancePairs + 2 * Math.sqrt(seen.chancePairs) &&
    seen.widerTimes >= 2 &&
    carriesNothingOver(seen)
  );
}

export function isSparse(seen: BatchEvidence): boolean {
  return seen.syncRatio >= 0.7 && seen.isolatedRatio >= 0.6 && seen.syncRatio - seen.coverageRatio >= 0.4;
}

export function isTighter(seen: BatchEvidence): boolean {
  return seen.widerTimes >= 1.6 + 11 / seen.coincidences;
}

export function carriesNothingOver({ carryOver, syncRatio }: BatchEvidence): boolean {
  return syncRatio >= 0.9 && carryOver.slope + 2 * carryOver.error <= -0.4;
}

export function isOneTick(seen: BatchEvidence, wallMs: number): boolean {
  return (
    (seen.moments >= 3 &&
      seen.coincidences >= 6 &&
      seen.endSpreadMs <= Math.max(3 + 0.05 * seen.medianBurstSize, 0.0006 * wallMs)) ||
    (seen.coincidences >= 8 && seen.endSpreadMs <= 1 + 0.05 * seen.medianBurstSize + 0.0001 * wallMs)
  );
}

export function confidenceOf(seen: BatchEvidence): number {
  return 0.5 + 0.5 * (1 - Math.exp(-(seen.coincidences + 2 * seen.moments) / 20));
}
