import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { z } from 'zod';
import { TimeSchema } from '../model/json.js';
import type { Database } from '../store/tables.js';
import type { Notification } from './notification.js';

/**
 * `pending`: waits for its time. `sending`: a holder of the lease has it in hand. `standing`: delivered, and sent again
 * at intervals because it still fires. `sent`: delivered. `dead`: given up; a person may send it again.
 */
export type OutboxState = 'pending' | 'sending' | 'standing' | 'sent' | 'dead';

/** Messages for channels. Group keys are percent-encoded, as names of queues hold any character. */
export const outbox = sqliteTable(
  'outbox',
  {
    /** In order of arrival. */
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
    /** The last time that it arrived; null: it has not yet. */
    deliveredAtMs: integer('delivered_at_ms'),
    /** What went wrong last, without secrets; null: nothing yet. */
    lastError: text('last_error'),
  },
  (table) => [
    uniqueIndex('outbox_once').on(table.notificationId, table.channel),
    index('outbox_due').on(table.state, table.nextTryAtMs),
    index('outbox_group').on(table.channel, table.groupKey, table.seq),
  ],
);

/** One notification for one channel. */
export type OutboxEntry = Readonly<
  Omit<typeof outbox.$inferSelect, 'notificationId' | 'groupKey' | 'holder'>
>;

/** What the API answers of a message, beside what its notification says. */
export const MessageFacts = z.object({
  channel: z.string(),
  state: z.enum(['pending', 'sending', 'standing', 'sent', 'dead']),
  tries: z.number(),
  createdAt: TimeSchema,
  lastError: z.string().nullable(),
});

/** How channels have been doing. */
export const channelHealth = sqliteTable('channel_health', {
  channel: text('channel').primaryKey(),
  lastSuccessAtMs: integer('last_success_at_ms'),
  lastFailureAtMs: integer('last_failure_at_ms'),
  lastError: text('last_error'),
  failuresInRow: integer('failures_in_row').notNull(),
});

/** One more success or failure of a channel, as a statement for a batch or by itself. */
export function writeHealth(database: Database, channel: string, problem: string | null, nowMs: number) {
  const news =
    problem === null
      ? { lastSuccessAtMs: nowMs, failuresInRow: 0 }
      : { lastFailureAtMs: nowMs, lastError: problem };
  return database
    .insert(channelHealth)
    .values({ channel, ...news, failuresInRow: problem === null ? 0 : 1 })
    .onConflictDoUpdate({
      target: channelHealth.channel,
      set: problem === null ? news : { ...news, failuresInRow: sql`${channelHealth.failuresInRow} + 1` },
    });
}
