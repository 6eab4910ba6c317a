import { median } from '../theil-sen.js';
import type { Burst } from './bursts.js';

/** The time at which bursts end, counted from their first start, when it is the same again and again. */
export interface Wall {
  readonly ms: number;
  /** Bursts whose longest run took just that. */
  readonly bursts: readonly Burst[];
  /** Median deviation of the longest runs of bursts that did not end sooner, as a share of the wall. */
  readonly spreadRatio: number;
  /** Share of the runs in bursts that are in those at the wall, 0..1; batches that were sent full are left out. */
  readonly burstShare: number;
  /** How many different moments the bursts tell of: what releases all processes at once is one moment. */
  readonly moments: number;
}

/** So far from the wall a burst's longest run still counts as having reached it: the far side answers now sooner, now later. */
const AT_WALL_RATIO = 0.12;
/** Batches that fill end before the wall: it is looked for among the longer bursts. */
const WALL_QUANTILE = 0.7;
/** Bursts closer together than this share of the wall may have one cause (an upstream that comes back). */
const SAME_SIZE_RATIO = 0.8;
const MOMENT_RATIO = 0.3;

export function findWall(bursts: readonly Burst[]): Wall | null {
  const middleMs = weightedQuantile(bursts, WALL_QUANTILE);
  const atWall = (burst: Burst): boolean => Math.abs(burst.longestMs - middleMs) <= AT_WALL_RATIO * middleMs;
  const own = bursts.filter(atWall);
  if (own.length === 0 || !(middleMs > 0)) return null;
  const ms = median(own.map((burst) => burst.longestMs));
  const notSooner = bursts.filter((burst) => burst.longestMs >= ms * (1 - AT_WALL_RATIO));
  return {
    ms,
    bursts: own,
    spreadRatio: median(notSooner.map((burst) => Math.abs(burst.longestMs - ms))) / ms,
    burstShare: countRuns(own) / (countRuns(bursts) - countRuns(fullBursts(bursts, own, ms))),
    moments: countMoments(own, MOMENT_RATIO * ms),
  };
}

export function countRuns(bursts: readonly Burst[]): number {
  return bursts.reduce((sum, burst) => sum + burst.runs.length, 0);
}

function weightedQuantile(bursts: readonly Burst[], q: number): number {
  const sorted = [...bursts].sort((a, b) => a.longestMs - b.longestMs);
  const half = q * countRuns(sorted);
  let sum = 0;
  for (const burst of sorted) {
    sum += burst.runs.length;
    if (sum >= half) return burst.longestMs;
  }
  return 0;
}

function countMoments(bursts: readonly Burst[], apartMs: number): number {
  const ends = bursts.map((burst) => burst.firstEndMs).sort((a, b) => a - b);
  let count = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const end of ends)
    if (end - last >= apartMs) {
      count += 1;
      last = end;
    }
  return count;
}

/** Those that ended before the wall, all of one size that is more than what waited for it. */
function fullBursts(bursts: readonly Burst[], atWall: readonly Burst[], wallMs: number): readonly Burst[] {
  const unfilled = atWall.reduce((most, burst) => Math.max(most, burst.runs.length), 0);
  const full = bursts.filter(
    (burst) => burst.longestMs < wallMs * (1 - AT_WALL_RATIO) && burst.runs.length > unfilled,
  );
  const sizes = full.map((burst) => burst.runs.length);
  // Short runs are not looked at here, so a few may be missing.
  return Math.min(...sizes) >= SAME_SIZE_RATIO * Math.max(...sizes) ? full : [];
}
