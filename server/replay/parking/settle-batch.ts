import type { QueueHandle } from '../../redis/queue-control.js';
import { receiptsKey, runParkingScript } from './run-script.js';

/**
 * What became of a batch whose end nobody heard: its receipt, or null where it was not carried out and never will be.
 * @param kind 'p' one that takes jobs out, 'r' one that brings them back.
 * @throws what Redis or the network says; then it is still open.
 */
export async function settleBatch(
  queue: QueueHandle,
  kind: 'p' | 'r',
  batch: string,
): Promise<string | null> {
  const answer = String(
    await runParkingScript(queue, 'settle-batch', [receiptsKey(queue.id)], [`${kind}${batch}`]),
  );
  return answer === 'void' ? null : answer;
}

/** The receipts of these batches; null where Redis has none (it lost it, or never had it). @throws what Redis says. */
export async function readReceipts(
  queue: QueueHandle,
  kind: 'p' | 'r',
  batches: readonly string[],
): Promise<readonly (string | null)[]> {
  if (batches.length === 0) return [];
  return queue.client.hmget(receiptsKey(queue.id), ...batches.map((batch) => `${kind}${batch}`));
}

/** Receipts that nobody will ask for again. @throws what Redis says. */
export async function forgetReceipts(
  queue: QueueHandle,
  kind: 'p' | 'r',
  batches: readonly string[],
): Promise<void> {
  if (batches.length === 0) return;
  await queue.client.hdel(receiptsKey(queue.id), ...batches.map((batch) => `${kind}${batch}`));
}
