import type { QueueHandle } from '../../redis/queue-control.js';
import type { StoredJob } from './parking.js';
import { receiptsKey, runParkingScript } from './run-script.js';

/** How the batches of imported jobs begin. */
export const IMPORT_BATCH = 'import:';

const KEYS = ['meta', 'active', 'wait', 'prioritized', 'delayed', 'marker', 'paused'] as const;

/**
 * Brings jobs back as they were, in one step.
 * @param jobs oldest first.
 * @returns the receipt: a letter a job, '1' back, 'x' its id is there already, 'b' Redis had fallen back.
 * @throws what Redis says: OOM when it is full, and then nothing was changed; after a time-out settleBatch tells.
 */
export async function restoreBatch(
  queue: QueueHandle,
  batch: string,
  installation: string,
  jobs: readonly StoredJob[],
): Promise<string> {
  const args = jobs.flatMap((job) => [
    job.jobId,
    job.place,
    job.score,
    // What was imported was taken out of no Redis that could fall back.
    job.batch.startsWith(IMPORT_BATCH) ? '' : job.batch,
    job.fields.length,
    ...job.fields,
  ]);
  const keys = [receiptsKey(queue.id), ...KEYS.map((name) => `${queue.id}:${name}`)];
  return String(
    await runParkingScript(queue, 'restore-jobs', keys, [`${queue.id}:`, batch, installation, ...args]),
  );
}
