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
import type { ChannelHealth } from '../model/console-health.js';
import type { Database } from '../store/tables.js';
import { type Fence, holds } from '../store/tables.js';
import type { Notification } from './notification.js';
import { channelHealth, type OutboxEntry, type OutboxState, outbox, writeHealth } from './outbox-tables.js';

/** Kept after delivery, so that a notification that comes twice is known, and people can look. */
const MAX_SENT = 1_000;
const MAX_DEAD = 500;
/** Above it the oldest are given up: a channel that is down for days must not fill the disk. */
const MAX_PENDING = 10_000;
const MAX_LISTED = 500;
/** Nothing is ever put off for longer: a time beyond it was written before the clock was set back, and has come. */
const MAX_WAIT_MS = 2 * 3_600_000;

/** Channels that were once configured stay a while; nobody has more than this. */
const MAX_CHANNELS = 200;

export type OutboxStore = ReturnType<typeof createOutboxStore>;

/** The durable side of the outbox: bounded, shared by all consoles of one store. */
export function createOutboxStore(database: Database) {
  return {
    /** Keeps a notification for each channel, durable once this resolves. One that is kept already is left as it is. */
    async add(notification: Notification, channels: readonly string[], nowMs: number): Promise<void> {
      const [first, ...rest] = channels.map((channel) =>
        database
          .insert(outbox)
          .values(newRow(notification, channel, nowMs))
          .onConflictDoNothing(),
      );
      if (!first) return;
      // One transaction: no channel is sent what another will never get.
      await database.batch([first, ...rest, ...withdrawn(database, notification), ...tidy(database)]);
    },
    /**
     * Keeps, for each channel of these that was or will be sent what fires, that somebody knows of it: once, until the end
     * of its group was sent.
     */
    async addAcknowledgement(
      notification: Notification,
      channels: readonly string[],
      nowMs: number,
    ): Promise<void> {
      for (const channel of channels)
        await database.run(insertAcknowledgement(newRow(notification, channel, nowMs)));
    },
    /**
     * Takes what is due, at most one for each channel of `channels`, oldest first; of one group only the first that is not
     * settled. Nothing where the fence does not hold any more.
     */
    async claim(fence: Fence, channels: readonly string[], nowMs: number): Promise<readonly OutboxEntry[]> {
      if (channels.length === 0) return [];
      const due = dueSeqs(channels, nowMs);
      const rows = await database
        .update(outbox)
        .set({ state: 'sending', holder: fence.holder, tries: sql`${outbox.tries} + 1` })
        .where(and(sql`${outbox.seq} IN ${due}`, holds(fence)))
        .returning();
      return rows.map(entryOf);
    },
    /** What somebody had in hand when they died is due again; `inHand` is what the caller is sending at this moment. */
    async reclaim(fence: Fence, inHand: readonly number[]): Promise<void> {
      await database
        .update(outbox)
        .set({ state: waitingAsBefore(), holder: null })
        .where(and(eq(outbox.state, 'sending'), notInArray(outbox.seq, [...inHand, -1]), holds(fence)));
    },
    /** Delivered; sent again at `sendAgainAtMs`, null: done. Never touches what was taken from this holder. */
    async delivered(
      entry: OutboxEntry,
      fence: Fence,
      nowMs: number,
      sendAgainAtMs: number | null,
    ): Promise<void> {
      await database.batch([
        database
          .update(outbox)
          .set({
            state: sendAgainAtMs === null ? 'sent' : standingUnlessOutdated(),
            nextTryAtMs: sendAgainAtMs ?? nowMs,
            deliveredAtMs: nowMs,
            tries: 0,
          })
          .where(inHandOf(entry, fence)),
        // What the group said before is not to be sent again.
        database
          .update(outbox)
          .set({ state: 'sent' })
          .where(and(sameGroup(entry), lt(outbox.seq, entry.seq), inArray(outbox.state, ['standing']))),
        writeHealth(database, entry.channel, null, nowMs),
      ]);
    },
    async failed(
      entry: OutboxEntry,
      fence: Fence,
      nowMs: number,
      problem: string,
      next: { readonly state: 'pending' | 'standing'; readonly atMs: number } | { readonly state: 'dead' },
    ): Promise<void> {
      const nextTry = next.state === 'dead' ? {} : { nextTryAtMs: next.atMs };
      await database.batch([
        database
          .update(outbox)
          .set({ state: next.state, lastError: problem, ...nextTry })
          .where(inHandOf(entry, fence)),
        writeHealth(database, entry.channel, problem, nowMs),
      ]);
    },
    /** Newest first. */
    async list(states: readonly OutboxState[], limit: number): Promise<readonly OutboxEntry[]> {
      const rows = await database
        .select()
        .from(outbox)
        .where(inArray(outbox.state, [...states]))
        .orderBy(desc(outbox.seq))
        .limit(Math.min(limit, MAX_LISTED));
      return rows.map(entryOf);
    },
    async counts(): Promise<Readonly<Record<OutboxState, number>>> {
      const rows = await database
        .select({ state: outbox.state, count: count() })
        .from(outbox)
        .groupBy(outbox.state);
      const none: Record<OutboxState, number> = { pending: 0, sending: 0, standing: 0, sent: 0, dead: 0 };
      return { ...none, ...Object.fromEntries(rows.map(({ state, count: rowCount }) => [state, rowCount])) };
    },
    /** Gives up what waits for channels that are not among these: nobody would ever send it. */
    async retire(fence: Fence, channels: readonly string[]): Promise<void> {
      const isWaiting = inArray(outbox.state, ['pending', 'standing']);
      await database
        .update(outbox)
        .set({ state: 'dead', lastError: 'given up: its channel is not configured any more' })
        .where(and(isWaiting, notInArray(outbox.channel, ['', ...channels]), holds(fence)));
    },
    /** Since when something is due for one of these channels and not sent, ms since 1970; null: nothing is due. */
    async dueSinceMs(channels: readonly string[], nowMs: number): Promise<number | null> {
      const isDue = and(eq(outbox.state, 'pending'), lte(outbox.nextTryAtMs, nowMs));
      const [row] = await database
        .select({ atMs: min(outbox.nextTryAtMs) })
        .from(outbox)
        .where(and(isDue, inArray(outbox.channel, ['', ...channels]), isFirstOfGroup('outbox')));
      return row?.atMs ?? null;
    },
    /** Is there one of this number in one of these states? */
    async has(seq: number, states: readonly OutboxState[]): Promise<boolean> {
      const found = await database
        .select({ seq: outbox.seq })
        .from(outbox)
        .where(and(eq(outbox.seq, seq), inArray(outbox.state, [...states])));
      return found.length === 1;
    },
    /** A dead one is tried anew. @returns false: there is no dead one of this number. */
    async resend(seq: number, nowMs: number): Promise<boolean> {
      const changed = await database
        .update(outbox)
        .set({ state: 'pending', tries: 0, nextTryAtMs: nowMs, createdAtMs: nowMs, deliveredAtMs: null })
        .where(and(eq(outbox.seq, seq), eq(outbox.state, 'dead')))
        .returning({ seq: outbox.seq });
      return changed.length === 1;
    },
    /** @returns false: there is no dead or pending one of this number. */
    async remove(seq: number): Promise<boolean> {
      const gone = await database
        .delete(outbox)
        .where(and(eq(outbox.seq, seq), inArray(outbox.state, ['dead', 'pending'])))
        .returning({ seq: outbox.seq });
      return gone.length === 1;
    },
    health: (): Promise<readonly ChannelHealth[]> =>
      database.select().from(channelHealth).limit(MAX_CHANNELS),
    /** Also for tests that people ask for. */
    async noteHealth(channel: string, problem: string | null, nowMs: number): Promise<void> {
      await writeHealth(database, channel, problem, nowMs);
    },
  };
}

