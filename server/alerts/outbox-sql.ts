import {
  and,
  count,
  desc,
  eq,
  inArray,
  isNull,
  lt,
  lte,
  min,
  notInArray,
  or,
  type SQL,
  sql,
} from 'drizzle-orm';
import type { Database } from '../store/tables.js';
import { type Fence, holds } from '../store/tables.js';
import { outbox } from './alert-tables.js';
import { readHealth, writeHealth } from './channel-health.js';
import type { Notification } from './notification.js';
import type { OutboxEntry, OutboxState, OutboxStore } from './outbox-store.js';

/** Kept after delivery, so that a notification that comes twice is known, and people can look. */
const MAX_SENT = 1_000;
const MAX_DEAD = 500;
/** Above it the oldest are given up: a channel that is down for days must not fill the disk. */
const MAX_PENDING = 10_000;
const MAX_LISTED = 500;
/** Nothing is ever put off for longer: a time beyond it was written before the clock was set back, and has come. */
const MAX_WAIT_MS = 2 * 3_600_000;

type Row = typeof outbox.$inferSelect;

/** The outbox in the store. */
export function createOutboxStore(database: Database): OutboxStore {
  return {
    async add(notification, channels, nowMs) {
      const [first, ...rest] = channels.map((channel) =>
        database
          .insert(outbox)
          .values(newRow(notification, channel, nowMs))
          .onConflictDoNothing(),
      );
      if (!first) return;
      // One transaction: no channel is told of what another will never hear of.
      await database.batch([first, ...rest, ...withdrawn(database, notification), ...tidy(database)]);
    },
    async addAcknowledgement(notification, channels, nowMs) {
      for (const channel of channels)
        await database.run(insertAcknowledgement(newRow(notification, channel, nowMs)));
    },
    async claim(fence, channels, nowMs) {
      if (channels.length === 0) return [];
      const due = dueSeqs(channels, nowMs);
      const rows = await database
        .update(outbox)
        .set({ state: 'sending', holder: fence.holder, tries: sql`${outbox.tries} + 1` })
        .where(and(sql`${outbox.seq} IN ${due}`, holds(fence)))
        .returning();
      return rows.map(entryOf);
    },
    async reclaim(fence, inHand) {
      await database
        .update(outbox)
        .set({ state: waitingAsBefore(), holder: null })
        .where(and(eq(outbox.state, 'sending'), notInArray(outbox.seq, [...inHand, -1]), holds(fence)));
    },
    async delivered(entry, fence, nowMs, tellAgainAtMs) {
      await database.batch([
        database
          .update(outbox)
          .set({
            state: tellAgainAtMs === null ? 'sent' : standingUnlessOutdated(),
            nextTryAtMs: tellAgainAtMs ?? nowMs,
            deliveredAtMs: nowMs,
            tries: 0,
          })
          .where(inHandOf(entry, fence)),
        // What the group said before is not to be told again.
        database
          .update(outbox)
          .set({ state: 'sent' })
          .where(and(sameGroup(entry), lt(outbox.seq, entry.seq), inArray(outbox.state, ['standing']))),
        writeHealth(database, entry.channel, null, nowMs),
      ]);
    },
    async failed(entry, fence, nowMs, problem, next) {
      const nextTry = next.state === 'dead' ? {} : { nextTryAtMs: next.atMs };
      await database.batch([
        database
          .update(outbox)
          .set({ state: next.state, lastError: problem, ...nextTry })
          .where(inHandOf(entry, fence)),
        writeHealth(database, entry.channel, problem, nowMs),
      ]);
    },
    async list(states, limit) {
      const rows = await database
        .select()
        .from(outbox)
        .where(inArray(outbox.state, [...states]))
        .orderBy(desc(outbox.seq))
        .limit(Math.min(limit, MAX_LISTED));
      return rows.map(entryOf);
    },
    async counts() {
      const rows = await database
        .select({ state: outbox.state, count: count() })
        .from(outbox)
        .groupBy(outbox.state);
      const none: Record<OutboxState, number> = { pending: 0, sending: 0, standing: 0, sent: 0, dead: 0 };
      return { ...none, ...Object.fromEntries(rows.map(({ state, count: rowCount }) => [state, rowCount])) };
    },
    async retire(fence, channels) {
      const isWaiting = inArray(outbox.state, ['pending', 'standing']);
      await database
        .update(outbox)
        .set({ state: 'dead', lastError: 'given up: its channel is not configured any more' })
        .where(and(isWaiting, notInArray(outbox.channel, ['', ...channels]), holds(fence)));
    },
    async dueSinceMs(channels, nowMs) {
      const isDue = and(eq(outbox.state, 'pending'), lte(outbox.nextTryAtMs, nowMs));
      const [row] = await database
        .select({ atMs: min(outbox.nextTryAtMs) })
        .from(outbox)
        .where(and(isDue, inArray(outbox.channel, ['', ...channels]), isFirstOfGroup('outbox')));
      return row?.atMs ?? null;
    },
    async resend(seq, nowMs) {
      const changed = await database
        .update(outbox)
        .set({ state: 'pending', tries: 0, nextTryAtMs: nowMs, createdAtMs: nowMs, deliveredAtMs: null })
        .where(and(eq(outbox.seq, seq), eq(outbox.state, 'dead')))
        .returning({ seq: outbox.seq });
      return changed.length === 1;
    },
    async remove(seq) {
      const gone = await database
        .delete(outbox)
        .where(and(eq(outbox.seq, seq), inArray(outbox.state, ['dead', 'pending'])))
        .returning({ seq: outbox.seq });
      return gone.length === 1;
    },
    health: () => readHealth(database),
    noteHealth: async (channel, problem, nowMs) => {
      await writeHealth(database, channel, problem, nowMs);
    },
  };
}

