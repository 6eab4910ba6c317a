import { z } from 'zod';
import {
  KEPT_ORDERS_FIELD,
  type KeptOrders,
  keptOrderKey,
  type OrderedSetting,
  PROTOCOL,
  type SettingOrder,
  type SignedOrder,
} from '../../agent/protocol.js';
import type { Override } from '../model/worker.js';
import { id, MAX_NUMBER, parseJson, text, timestamp } from './agent-messages.js';
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

/** What a queue keeps: 500 orders (keep-order.lua) with a reason of 1,000 characters each. */
const MAX_KEPT_CHARS = 2 * 1024 * 1024;

const MAX_KEPT_READ = 1_000;

const signed = z.object({
  v: z.number(),
  body: z.string().max(16_384),
  sig: z.string().max(200).nullable().default(null),
});

/** As agents read them (agent/order-intake.ts): what they would not follow is not shown as if it held. */
const positive = z.number().positive().max(MAX_NUMBER);

const orderedLimiter = z.object({ max: positive, durationMs: positive });

const order = z
  .object({
    id,
    atMs: timestamp,
    queue: z.string(),
    workers: z.array(id).nullable(),
    scope: z.string().max(300),
    by: text,
    reason: z.string().max(1_000),
    untilMs: timestamp.nullable(),
  })
  .and(
    z.discriminatedUnion('setting', [
      z.object({
        setting: z.literal('concurrency'),
        value: z.union([positive.int(), z.object({ factor: positive })]),
      }),
      z.object({ setting: z.literal('paused'), value: z.boolean() }),
      z.object({ setting: z.literal('limiter'), value: z.union([orderedLimiter, z.literal('none')]) }),
    ]),
  );

/** The map of overrides as it stands in Redis; what can't be read in it is left out. */
export function readKeptMap(raw: string | null): KeptOrders {
  const value = raw === null || raw.length > MAX_KEPT_CHARS ? null : parseJson(raw);
  if (typeof value !== 'object' || value === null) return {};
  const kept: Record<string, SignedOrder> = {};
  for (const [key, entry] of Object.entries(value).slice(0, MAX_KEPT_READ)) {
    const parsed = signed.safeParse(entry);
    if (parsed.success) kept[key] = parsed.data;
  }
  return kept;
}

/**
 * The orders in it that are for this queue and have not ended yet. Of a later protocol, of another queue or with a value
 * that stands for nothing: agents follow none of these, so they don't count here either.
 */
export function readKeptOrders(raw: string | null, queueId: string, nowMs: number): readonly Override[] {
  return Object.values(readKeptMap(raw)).flatMap(({ v, body }) => {
    const parsed = order.safeParse(parseJson(body));
    if (!parsed.success || v > PROTOCOL || parsed.data.queue !== queueId) return [];
    const { id: orderId, ...rest }: SettingOrder = parsed.data;
    if (rest.untilMs !== null && rest.untilMs <= nowMs) return [];
    const { scope, setting, value, by, atMs, reason, untilMs } = rest;
    return [{ orderId, scope, setting, value, by, atMs, reason, untilMs }];
  });
}
