import {
  KEPT_ORDERS_FIELD,
  type KeptOrders,
  keptOrderKey,
  type Order,
  type SignedOrder,
} from '../../agent/protocol.js';
import { readKeptMap } from '../watch/heard.js';
import { runForced } from './forced-script.js';
import type { QueueHandle } from './queue-control.js';

/** Orders that one queue keeps: far more than anybody gives by hand. */
const MOST_KEPT = 500;

/** What a queue keeps for its workers, as it was signed. @throws what Redis says. */
export async function readKept({ client, id }: QueueHandle): Promise<KeptOrders> {
  return readKeptMap(await client.hget(`${id}:meta`, KEPT_ORDERS_FIELD));
}

/**
 * Keeps an order for workers that come later; one with the value null takes the kept one away, `all` every one of its scope.
 * Works over maxmemory.
 * @throws what Redis says; Error where too many are kept already.
 */
export async function keepOrder(
  queue: QueueHandle,
  order: Order,
  signed: SignedOrder,
  nowMs: number,
): Promise<void> {
  if (order.value === null) {
    await dropKept(queue, [dropStart(order)], nowMs);
    return;
  }
  const key = keptOrderKey(order.scope, order.setting);
  const count = await run(queue, [nowMs, MOST_KEPT, key, JSON.stringify(signed)]);
  if (count < 0)
    throw new Error(`Could not keep the order: the queue keeps ${MOST_KEPT} already; revert some`);
}

/** Puts back what stood there before an order that nobody follows. */
export async function restoreKept(
  queue: QueueHandle,
  key: string,
  former: SignedOrder | null,
  nowMs: number,
): Promise<void> {
  if (former === null) await dropKept(queue, [key], nowMs);
  else await run(queue, [nowMs, MOST_KEPT, key, JSON.stringify(former)]);
}

/** @param starts of keys; '' for every order of the queue. */
export async function dropKept(queue: QueueHandle, starts: readonly string[], nowMs: number): Promise<void> {
  await run(queue, [nowMs, MOST_KEPT, '', '', ...starts]);
}

function dropStart(order: Order): string {
  return order.setting === 'all' ? `${order.scope}|` : keptOrderKey(order.scope, order.setting);
}

async function run(queue: QueueHandle, args: readonly (string | number)[]): Promise<number> {
  const keys = [`${queue.id}:meta`];
  return Number(
    await runForced(queue.client, queue.canFlagScripts, 'keep-order', keys, [KEPT_ORDERS_FIELD, ...args]),
  );
}
