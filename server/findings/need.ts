import { DEFAULT_THRESHOLDS } from '../model/finding.js';
import type { RedisNode } from '../model/snapshot.js';

/** What is done must last until a person has done what comes after it. */
export const LAST_SECONDS = 600;
/** Where the cause is taken away in the same breath, until that takes effect: workers answer within a second, batches fill at once. */
const TAKES_EFFECT_SECONDS = 10;
/** At the very edge answers flip with Redis' client buffers (facts.md): less room than this share of the limit is none. */
export const EDGE_RATIO = 0.05;

/** For how long writes are to pass, and how full Redis may be then. */
export interface Aimed {
  readonly seconds: number;
  /** Share of the limit below which memory is no trouble: at least what lies above it is to go, so that one trouble is not the next. */
  readonly safeRatio: number;
}

export const TEN_MINUTES: Aimed = { seconds: LAST_SECONDS, safeRatio: DEFAULT_THRESHOLDS.memoryWarnRatio };
/** What the cause's remedy brings is memory that falls. */
export const UNTIL_IN_EFFECT: Aimed = { seconds: TAKES_EFFECT_SECONDS, safeRatio: 1 - EDGE_RATIO };

/** What has to be freed, or added to the limit, so that writes pass for so long. */
export interface Need extends Aimed {
  readonly bytes: number;
  /** Of that, what has to go before writes are taken at all, clear of the edge. */
  readonly nowBytes: number;
  /** Free room under the limit once that is done. */
  readonly roomBytes: number;
  /** null: not known; then none of it is in `bytes`, and whether something suffices can't be said. */
  readonly growthBytesPerSecond: number | null;
}

/**
 * What is over the limit, with a margin, and as long as is aimed at of growth at the rate that is to be expected. Pure.
 * @returns null: there is no limit, so nothing is over it.
 */
export function needOf(node: RedisNode, aimed = TEN_MINUTES): Need | null {
  const limitBytes = node.limit?.bytes ?? 0;
  if (!(limitBytes > 0) || !Number.isFinite(limitBytes)) return null;
  const growth = node.expectedGrowthBytesPerSecond;
  const growthBytesPerSecond = growth !== null && Number.isFinite(growth) ? Math.max(0, growth) : null;
  const above = (ratio: number): number => Math.max(0, node.countedBytes - limitBytes * ratio);
  const bytes = Math.ceil(
    Math.max(above(aimed.safeRatio), above(1 - EDGE_RATIO) + (growthBytesPerSecond ?? 0) * aimed.seconds),
  );
  return {
    ...aimed,
    bytes,
    nowBytes: Math.ceil(above(1 - EDGE_RATIO)),
    roomBytes: Math.max(0, limitBytes - node.countedBytes + bytes),
    growthBytesPerSecond,
  };
}
