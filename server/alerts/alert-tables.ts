import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Acknowledgement, Alert } from '../model/alerts/alert.js';
import type { AlertRule } from '../model/alerts/rule.js';
import type { SilenceMatchers } from '../model/alerts/silence.js';

/** Rules that the page and the API edit. A deleted default stays as a stone, or the next start would bring it back. */
export const alertRules = sqliteTable('alert_rules', {
  id: text('id').primaryKey(),
  rule: text('rule', { mode: 'json' }).$type<AlertRule>().notNull(),
  source: text('source').$type<'default' | 'user'>().notNull(),
  isDeleted: integer('is_deleted', { mode: 'boolean' }).notNull().default(false),
  updatedAtMs: integer('updated_at_ms').notNull(),
  /** null: a default that nobody has touched. */
  updatedBy: text('updated_by'),
});

/** Alerts: those that are not over, and the last of those that are. The record is only ever read and written whole. */
export const alerts = sqliteTable(
  'alerts',
  {
    id: text('id').primaryKey(),
    instance: text('instance').notNull(),
    rule: text('rule').notNull(),
    state: text('state').$type<Alert['state']>().notNull(),
    firedAtMs: integer('fired_at_ms'),
    resolvedAtMs: integer('resolved_at_ms'),
    /** Beside the record, as another console than the one that judges may write it. */
    acknowledged: text('acknowledged', { mode: 'json' }).$type<Acknowledgement>(),
    record: text('record', { mode: 'json' }).$type<Alert>().notNull(),
  },
  (table) => [
    index('alerts_state').on(table.state, table.resolvedAtMs),
    index('alerts_fired').on(table.firedAtMs),
  ],
);

export const silences = sqliteTable(
  'silences',
  {
    id: text('id').primaryKey(),
    matchers: text('matchers', { mode: 'json' }).$type<SilenceMatchers>().notNull(),
    author: text('author').notNull(),
    comment: text('comment').notNull(),
    startsAtMs: integer('starts_at_ms').notNull(),
    endsAtMs: integer('ends_at_ms').notNull(),
  },
  (table) => [index('silences_ends').on(table.endsAtMs)],
);
