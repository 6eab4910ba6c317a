import type { QueueHandle } from '../../redis/queue-control.js';
import type { ParkedStore } from './open-parked.js';
import { settleBatch } from './settle-batch.js';

/**
 * Brings every batch of a parking that was interrupted to an end, by what Redis says became of it: afterwards each of its
 * jobs is either on disk, to come back, or in Redis.
 * To be called alone for a parking. @throws what Redis says; then the rest is still open.
 */
export async function settleOpen(
  store: ParkedStore,
  queue: QueueHandle,
  parking: string,
  nowMs: number,
): Promise<void> {
  for (const open of await store.jobs.openWritten())
    if (open.parking === parking)
      await store.jobs.settleWritten(parking, open.batch, await settleBatch(queue, 'p', open.batch));
  for (const open of await store.jobs.openRestoring())
    if (open.parking === parking)
      await store.jobs.settleRestoring(parking, open.batch, await settleBatch(queue, 'r', open.batch), nowMs);
}
