import { z } from 'zod';
import type { ModelOf } from '../model/json.js';

/** Why a job that matched was left where it is. */
export const SKIP_REASONS = {
  'no-longer-there': 'was gone, or in another state, when its turn came',
  'flow-parent': 'is the parent of a flow: its children have ended and would not run again',
  'other-slot': 'is the child of a parent in another slot of the cluster',
  'job-missing': 'its id is in the set, but its hash is gone',
  'id-in-redis': 'a job of the same id is in Redis again',
} as const;
export type SkipReason = keyof typeof SKIP_REASONS;

/** Numbers that a replay keeps as it goes. */
export interface ReplayCounts {
  /** Jobs that matched when they were counted; null: not counted yet. */
  readonly counted: number | null;
  readonly moved: number;
  readonly succeeded: number;
  readonly failedAgain: number;
  readonly gone: number;
  /** Redis lost a moment and they are in the failed set again: they are moved again, and counted anew. */
  readonly cameBack: number;
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
}

export const NO_COUNTS: ReplayCounts = {
  counted: null,
  moved: 0,
  succeeded: 0,
  failedAgain: 0,
  gone: 0,
  cameBack: 0,
  skipped: {},
};

export const ReplayAccountSchema = z
  .object({
    matched: z.number(),
    isCounted: z
      .boolean()
      .describe('false while they are being counted: then `matched` is what is known so far'),
    moved: z.number(),
    skipped: z.number(),
    skippedBecause: z.record(z.string(), z.number()).describe('By reason'),
    remaining: z.number(),
    succeeded: z.number(),
    failedAgain: z.number(),
    gone: z.number().describe('Ended or removed, kept nowhere: whether well is not known'),
    toRun: z.number(),
  })
  .describe(
    'matched = moved + skipped + remaining; moved = succeeded + failedAgain + gone + toRun: at any time',
  );
export type ReplayAccount = ModelOf<typeof ReplayAccountSchema>;

/**
 * The account of a replay at any time.
 * @param isSwept every job of the range has had its turn: what was counted and did not come was gone by then.
 */
export function accountOf(counts: ReplayCounts, isSwept: boolean): ReplayAccount {
  const handled = counts.moved + sumOf(counts.skipped);
  const matched = Math.max(counts.counted ?? 0, handled);
  const missing = isSwept ? matched - handled : 0;
  const skippedBecause: Record<string, number> = {};
  for (const [reason, count] of Object.entries(counts.skipped)) if (count) skippedBecause[reason] = count;
  if (missing > 0) skippedBecause['no-longer-there'] = (skippedBecause['no-longer-there'] ?? 0) + missing;
  return {
    matched,
    isCounted: counts.counted !== null,
    remaining: matched - handled - missing,
    moved: counts.moved,
    skipped: handled - counts.moved + missing,
    skippedBecause,
    succeeded: counts.succeeded,
    failedAgain: counts.failedAgain,
    gone: counts.gone,
    toRun: counts.moved - counts.succeeded - counts.failedAgain - counts.gone,
  };
}

function sumOf(skipped: ReplayCounts['skipped']): number {
  return Object.values(skipped).reduce((sum, count) => sum + (count ?? 0), 0);
}
