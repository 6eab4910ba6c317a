import { type RawBuilder, type Selectable, type SqlBool, sql } from 'kysely';
import type { ChannelHealth } from '../model/console-health.js';
import { type Database, type Fence, holds } from '../store/database.js';
import type { Notification } from './notification.js';
import {
  type OutboxEntry,
  type OutboxRow,
  type OutboxState,
  outboxOf,
  writeHealth,
} from './outbox-tables.js';

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
  const db = outboxOf(database);
  /** What this holder has in hand, and nobody has taken from it. */
  const inHand = (entry: OutboxEntry, fence: Fence) =>
    db
      .updateTable('outbox')
      .where('seq', '=', entry.seq)
      .where('state', '=', 'sending')
      .where('holder', '=', fence.holder);
  return {
    /** Keeps a notification for each channel, durable once this resolves. One that is kept already is left as it is. */
    async add(notification: Notification, channels: readonly string[], nowMs: number): Promise<void> {
      if (channels.length === 0) return;
      const rows = channels.map((channel) => newRow(notification, channel, nowMs));
      // One transaction: no channel is sent what another will never get.
      await database.atomically([
        db
          .insertInto('outbox')
          .values(rows)
          .onConflict((known) => known.doNothing()),
        ...withdrawn(database, notification),
        ...tidy(database),
      ]);
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
        await insertAcknowledgement(newRow(notification, channel, nowMs)).execute(db);
    },
    /**
     * Takes what is due, at most one for each channel of `channels`, oldest first; of one group only the first that is not
     * settled. Nothing where the fence does not hold any more.
     */
    async claim(fence: Fence, channels: readonly string[], nowMs: number): Promise<readonly OutboxEntry[]> {
      if (channels.length === 0) return [];
      const rows = await db
        .updateTable('outbox')
        .set((row) => ({ state: 'sending', holder: fence.holder, tries: row('tries', '+', 1) }))
        .where(sql<SqlBool>`seq IN ${dueSeqs(channels, nowMs)}`)
        .where(holds(database, fence))
        .returningAll()
        .execute();
      return rows.map(entryOf);
    },
    /** What somebody had in hand when they died is due again; `inHand` is what the caller is sending at this moment. */
    async reclaim(fence: Fence, sending: readonly number[]): Promise<void> {
      await db
        .updateTable('outbox')
        .set({ state: waitingAsBefore(), holder: null })
        .where('state', '=', 'sending')
        .where('seq', 'not in', sending)
        .where(holds(database, fence))
        .execute();
    },
    /** Delivered; sent again at `sendAgainAtMs`, null: done. Never touches what was taken from this holder. */
    async delivered(
      entry: OutboxEntry,
      fence: Fence,
      nowMs: number,
      sendAgainAtMs: number | null,
    ): Promise<void> {
      await database.atomically([
        inHand(entry, fence).set({
          state: sendAgainAtMs === null ? 'sent' : standingUnlessOutdated(),
          nextTryAtMs: sendAgainAtMs ?? nowMs,
          deliveredAtMs: nowMs,
          tries: 0,
        }),
        // What the group said before is not to be sent again.
        db
          .updateTable('outbox')
          .set({ state: 'sent' })
          .where('channel', '=', entry.channel)
          .where('groupKey', '=', groupKeyOf(entry.notification))
          .where('seq', '<', entry.seq)
          .where('state', '=', 'standing'),
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
      await database.atomically([
        inHand(entry, fence).set({ state: next.state, lastError: problem, ...nextTry }),
        writeHealth(database, entry.channel, problem, nowMs),
      ]);
    },
    /** Newest first. */
    async list(states: readonly OutboxState[], limit: number): Promise<readonly OutboxEntry[]> {
      const rows = await db
        .selectFrom('outbox')
        .selectAll()
        .where('state', 'in', states)
        .orderBy('seq', 'desc')
        .limit(Math.min(limit, MAX_LISTED))
        .execute();
      return rows.map(entryOf);
    },
    async counts(): Promise<Readonly<Record<OutboxState, number>>> {
      const rows = await db
        .selectFrom('outbox')
        .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
        .groupBy('state')
        .execute();
      const none: Record<OutboxState, number> = { pending: 0, sending: 0, standing: 0, sent: 0, dead: 0 };
      return { ...none, ...Object.fromEntries(rows.map(({ state, count }) => [state, count])) };
    },
    /** Gives up what waits for channels that are not among these: nobody would ever send it. */
    async retire(fence: Fence, channels: readonly string[]): Promise<void> {
      await db
        .updateTable('outbox')
        .set({ state: 'dead', lastError: 'given up: its channel is not configured any more' })
        .where('state', 'in', ['pending', 'standing'])
        .where('channel', 'not in', channels)
        .where(holds(database, fence))
        .execute();
    },
    /** Since when something is due for one of these channels and not sent, ms since 1970; null: nothing is due. */
    async dueSinceMs(channels: readonly string[], nowMs: number): Promise<number | null> {
      const row = await db
        .selectFrom('outbox')
        .select(({ fn }) => fn.min('nextTryAtMs').as('atMs'))
        .where('state', '=', 'pending')
        .where('nextTryAtMs', '<=', nowMs)
        .where('channel', 'in', channels)
        .where(isFirstOfGroup('outbox'))
        .executeTakeFirst();
      return row?.atMs ?? null;
    },
    /** Is there one of this number in one of these states? */
    async has(seq: number, states: readonly OutboxState[]): Promise<boolean> {
      const found = db.selectFrom('outbox').select('seq').where('seq', '=', seq).where('state', 'in', states);
      return (await found.execute()).length === 1;
    },
    /** A dead one is tried anew. @returns false: there is no dead one of this number. */
    async resend(seq: number, nowMs: number): Promise<boolean> {
      const changed = await db
        .updateTable('outbox')
        .set({ state: 'pending', tries: 0, nextTryAtMs: nowMs, createdAtMs: nowMs, deliveredAtMs: null })
        .where('seq', '=', seq)
        .where('state', '=', 'dead')
        .returning('seq')
        .execute();
      return changed.length === 1;
    },
    /** @returns false: there is no dead or pending one of this number. */
    async remove(seq: number): Promise<boolean> {
      const gone = await db
        .deleteFrom('outbox')
        .where('seq', '=', seq)
        .where('state', 'in', ['dead', 'pending'])
        .returning('seq')
        .execute();
      return gone.length === 1;
    },
    health: (): Promise<readonly ChannelHealth[]> =>
      db.selectFrom('channelHealth').selectAll().limit(MAX_CHANNELS).execute(),
    /** Also for tests that people ask for. */
    async noteHealth(channel: string, problem: string | null, nowMs: number): Promise<void> {
      await writeHealth(database, channel, problem, nowMs).execute();
    },
  };
}

/** That a group is over overtakes what still waits to say that it fires: nobody is sent as firing what is not any more. */
function withdrawn(database: Database, notification: Notification) {
  if (notification.status !== 'resolved') return [];
  const unsent = outboxOf(database)
    .deleteFrom('outbox')
    .where('groupKey', '=', groupKeyOf(notification))
    .where('state', '=', 'pending')
    .where('deliveredAtMs', 'is', null)
    .where('status', '=', 'firing');
  return [unsent];
}

type NewRow = Omit<OutboxRow, 'seq'>;

function newRow(notification: Notification, channel: string, nowMs: number): NewRow {
  return {
    notificationId: notification.id,
    channel,
    groupKey: groupKeyOf(notification),
    status: notification.status,
    notification: JSON.stringify(notification),
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
function insertAcknowledgement({ channel, groupKey, ...row }: NewRow): RawBuilder<unknown> {
  const isAlike = (name: string) =>
    sql`${sql.raw(name)}.channel = ${channel} AND ${sql.raw(name)}.group_key = ${groupKey}`;
  // Sent so, and not sent since that it is over.
  const stands = (status: 'firing' | 'acknowledged') => sql`EXISTS (
      SELECT 1 FROM outbox AS sent
      WHERE ${isAlike('sent')} AND sent.status = ${status} AND sent.state <> 'dead'
        AND NOT EXISTS (
          SELECT 1 FROM outbox AS ended
          WHERE ${isAlike('ended')} AND ended.seq > sent.seq AND ended.status = 'resolved'
        )
    )`;
  const number = (value: number) => sql`CAST(${value} AS bigint)`;
  return sql`
    INSERT INTO outbox
      (notification_id, channel, group_key, status, notification, state, tries, created_at_ms, next_try_at_ms)
    SELECT ${row.notificationId}, ${channel}, ${groupKey}, ${row.status}, ${row.notification},
      ${row.state}, ${number(row.tries)}, ${number(row.createdAtMs)}, ${number(row.nextTryAtMs)}
    WHERE ${stands('firing')} AND NOT ${stands('acknowledged')}
    ON CONFLICT DO NOTHING`;
}

/** The oldest of each channel that is due and before which nothing of its group waits. */
function dueSeqs(channels: readonly string[], nowMs: number): RawBuilder<unknown> {
  return sql`(
    SELECT min(o.seq) FROM outbox AS o
    WHERE o.state IN ('pending', 'standing')
      AND (o.next_try_at_ms <= ${nowMs} OR o.next_try_at_ms > ${nowMs + MAX_WAIT_MS})
      AND o.channel IN (${sql.join(channels)}) AND ${isFirstOfGroup('o')}
    GROUP BY o.channel
  )`;
}

/** Nothing that its group said earlier still waits for the same channel. */
function isFirstOfGroup(row: 'o' | 'outbox'): RawBuilder<SqlBool> {
  const column = (name: string) => sql.raw(`${row}.${name}`);
  return sql`NOT EXISTS (
    SELECT 1 FROM outbox AS earlier
    WHERE earlier.channel = ${column('channel')} AND earlier.group_key = ${column('group_key')}
      AND earlier.seq < ${column('seq')} AND earlier.state IN ('pending', 'sending')
  )`;
}

/** What was in hand for the first time waits; what was sent before still stands, and holds up nothing that came later. */
function waitingAsBefore(): RawBuilder<OutboxState> {
  return sql`CASE WHEN delivered_at_ms IS NULL THEN 'pending' ELSE 'standing' END`;
}

/** An old message that was sent again by hand must not go on being sent after what its group has said since. */
function standingUnlessOutdated(): RawBuilder<OutboxState> {
  return sql`CASE WHEN EXISTS (
    SELECT 1 FROM outbox AS later
    WHERE later.channel = outbox.channel AND later.group_key = outbox.group_key
      AND later.seq > outbox.seq AND later.state IN ('sent', 'standing')
  ) THEN 'sent' ELSE 'standing' END`;
}

/** Keeps the table within its bounds. */
function tidy(database: Database) {
  const db = outboxOf(database);
  const beyond = (state: OutboxState, most: number): RawBuilder<SqlBool> => sql`state = ${state} AND seq <=
    (SELECT seq FROM outbox WHERE state = ${state} ORDER BY seq DESC LIMIT 1 OFFSET ${most})`;
  return [
    db
      .updateTable('outbox')
      .set({ state: 'dead', lastError: `given up: more than ${MAX_PENDING} messages waited` })
      .where(beyond('pending', MAX_PENDING)),
    db.deleteFrom('outbox').where(beyond('sent', MAX_SENT)),
    db.deleteFrom('outbox').where(beyond('dead', MAX_DEAD)),
  ];
}

/** SQLite ends a text at a zero byte, PostgreSQL takes none, and names of queues hold any character. */
function groupKeyOf({ groupKey }: Notification): string {
  return encodeURIComponent(groupKey.toWellFormed());
}

function entryOf(row: Selectable<OutboxRow>): OutboxEntry {
  const { notificationId: _, groupKey: __, status: ___, holder: ____, notification, ...entry } = row;
  return { ...entry, notification: JSON.parse(notification) };
}
