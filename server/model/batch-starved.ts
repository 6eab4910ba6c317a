import type { BatchWait } from './job-type.js';

/** Where a batch was never seen to fill: clients of analytics gather 15 to 20 requests, few more than this. */
export const USUAL_BATCHES_FIT = 50;

/**
 * Do batches wait for the timer for want of slots? With more jobs waiting than slots it is the slots of a process that
 * decide; with fewer, what was seen of the runs themselves.
 * @param slotsByProcess as they are now; null: not known, no agent tells.
 */
export function isStarvedBy(
  slotsByProcess: ReadonlyMap<string, number> | null,
  backlog: number,
  wait: Pick<BatchWait, 'isStarved' | 'batchSize'>,
): boolean {
  if (slotsByProcess === null || slotsByProcess.size === 0) return wait.isStarved;
  const slots = [...slotsByProcess.values()].reduce((sum, of) => sum + of, 0);
  if (backlog <= slots) return wait.isStarved;
  return slots / slotsByProcess.size < (wait.batchSize ?? USUAL_BATCHES_FIT);
}
