import { median } from '../../model/theil-sen.js';
import { type Burst, runsIn } from './bursts.js';

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
const MOMENT_RATIO = 0.3;
/** Full batches are of one size, and larger than what waits; pairs that met by chance are not. */
const SAME_SIZE_RATIO = 0.8;
const MIN_SIZE = 5;
const MAX_OF_THEM = 0.7;

/**
 * Looks for one longest duration that most bursts share.
 * @returns null where there are no bursts.
 */
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
    burstShare: runsIn(own) / (runsIn(bursts) - runsIn(fullBursts(bursts, own, ms))),
    moments: countMoments(own, MOMENT_RATIO * ms),
  };
}

function weightedQuantile(bursts: readonly Burst[], q: number): number {
  const sorted = [...bursts].sort((a, b) => a.longestMs - b.longestMs);
  const half = q * runsIn(sorted);
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

/** Those that ended before the wall, most of one size that is more than what waits for it as a rule. */
function fullBursts(bursts: readonly Burst[], atWall: readonly Burst[], wallMs: number): readonly Burst[] {
  const sooner = bursts.filter((burst) => burst.longestMs < wallMs * (1 - AT_WALL_RATIO));
  const size = sooner.reduce((most, burst) => Math.max(most, burst.runs.length), 0);
  // Short runs are not looked at here, so a few may be missing.
  const full = sooner.filter((burst) => burst.runs.length >= SAME_SIZE_RATIO * size);
  const isMore = size >= MIN_SIZE && size > median(atWall.map((burst) => burst.runs.length));
  return isMore && runsIn(full) >= MAX_OF_THEM * runsIn(sooner) ? full : [];
}
