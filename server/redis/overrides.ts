import {
  KEPT_ORDERS_FIELD,
  type KeptOrders,
  keptOrderKey,
  type OrderedSetting,
  type SettingOrder,
  type SignedOrder,
} from '../../agent/protocol.js';
import type { Override } from '../model/worker.js';
import { readKeptMap, readKeptOrders } from './agent-messages.js';
import { runForced } from './forced-script.js';
import type { QueueHandle } from './queue-control.js';

/** Orders that one queue keeps: far more than anybody gives by hand. */
export const MAX_OVERRIDES = 500;
/** What `all` takes back; itself it is never kept. */
const ALL: readonly OrderedSetting[] = ['concurrency', 'paused', 'limiter', 'all'];

/** An order with the text that is signed, as it is sent and kept. */
export interface GivenOrder {
  readonly order: SettingOrder;
  readonly signed: SignedOrder;
}

/** A key, the order for it (null: none), and the body that has to stand there for it ('' nothing, '*' whatever). */
type Change = readonly [key: string, wanted: SignedOrder | null, needed: string];

/** The orders that a queue keeps and that have not ended, as they stand in Redis now. @throws what Redis says. */
export async function readOverrides(
  { client, id }: QueueHandle,
  nowMs: number,
): Promise<readonly Override[]> {
  return readKeptOrders(await client.hget(`${id}:meta`, KEPT_ORDERS_FIELD), id, nowMs);
}

/**
 * Keeps orders for workers that come later, all at once; one with the value null takes the kept one away, `all` every one
 * of its scope. Works over maxmemory.
 * @returns the orders that stood in their places; null where there would be more than MAX_OVERRIDES: then nothing is changed.
 * @throws what Redis says.
 */
export async function keepOverrides(
  queue: QueueHandle,
  given: readonly GivenOrder[],
  nowMs: number,
): Promise<KeptOrders | null> {
  const changes = given.flatMap(({ order, signed }): readonly Change[] => {
    const settings = order.setting === 'all' ? ALL : [order.setting];
    const wanted = order.value === null ? null : signed;
    return settings.map((setting) => [keptOrderKey(order.scope, setting), wanted, '*']);
  });
  return run(queue, changes, nowMs);
}

/** Takes every order away, whatever it is; those that stood there. Works over maxmemory. @throws what Redis says. */
export async function takeAllOverrides(queue: QueueHandle, nowMs: number): Promise<KeptOrders> {
  return (await run(queue, [], nowMs, 'all')) ?? {};
}

/** Takes away what is kept under these keys. @throws what Redis says. */
export async function takeOverrides(
  queue: QueueHandle,
  keys: readonly string[],
  nowMs: number,
): Promise<void> {
  await run(
    queue,
    keys.map((key) => [key, null, '*']),
    nowMs,
  );
}

/**
 * Puts back what stood there before orders that nobody follows. What another console has ordered in the same place since
 * then stays: only what was given here, or the gap that was left, is replaced.
 * @throws what Redis says.
 */
export async function giveBack(
  queue: QueueHandle,
  given: readonly GivenOrder[],
  former: KeptOrders,
  nowMs: number,
): Promise<void> {
  const bodies = new Map(
    given.flatMap(({ order, signed }) =>
      order.value === null ? [] : [[keptOrderKey(order.scope, order.setting), signed.body] as const],
    ),
  );
  const keys = new Set([...bodies.keys(), ...Object.keys(former)]);
  const changes = [...keys].map((key): Change => [key, former[key] ?? null, bodies.get(key) ?? '']);
  await run(queue, changes, nowMs);
}

async function run(
  queue: QueueHandle,
  changes: readonly Change[],
  nowMs: number,
  first: 'all' | '' = '',
): Promise<KeptOrders | null> {
  const threes = changes.flatMap(([key, wanted, needed]) => [
    key,
    wanted === null ? '' : JSON.stringify(wanted),
    needed,
  ]);
  const args = [KEPT_ORDERS_FIELD, nowMs, MAX_OVERRIDES, first, ...threes];
  const keys = [`${queue.id}:meta`];
  const answer = await runForced(queue.client, queue.canFlagScripts, 'keep-order', keys, args);
  const [count, former] = answer as readonly [number, string];
  return count < 0 ? null : readKeptMap(former);
}
