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
  /** Runs that ended with one that had ended already, in bursts at the wall. */
  readonly coincidences: number;
}

/** What waits for less is not in anybody's way. */
const MIN_WALL_MS = 250;
const MIN_MOMENTS = 2;
const MIN_COINCIDENCES = 4;
const MIN_SYNC = 0.4;
const MIN_BURST_SHARE = 0.5;
const MAX_WALL_SPREAD = 0.06;

export function isBatchWait(wallMs: number, seen: BatchEvidence, isRateLimited: boolean): boolean {
  return (
    wallMs >= MIN_WALL_MS &&
    seen.moments >= MIN_MOMENTS &&
    seen.coincidences >= MIN_COINCIDENCES &&
    seen.syncRatio >= MIN_SYNC &&
    seen.burstShare >= MIN_BURST_SHARE &&
    seen.wallSpreadRatio <= MAX_WALL_SPREAD &&
    (beatsChance(seen) || isTighter(seen) || (!isRateLimited && isOneTick(seen)))
  );
}

export function beatsChance(seen: BatchEvidence): boolean {
  const { syncRatio, chanceRatio, runs, widerTimes } = seen;
  const error = Math.sqrt((chanceRatio * (1 - chanceRatio)) / Math.max(1, runs / 2));
  return syncRatio - chanceRatio >= Math.max(0.35, 2.5 * error) && widerTimes >= 2;
}

export function isTighter(seen: BatchEvidence): boolean {
  return seen.syncRatio >= 0.7 && seen.isolatedRatio >= 0.6 && seen.widerTimes >= 3;
}

export function isOneTick(seen: BatchEvidence): boolean {
  return (
    seen.syncRatio >= 0.8 &&
    seen.isolatedRatio >= 0.6 &&
    seen.moments >= 3 &&
    seen.coincidences >= 6 &&
    seen.endSpreadMs <= 3 + 0.05 * seen.medianBurstSize
  );
}

export function confidenceOf(seen: BatchEvidence): number {
  return 0.5 + 0.5 * (1 - Math.exp(-(seen.coincidences + 2 * seen.moments) / 20));
}
