import type { QueueHandle } from '../../redis/queue-control.js';
import type { ParkedStore } from './open-parked.js';
import type { StoredJob } from './parking.js';
import { restoreBatch } from './restore-batch.js';
import { forgetReceipts, settleBatch } from './settle-batch.js';

export interface RestoreSome {
  readonly store: ParkedStore;
  readonly queue: QueueHandle;
  readonly parking: string;
  readonly now: () => number;
}

/** Redis is full, said so that a person and `isPassing` understand it. */
export const FULL = 'Redis is full (OOM): nothing is brought back until there is room';

/**
 * Brings jobs whose rows are marked with this batch back, and settles what came of it. To be called alone for a parking.
 * @param jobs in the order in which they are to wait.
 * @returns the receipt (a letter a job, see restore-batch.ts); null: Redis is full, and nothing was changed.
 * @throws what Redis says; then it was not carried out and the rows are as before, or it is still open, for settle-open.ts.
 */
export async function restoreSome(
  { store, queue, parking, now }: RestoreSome,
  batch: string,
  jobs: readonly StoredJob[],
): Promise<string | null> {
  let receipt: string | null = null;
  let problem: unknown = null;
  try {
    receipt = await restoreBatch(queue, batch, store.installation, jobs);
  } catch (error) {
    problem = error;
    // Refused as it is full is an answer: it needs no settling, which would leave something in a Redis that is full.
    if (!isFull(error)) receipt = await settleBatch(queue, 'r', batch);
  }
  await store.jobs.settleRestoring(parking, batch, receipt, now());
  if (receipt === null) {
    if (!isFull(problem)) throw problem;
    return null;
  }
  await forgetReceipts(queue, 'p', await store.jobs.withoutRows(jobs.map((job) => job.batch)));
  return receipt;
}

function isFull(error: unknown): boolean {
  return error instanceof Error && /\bOOM\b/.test(error.message);
}