/** That a group is over overtakes what still waits to say that it fires: nobody is told as firing what is not any more. */
function withdrawn(database: Database, notification: Notification) {
  if (notification.status !== 'resolved') return [];
  const isOfGroup = eq(outbox.groupKey, groupKeyOf(notification));
  const isUntold = and(eq(outbox.state, 'pending'), isNull(outbox.deliveredAtMs));
  const isFiring = sql`json_extract(${outbox.notification}, '$.status') = 'firing'`;
  return [database.delete(outbox).where(and(isOfGroup, isUntold, isFiring))];
}

function newRow(notification: Notification, channel: string, nowMs: number): typeof outbox.$inferInsert {
  return {
    notificationId: notification.id,
    channel,
    groupKey: groupKeyOf(notification),
    notification,
    state: 'pending',
    holder: null,
    tries: 0,
    createdAtMs: nowMs,
    nextTryAtMs: nowMs,
    deliveredAtMs: null,
    lastError: null,
  };
}

/** Where the group fires by what the channel was told last, and it has not been told that somebody knows. */
function insertAcknowledgement({ channel, groupKey, ...row }: typeof outbox.$inferInsert): SQL {
  const status = (name: string) => sql`json_extract(${sql.raw(name)}.notification, '$.status')`;
  const alike = (name: string) =>
    sql`${sql.raw(name)}.channel = ${channel} AND ${sql.raw(name)}.group_key = ${groupKey}`;
  // Told so, and not told since that it is over.
  const stands = (told: 'firing' | 'acknowledged') => sql`EXISTS (
      SELECT 1 FROM outbox AS told
      WHERE ${alike('told')} AND ${status('told')} = ${told} AND told.state != 'dead'
        AND NOT EXISTS (
          SELECT 1 FROM outbox AS ended
          WHERE ${alike('ended')} AND ended.seq > told.seq AND ${status('ended')} = 'resolved'
        )
    )`;
  return sql`
    INSERT INTO outbox (notification_id, channel, group_key, notification, state, tries, created_at_ms, next_try_at_ms)
    SELECT ${row.notificationId}, ${channel}, ${groupKey}, ${JSON.stringify(row.notification)},
      ${row.state}, ${row.tries}, ${row.createdAtMs}, ${row.nextTryAtMs}
    WHERE ${stands('firing')} AND NOT ${stands('acknowledged')}
    ON CONFLICT DO NOTHING`;
}

