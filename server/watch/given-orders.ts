import { and, eq, inArray, lt, notInArray } from 'drizzle-orm';
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Order } from '../../agent/protocol.js';
import type { Database } from '../store/tables.js';

/**
 * The orders for workers with a secret that this console (or one with the same store) has given and that stand. Redis keeps
 * them too, but whoever can write there can put an old one back: what is not here is given to no worker.
 */
export interface GivenOrders {
  add(instance: string, orders: readonly Order[], nowMs: number): Promise<void>;
  /** Those of these ids that it knows, as they were given. */
  find(instance: string, ids: readonly string[]): Promise<readonly Order[]>;
  /** These stand no more. */
  forget(instance: string, ids: readonly string[]): Promise<void>;
  /**
   * Of one queue only these stand in Redis: the others are forgotten for good.
   * @param readAtMs when that was seen; what was given since then stays.
   */
  keepOnly(instance: string, queueId: string, standing: readonly string[], readAtMs: number): Promise<void>;
  /** Queues that it knows orders of. */
  queues(instance: string): Promise<readonly string[]>;
}

export function createGivenOrders(database: Database): GivenOrders {
  const of = (instance: string) => eq(givenOrders.instance, instance);
  return {
    async add(instance, orders, nowMs) {
      const rows = orders.map((order) => ({
        instance,
        id: order.id,
        queue: encode(order.queue),
        atMs: nowMs,
        order,
      }));
      if (rows.length === 0) return;
      await database.insert(givenOrders).values(rows).onConflictDoNothing();
    },
    async find(instance, ids) {
      if (ids.length === 0) return [];
      const rows = await database
        .select({ order: givenOrders.order })
        .from(givenOrders)
        .where(and(of(instance), inArray(givenOrders.id, [...ids])));
      return rows.map(({ order }) => order);
    },
    async forget(instance, ids) {
      if (ids.length === 0) return;
      await database.delete(givenOrders).where(and(of(instance), inArray(givenOrders.id, [...ids])));
    },
    async keepOnly(instance, queueId, standing, readAtMs) {
      const isGone = standing.length === 0 ? undefined : notInArray(givenOrders.id, [...standing]);
      await database
        .delete(givenOrders)
        .where(
          and(of(instance), eq(givenOrders.queue, encode(queueId)), lt(givenOrders.atMs, readAtMs), isGone),
        );
    },
    async queues(instance) {
      const rows = await database
        .selectDistinct({ queue: givenOrders.queue })
        .from(givenOrders)
        .where(of(instance));
      return rows.map(({ queue }) => decodeURIComponent(queue));
    },
  };
}

/** Names of queues hold any character, and SQLite ends a text at a zero byte. */
function encode(queueId: string): string {
  return encodeURIComponent(queueId.toWellFormed());
}

/** Orders for workers that the console has given and that stand: see given-orders.ts. Queues are percent-encoded. */
const givenOrders = sqliteTable(
  'given_orders',
  {
    instance: text('instance').notNull(),
    id: text('id').notNull(),
    queue: text('queue').notNull(),
    atMs: integer('at_ms').notNull(),
    order: text('order', { mode: 'json' }).$type<Order>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.instance, table.id] })],
);
