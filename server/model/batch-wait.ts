import { sizeOfBatches } from './batch-wait/batch-size.js';
import type { Burst } from './batch-wait/bursts.js';
import { gatherEvidence, type Seen } from './batch-wait/evidence.js';
import type { FinishedRun } from './batch-wait/finished-run.js';
import { type BatchEvidence, confidenceOf, isBatchWait } from './batch-wait/verdict.js';
import { median } from './theil-sen.js';

export type { FinishedRun } from './batch-wait/finished-run.js';

export interface BatchWaitInput {
  /** Of one job type, in any order, at most some 2,000. */
  readonly runs: readonly FinishedRun[];
  /** Slots of each process now; null where they are not known. */
  readonly slotsByProcess: ReadonlyMap<string, number> | null;
  readonly isRateLimited: boolean;
  /** Runs that happened but are not in `runs`. */
  readonly skippedRuns: number;
}

export interface BatchWait {
  /** What a run takes when its batch waits for the timer: the client's wait, and the answer to what it sends. */
  readonly wallMs: number;
  /** Slots per process at which a batch fills; null: not known yet. */
  readonly batchSize: number | null;
  /** It is at least so many: batches with one less were seen to wait for the timer. */
  readonly batchSizeAtLeast: number;
  /** 0..1; grows with the number of bursts seen. */
  readonly confidence: number;
  readonly evidence: BatchEvidence;
  /** Concurrency is below the batch size, so every batch waits for the timer. */
  readonly isStarved: boolean;
}

/** One request alone is no batch that waits. */
const LEAST_BATCH = 2;
/** Where the slots are always busy, nearly all runs begin with a batch and wait for all of it. */
const STARVED_SHARE = 0.7;
const ALL_SLOTS_RATIO = 0.8;
const MIN_SAME = 4;
const SAME_SHARE = 0.7;

/**
 * Says whether the runs of a job type wait for a client that gathers requests (PostHog, Segment: 20 or 10 s) and so take
 * as long as its timer, however fast the work is (incidents.md, 1). Its mark: runs of a process end in the same ms
 * whatever their starts were, again and again at the same longest duration, and far more often than the same durations
 * dealt out anew would (`chanceOf`). Pure.
 * @returns null where that is not so, or where too little was seen to say it.
 */
export function judgeBatchWait(input: BatchWaitInput): BatchWait | null {
  const seen = gatherEvidence(input.runs);
  if (!seen || !isBatchWait(seen.wall.ms, seen.evidence, input.isRateLimited)) return null;
  const { wall, evidence } = seen;
  const isKnown = input.runs.every((run) => run.process !== null);
  const isWhole = input.skippedRuns === 0 && isKnown;
  const { size, atLeast } = sizeOfBatches(seen.bursts, wall, seen.completed, isWhole);
  return {
    wallMs: wall.ms,
    batchSize: size,
    batchSizeAtLeast: isKnown ? atLeast : LEAST_BATCH,
    confidence: confidenceOf(evidence),
    evidence,
    isStarved: isStarved(seen, size, input),
  };
}

function isStarved(seen: Seen, size: number | null, input: BatchWaitInput): boolean {
  const { slotsByProcess } = input;
  const slots = slotsByProcess === null ? Number.NaN : median([...slotsByProcess.values()]);
  if (size !== null) return slots < size;
  const { bursts } = seen.wall;
  if (Number.isFinite(slots)) {
    // A burst of which some runs were not seen was larger.
    const seenRatio = input.runs.length / (input.runs.length + input.skippedRuns);
    const fills = (burst: Burst): boolean =>
      burst.runs.length >= ALL_SLOTS_RATIO * seenRatio * (slotsByProcess?.get(burst.process) ?? slots);
    return bursts.filter(fills).length >= bursts.length / 2;
  }
  return seen.evidence.shareAtWall >= STARVED_SHARE || isAlwaysTheSame(bursts.map(({ runs }) => runs.length));
}

/** What comes by chance comes in varying numbers; slots that are all taken are always as many. */
function isAlwaysTheSame(sizes: readonly number[]): boolean {
  const usual = median(sizes);
  const same = sizes.filter((size) => Math.abs(size - usual) <= 0.03 * usual);
  return sizes.length >= MIN_SAME && same.length >= SAME_SHARE * sizes.length;
}
