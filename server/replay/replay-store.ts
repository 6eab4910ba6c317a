import { and, asc, desc, eq, gt, inArray, isNotNull, lt, notInArray, or } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { ReplayBatch, ReplayRecord, ReplayState } from '../model/replay.js';
import type { Database } from '../store/tables.js';
import { type Fence, mustHold, whileHeld } from '../store/tables.js';

/** Ended replays are kept so many and so long: those who look back at an incident do so within a quarter. */
const MAX_ENDED = 500;
const KEEP_ENDED_MS = 90 * 24 * 3_600_000;
/** Their batches (job ids) are larger: kept for the newest alone, and not longer than this. */
const KEEP_BATCHES_OF = 5;
const KEEP_BATCHES_MS = 7 * 24 * 3_600_000;
/** What has come of moved jobs is looked up for a day after the end: see Replays. */
const KEEP_OPEN_MS = 24 * 3_600_000;

/** Where replays are kept. Every write is on disk when its promise resolves. */
export type ReplayStore = ReturnType<typeof createReplayStore>;

/**
 * Replays in the store. A batch is one row that holds its ids, and not a row a job: a million jobs are then two thousand
 * small writes. WAL with `synchronous = FULL` (SQLite's default): what is written here survives the machine.
 *
 * @param fence given: nothing is written any more once another console holds the lease. One that was suspended, and wakes
 * in the midst of a step, would otherwise put its own old numbers over those of who went on with it.
 */
export function createReplayStore(database: Database, fence?: Fence) {
  const upsert = (record: ReplayRecord) => {
    const { id, instance, createdAtMs, endedAtMs, state } = record;
    const values = { instance, createdAtMs, endedAtMs, state, record };
    return database
      .insert(replays)
      .values({ id, ...values })
      .onConflictDoUpdate({ target: replays.id, set: values });
  };
  return {
    /** All that are kept, newest first; those under way are among them however old. */
    async list(): Promise<readonly ReplayRecord[]> {
      const rows = await database
        .select({ record: replays.record })
        .from(replays)
        .orderBy(desc(replays.createdAtMs), desc(replays.id));
      return rows.map(({ record }) => record);
    },
    async save(record: ReplayRecord): Promise<void> {
      await written(database, fence, [upsert(record)]);
    },
    /** All or nothing. */
    async saveBatches(record: ReplayRecord, batches: readonly ReplayBatch[]): Promise<void> {
      const rows = batches.map((batch) => {
        const { replay, seq, ...fields } = batch;
        // SQLite ends a text at a zero byte, and names of queues hold any character.
        const rest = { ...fields, queue: encodeURIComponent(batch.queue.toWellFormed()) };
        return database
          .insert(replayBatches)
          .values({ replay, seq, ...rest })
          .onConflictDoUpdate({ target: [replayBatches.replay, replayBatches.seq], set: rest });
      });
      await written(database, fence, [upsert(record), ...rows]);
    },
    /** In order, from the one behind `afterSeq` on. */
    async batchesIn(
      replay: string,
      phase: ReplayBatch['phase'],
      afterSeq: number,
      limit: number,
    ): Promise<readonly ReplayBatch[]> {
      const rows = await database
        .select()
        .from(replayBatches)
        .where(
          and(
            eq(replayBatches.replay, replay),
            eq(replayBatches.phase, phase),
            gt(replayBatches.seq, afterSeq),
          ),
        )
        .orderBy(asc(replayBatches.seq))
        .limit(limit);
      return rows.map((row) => ({ ...row, queue: decodeURIComponent(row.queue) }));
    },
    async remove(replay: string): Promise<void> {
      await database.batch([
        database.delete(replayBatches).where(eq(replayBatches.replay, replay)),
        database.delete(replays).where(eq(replays.id, replay)),
      ]);
    },
    /**
     * Drops batches that nothing asks for any more (their numbers stay in the record), and ended replays beyond the bounds
     * of age and number with all their batches. @returns ids of the replays that were dropped.
     */
    async prune(nowMs: number): Promise<readonly string[]> {
      const newest = (most: number) =>
        database
          .select({ id: replays.id })
          .from(replays)
          .where(isNotNull(replays.endedAtMs))
          .orderBy(desc(replays.endedAtMs), desc(replays.id))
          .limit(most);
      const dropped = await database
        .delete(replays)
        .where(
          and(
            isNotNull(replays.endedAtMs),
            or(lt(replays.endedAtMs, nowMs - KEEP_ENDED_MS), notInArray(replays.id, newest(MAX_ENDED))),
          ),
        )
        .returning({ id: replays.id });
      const endedBefore = (atMs: number) =>
        database.select({ id: replays.id }).from(replays).where(lt(replays.endedAtMs, atMs));
      const older = database
        .select({ id: replays.id })
        .from(replays)
        .where(and(isNotNull(replays.endedAtMs), notInArray(replays.id, newest(KEEP_BATCHES_OF))));
      await database
        .delete(replayBatches)
        .where(
          or(
            notInArray(replayBatches.replay, database.select({ id: replays.id }).from(replays)),
            inArray(replayBatches.replay, endedBefore(nowMs - KEEP_BATCHES_MS)),
            and(
              inArray(replayBatches.replay, older),
              or(
                eq(replayBatches.phase, 'settled'),
                inArray(replayBatches.replay, endedBefore(nowMs - KEEP_OPEN_MS)),
              ),
            ),
          ),
        );
      return dropped.map(({ id }) => id);
    },
  };
}

type Statement = Parameters<Database['batch']>[0][number];

/** All or nothing. @throws LeaseLost */
async function written(
  database: Database,
  fence: Fence | undefined,
  [first, ...rest]: readonly [Statement, ...Statement[]],
): Promise<void> {
  if (fence) await whileHeld(database.batch([mustHold(database, fence), first, ...rest]));
  else await database.batch([first, ...rest]);
}

/** Replays: state and numbers as one record, which is only ever read and written whole. */
const replays = sqliteTable(
  'replays',
  {
    id: text('id').primaryKey(),
    instance: text('instance').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    endedAtMs: integer('ended_at_ms'),
    state: text('state').$type<ReplayState>().notNull(),
    record: text('record', { mode: 'json' }).$type<ReplayRecord>().notNull(),
  },
  (table) => [index('replays_created').on(table.createdAtMs)],
);

/** Jobs that a replay has moved or is about to, a batch a row: see replay-store.ts. */
const replayBatches = sqliteTable(
  'replay_batches',
  {
    replay: text('replay').notNull(),
    seq: integer('seq').notNull(),
    phase: text('phase').$type<'moving' | 'open' | 'settled'>().notNull(),
    queue: text('queue').notNull(),
    jobs: text('jobs', { mode: 'json' }).$type<readonly (readonly [id: string, score: string])[]>().notNull(),
    characters: text('characters').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.replay, table.seq] }),
    index('replay_batches_phase').on(table.replay, table.phase, table.seq),
  ],
);