/** That a group is over overtakes what still waits to say that it fires: nobody is sent as firing what is not any more. */
function withdrawn(database: Database, notification: Notification) {
  if (notification.status !== 'resolved') return [];
  const isOfGroup = eq(outbox.groupKey, groupKeyOf(notification));
  const isUnsent = and(eq(outbox.state, 'pending'), isNull(outbox.deliveredAtMs));
  const isFiring = sql`json_extract(${outbox.notification}, '$.status') = 'firing'`;
  return [database.delete(outbox).where(and(isOfGroup, isUnsent, isFiring))];
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

/** Where the group fires by what the channel was sent last, and it was not sent that somebody knows. */
function insertAcknowledgement({ channel, groupKey, ...row }: typeof outbox.$inferInsert): SQL {
  const status = (name: string) => sql`json_extract(${sql.raw(name)}.notification, '$.status')`;
  const alike = (name: string) =>
    sql`${sql.raw(name)}.channel = ${channel} AND ${sql.raw(name)}.group_key = ${groupKey}`;
  // Sent so, and not sent since that it is over.
  const stands = (sent: 'firing' | 'acknowledged') => sql`EXISTS (
      SELECT 1 FROM outbox AS sent
      WHERE ${alike('sent')} AND ${status('sent')} = ${sent} AND sent.state != 'dead'
        AND NOT EXISTS (
          SELECT 1 FROM outbox AS ended
          WHERE ${alike('ended')} AND ended.seq > sent.seq AND ${status('ended')} = 'resolved'
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

/** What was in hand for the first time waits; what was sent before still stands, and holds up nothing that came later. */
function waitingAsBefore(): SQL {
  return sql`CASE WHEN ${outbox.deliveredAtMs} IS NULL THEN 'pending' ELSE 'standing' END`;
}

/** An old message that was sent again by hand must not go on being sent after what its group has said since. */
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

/** SQLite ends a text at a zero byte, and names of queues hold any character. */
function groupKeyOf({ groupKey }: Notification): string {
  return encodeURIComponent(groupKey.toWellFormed());
}

function entryOf(row: typeof outbox.$inferSelect): OutboxEntry {
  const { notificationId: _, groupKey: __, holder: ___, ...entry } = row;
  return entry;
}
