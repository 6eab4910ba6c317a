import { setTimeout as wait } from 'node:timers/promises';
import type { QueueHandle } from '../../redis/queue-control.js';
import { receiptsKey, runParkingScript } from './run-script.js';

/** `appendfsync everysec` loses up to a second, two while its disk is slow; a replica is behind by less. */
const KEPT_AFTER_MS = 2_000;
const NAP_MS = 100;

/**
 * Sees to it that Redis will still know, whatever it forgets, that this installation has taken jobs out of the queue: see
 * mark-epoch.lua. It takes 2 s before the first parking of a queue, and no time later.
 * @returns false: somebody stopped it before.
 * @throws what Redis says.
 */
export async function markEpoch(
  queue: QueueHandle,
  installation: string,
  shouldStop: () => boolean,
): Promise<boolean> {
  if (shouldStop()) return false;
  const answer = await runParkingScript(
    queue,
    'mark-epoch',
    [receiptsKey(queue.id)],
    [installation, KEPT_AFTER_MS],
  );
  for (let leftMs = Number(answer); leftMs > 0; leftMs -= NAP_MS) {
    await wait(Math.min(leftMs, NAP_MS));
    if (shouldStop()) return false;
  }
  return true;
}
