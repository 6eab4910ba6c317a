import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { LeverCall, OutcomeStatus } from '../levers/lever.js';
import type { Measurement } from './audit-record.js';
import type { TimelineKind } from './timeline-entry.js';

/** Every change and every attempt at one. */
export const actions = sqliteTable(
  'actions',
  {
    id: text('id').primaryKey(),
    atMs: integer('at_ms').notNull(),
    actor: text('actor').notNull(),
    via: text('via').notNull(),
    reason: text('reason').notNull(),
    lever: text('lever').notNull(),
    instance: text('instance').notNull(),
    queue: text('queue'),
    jobId: text('job_id'),
    worker: text('worker'),
    args: text('args', { mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    before: text('before', { mode: 'json' }).$type<Record<string, string>>().notNull(),
    after: text('after', { mode: 'json' }).$type<Record<string, string>>().notNull(),
    status: text('status').$type<OutcomeStatus>().notNull(),
    summary: text('summary').notNull(),
    freedBytes: integer('freed_bytes'),
    durationMs: integer('duration_ms').notNull(),
    undo: text('undo', { mode: 'json' }).$type<LeverCall>(),
    measurement: text('measurement', { mode: 'json' }).$type<Measurement>(),
  },
  (table) => [
    index('actions_at').on(table.atMs),
    index('actions_queue').on(table.instance, table.queue, table.atMs),
  ],
);

/** What happened: see timeline-entry.ts. */
export const timeline = sqliteTable(
  'timeline',
  {
    id: text('id').primaryKey(),
    atMs: integer('at_ms').notNull(),
    instance: text('instance').notNull(),
    kind: text('kind').$type<TimelineKind>().notNull(),
    queue: text('queue'),
    worker: text('worker'),
    text: text('text').notNull(),
    actor: text('actor'),
  },
  (table) => [index('timeline_at').on(table.atMs)],
);

/** Answers to requests that carried an Idempotency-Key; status and body are null while the first one is under way. */
export const idempotency = sqliteTable(
  'idempotency',
  {
    key: text('key').notNull(),
    actor: text('actor').notNull(),
    fingerprint: text('fingerprint').notNull(),
    atMs: integer('at_ms').notNull(),
    status: integer('status'),
    body: text('body'),
  },
  (table) => [primaryKey({ columns: [table.actor, table.key] }), index('idempotency_at').on(table.atMs)],
);
