import type { BatchWait } from '../model/job-type.js';
import { sizeOfBatches } from './batch-wait/batch-size.js';
import { gatherClues } from './batch-wait/evidence.js';
import type { FinishedRun } from './batch-wait/finished-run.js';
import { isStarved } from './batch-wait/starved.js';
import { confidenceOf, isBatchWait } from './batch-wait/verdict.js';

export interface BatchWaitInput {
  /** Of one job type, in any order, at most some 2,000. */
  readonly runs: readonly FinishedRun[];
  /** Slots of each process now; null where they are not known. */
  readonly slotsByProcess: ReadonlyMap<string, number> | null;
  readonly isRateLimited: boolean;
  /** Runs that happened but are not in `runs`. */
  readonly skippedRuns: number;
}

/** One request alone is no batch that waits. */
const LEAST_BATCH = 2;

/**
 * Says whether the runs of a job type wait for a client that gathers requests (PostHog 20 or 10 s, Segment 15 or 10 s)
 * and so take as long as its timer, however fast the work is (incidents.md, 1). Its mark: runs of a process end in the
 * same ms whatever their starts were, again and again at the same longest duration, and more so than the same durations
 * dealt out anew would. Pure.
 * @returns null where that is not so, or where too little was seen to say it: two bursts are the least.
 */
export function judgeBatchWait(input: BatchWaitInput): BatchWait | null {
  const clues = gatherClues(input.runs);
  if (!clues || !isBatchWait(clues, input.isRateLimited)) return null;
  const { wall, evidence, knowsProcesses } = clues;
  const isWhole = input.skippedRuns === 0 && knowsProcesses;
  const { size, atLeast } = sizeOfBatches(clues.bursts, wall, clues.completed, isWhole);
  const seenRatio = input.runs.length / (input.runs.length + input.skippedRuns);
  return {
    wallMs: wall.ms,
    batchSize: size,
    // Bursts of several processes that look like one would make it too large.
    batchSizeAtLeast: knowsProcesses ? atLeast : LEAST_BATCH,
    confidence: confidenceOf(clues),
    evidence,
    isStarved: isStarved(clues, size, input.slotsByProcess, seenRatio),
  };
}
