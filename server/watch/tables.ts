import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Order } from '../../agent/protocol.js';
import type { LostWorker } from './lost-workers.js';

/** Run times from which people call a job type slow: see type-thresholds.ts. Names are percent-encoded. */
export const typeThresholds = sqliteTable(
  'type_thresholds',
  {
    instance: text('instance').notNull(),
    queue: text('queue').notNull(),
    type: text('type').notNull(),
    slowMs: integer('slow_ms').notNull(),
    atMs: integer('at_ms').notNull(),
    actor: text('actor').notNull(),
  },
  (table) => [primaryKey({ columns: [table.instance, table.queue, table.type] })],
);

/** Orders for workers that the console has given and that stand: see given-orders.ts. Queues are percent-encoded. */
export const givenOrders = sqliteTable(
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

/** Workers that are gone without a farewell and are missed: see lost-workers.ts. */
export const lostWorkers = sqliteTable(
  'lost_workers',
  {
    instance: text('instance').notNull(),
    id: text('id').notNull(),
    lostAtMs: integer('lost_at_ms').notNull(),
    record: text('record', { mode: 'json' }).$type<LostWorker>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.instance, table.id] })],
);
