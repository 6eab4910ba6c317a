import type { Order } from '../../agent/protocol.js';
import type { Database } from '../store/database.js';

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
  const db = database.withTables<{ givenOrders: GivenRow }>();
  return {
    async add(instance, orders, nowMs) {
      const rows = orders.map((order) => ({
        instance,
        id: order.id,
        queue: encode(order.queue),
        atMs: nowMs,
        order: JSON.stringify(order),
      }));
      if (rows.length === 0) return;
      await db
        .insertInto('givenOrders')
        .values(rows)
        .onConflict((known) => known.doNothing())
        .execute();
    },
    async find(instance, ids) {
      if (ids.length === 0) return [];
      const rows = await db
        .selectFrom('givenOrders')
        .select('order')
        .where('instance', '=', instance)
        .where('id', 'in', ids)
        .execute();
      return rows.map(({ order }) => JSON.parse(order));
    },
    async forget(instance, ids) {
      if (ids.length === 0) return;
      await db.deleteFrom('givenOrders').where('instance', '=', instance).where('id', 'in', ids).execute();
    },
    async keepOnly(instance, queueId, standing, readAtMs) {
      await db
        .deleteFrom('givenOrders')
        .where('instance', '=', instance)
        .where('queue', '=', encode(queueId))
        .where('atMs', '<', readAtMs)
        .where('id', 'not in', standing)
        .execute();
    },
    async queues(instance) {
      const rows = await db
        .selectFrom('givenOrders')
        .select('queue')
        .distinct()
        .where('instance', '=', instance)
        .execute();
      return rows.map(({ queue }) => decodeURIComponent(queue));
    },
  };
}

/** Names of queues hold any character, and no engine keeps a zero byte in a text. */
function encode(queueId: string): string {
  return encodeURIComponent(queueId.toWellFormed());
}

/** An order for workers that the console has given and that stands. The queue is percent-encoded. */
interface GivenRow {
  readonly instance: string;
  readonly id: string;
  readonly queue: string;
  readonly atMs: number;
  readonly order: string;
}
