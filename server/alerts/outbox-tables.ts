import type { Generated } from 'kysely';
import { z } from 'zod';
import type { ChannelHealth } from '../model/console-health.js';
import { TimeSchema } from '../model/json.js';
import type { Database } from '../store/database.js';
import type { Notification } from './notification.js';

/**
 * `pending`: waits for its time. `sending`: a holder of the lease has it in hand. `standing`: delivered, and sent again
 * at intervals because it still fires. `sent`: delivered. `dead`: given up; a person may send it again.
 */
export type OutboxState = 'pending' | 'sending' | 'standing' | 'sent' | 'dead';

/** One notification for one channel. */
export interface OutboxEntry {
  /** In order of arrival. */
  readonly seq: number;
  readonly channel: string;
  readonly notification: Notification;
  readonly state: OutboxState;
  readonly tries: number;
  readonly createdAtMs: number;
  readonly nextTryAtMs: number;
  /** The last time that it arrived; null: it has not yet. */
  readonly deliveredAtMs: number | null;
  /** What went wrong last, without secrets; null: nothing yet. */
  readonly lastError: string | null;
}

/** As it is kept. Group keys are percent-encoded, as names of queues hold any character. */
export interface OutboxRow extends Omit<OutboxEntry, 'seq' | 'notification'> {
  readonly seq: Generated<number>;
  readonly notificationId: string;
  readonly groupKey: string;
  /** What the notification says: that something fires, that somebody knows of it, or that it is over. */
  readonly status: Notification['status'];
  readonly notification: string;
  readonly holder: string | null;
}

export const outboxOf = (database: Database) =>
  database.withTables<{ outbox: OutboxRow; channelHealth: ChannelHealth }>();

/** What the API answers of a message, beside what its notification says. */
export const MessageFacts = z.object({
  channel: z.string(),
  state: z.enum(['pending', 'sending', 'standing', 'sent', 'dead']),
  tries: z.number(),
  createdAt: TimeSchema,
  lastError: z.string().nullable(),
});

/** One more success or failure of a channel, as a statement. */
export function writeHealth(database: Database, channel: string, problem: string | null, nowMs: number) {
  const news =
    problem === null
      ? { lastSuccessAtMs: nowMs, failuresInRow: 0 }
      : { lastFailureAtMs: nowMs, lastError: problem };
  const none = { lastSuccessAtMs: null, lastFailureAtMs: null, lastError: null, failuresInRow: 1 };
  return outboxOf(database)
    .insertInto('channelHealth')
    .values({ channel, ...none, ...news })
    .onConflict((known) =>
      known.column('channel').doUpdateSet((to) => ({
        ...news,
        ...(problem === null ? {} : { failuresInRow: to('channelHealth.failuresInRow', '+', 1) }),
      })),
    );
}
