import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import type { Acknowledgement, Alert } from './alert.js';
import type { Notification } from './notification.js';
import type { OutboxState } from './outbox-store.js';
import type { AlertRule } from './rule.js';
import type { SilenceMatchers } from './silence.js';

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

/** Messages for channels: see alerts/outbox-store.ts. Group keys are percent-encoded, as names of queues hold any letter. */
export const outbox = sqliteTable(
  'outbox',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    notificationId: text('notification_id').notNull(),
    channel: text('channel').notNull(),
    groupKey: text('group_key').notNull(),
    notification: text('notification', { mode: 'json' }).$type<Notification>().notNull(),
    state: text('state').$type<OutboxState>().notNull(),
    holder: text('holder'),
    tries: integer('tries').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    nextTryAtMs: integer('next_try_at_ms').notNull(),
    deliveredAtMs: integer('delivered_at_ms'),
    lastError: text('last_error'),
  },
  (table) => [
    uniqueIndex('outbox_once').on(table.notificationId, table.channel),
    index('outbox_due').on(table.state, table.nextTryAtMs),
    index('outbox_group').on(table.channel, table.groupKey, table.seq),
  ],
);

/** How channels have been doing. */
export const channelHealth = sqliteTable('channel_health', {
  channel: text('channel').primaryKey(),
  lastSuccessAtMs: integer('last_success_at_ms'),
  lastFailureAtMs: integer('last_failure_at_ms'),
  lastError: text('last_error'),
  failuresInRow: integer('failures_in_row').notNull(),
});