/** The oldest of each channel that is due and before which nothing of its group waits. */
function dueSeqs(channels: readonly string[], nowMs: number): SQL {
  const names = sql.join(
    channels.map((channel) => sql`${channel}`),
    sql`, `,
  );
  return sql`(
    SELECT min(o.seq) FROM outbox AS o
    WHERE o.state IN ('pending', 'standing') AND (o.next_try_at_ms <= ${nowMs} OR o.next_try_at_ms > ${nowMs + MAX_WAIT_MS}) AND o.channel IN (${names})
      AND ${isFirstOfGroup('o')}
    GROUP BY o.channel
  )`;
}

/** Nothing that its group said earlier still waits for the same channel. */
function isFirstOfGroup(row: 'o' | 'outbox'): SQL {
  const column = (name: string) => sql.raw(`${row}.${name}`);
  return sql`NOT EXISTS (
    SELECT 1 FROM outbox AS earlier
    WHERE earlier.channel = ${column('channel')} AND earlier.group_key = ${column('group_key')}
      AND earlier.seq < ${column('seq')} AND earlier.state IN ('pending', 'sending')
  )`;
}

/** What was in hand for the first time waits; what was told before still stands, and holds up nothing that came later. */
function waitingAsBefore(): SQL {
  return sql`CASE WHEN ${outbox.deliveredAtMs} IS NULL THEN 'pending' ELSE 'standing' END`;
}

/** An old message that was sent again by hand must not go on being told after what its group has said since. */
function standingUnlessOutdated(): SQL {
  return sql`CASE WHEN EXISTS (
    SELECT 1 FROM outbox AS later
    WHERE later.channel = outbox.channel AND later.group_key = outbox.group_key
      AND later.seq > outbox.seq AND later.state IN ('sent', 'standing')
  ) THEN 'sent' ELSE 'standing' END`;
}

function inHandOf(entry: OutboxEntry, fence: Fence): SQL | undefined {
  return and(eq(outbox.seq, entry.seq), eq(outbox.state, 'sending'), eq(outbox.holder, fence.holder));
}

function sameGroup({ channel, notification }: OutboxEntry): SQL | undefined {
  return and(eq(outbox.channel, channel), eq(outbox.groupKey, groupKeyOf(notification)));
}

/** Keeps the table within its bounds. */
function tidy(database: Database) {
  const beyond = (states: readonly OutboxState[], most: number): SQL =>
    sql`(SELECT seq FROM outbox WHERE state IN ${states} ORDER BY seq DESC LIMIT -1 OFFSET ${most})`;
  return [
    database
      .update(outbox)
      .set({ state: 'dead', lastError: `given up: more than ${MAX_PENDING} messages waited` })
      .where(sql`${outbox.seq} IN ${beyond(['pending'], MAX_PENDING)}`),
    database
      .delete(outbox)
      .where(
        or(
          sql`${outbox.seq} IN ${beyond(['sent'], MAX_SENT)}`,
          sql`${outbox.seq} IN ${beyond(['dead'], MAX_DEAD)}`,
        ),
      ),
  ] as const;
}

/** SQLite ends a text at a zero byte, and names of queues hold any letter. */
function groupKeyOf({ groupKey }: Notification): string {
  return encodeURIComponent(groupKey.toWellFormed());
}

function entryOf(row: Row): OutboxEntry {
  const { notificationId: _, groupKey: __, holder: ___, ...entry } = row;
  return entry;
}
