import { index, integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { PlanChange } from '../model/plan.js';
import type { Verdict, VoidReason } from './score.js';

/** What was forecast of a queue, and what came of it: see model/plan/score.ts. */
export const predictions = sqliteTable(
  'predictions',
  {
    id: text('id').primaryKey(),
    madeAtMs: integer('made_at_ms').notNull(),
    instance: text('instance').notNull(),
    queue: text('queue').notNull(),
    change: text('change', { mode: 'json' }).$type<PlanChange>().notNull(),
    backlog: real('backlog').notNull(),
    arrivalsPerSecond: real('arrivals_per_second').notNull(),
    drainSeconds: real('drain_seconds'),
    drainLowSeconds: real('drain_low_seconds'),
    drainHighSeconds: real('drain_high_seconds'),
    status: text('status').$type<Verdict['status']>().notNull(),
    settledAtMs: integer('settled_at_ms'),
    voidReason: text('void_reason').$type<VoidReason>(),
    actualSeconds: real('actual_seconds'),
    errorRatio: real('error_ratio'),
    isInsideRange: integer('is_inside_range', { mode: 'boolean' }),
  },
  (table) => [
    index('predictions_queue').on(table.instance, table.queue, table.madeAtMs),
    index('predictions_status').on(table.status, table.madeAtMs),
  ],
);
