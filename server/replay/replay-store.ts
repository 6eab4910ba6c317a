import type { ReplayBatch, ReplayRecord, ReplayState } from '../model/replay.js';
import { type Database, type Fence, jsonIn, type WithJson } from '../store/database.js';

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
 * small writes. WAL with `synchronous = FULL` (SQLite's default), and PostgreSQL's own default: what is written here survives
 * the machine.
 *
 * @param fence given: nothing is written any more once another console holds the lease. One that was suspended, and wakes
 * in the midst of a step, would otherwise put its own old numbers over those of who went on with it.
 */
export function createReplayStore(database: Database, fence?: Fence) {
  const db = database.withTables<{ replays: ReplayRow; replayBatches: BatchRow }>();
  const upsert = (record: ReplayRecord) => {
    const { id, instance, createdAtMs, endedAtMs, state } = record;
    const values = { instance, createdAtMs, endedAtMs, state, record: JSON.stringify(record) };
    return db
      .insertInto('replays')
      .values({ id, ...values })
      .onConflict((known) => known.column('id').doUpdateSet(values));
  };
  return {
    /** All that are kept, newest first; those under way are among them however old. */
    async list(): Promise<readonly ReplayRecord[]> {
      const rows = await db
        .selectFrom('replays')
        .select('record')
        .orderBy('createdAtMs', 'desc')
        .orderBy('id', 'desc')
        .execute();
      return rows.map(({ record }) => JSON.parse(record));
    },
    async save(record: ReplayRecord): Promise<void> {
      await database.atomically([upsert(record)], fence);
    },
    /** All or nothing. */
    async saveBatches(record: ReplayRecord, batches: readonly ReplayBatch[]): Promise<void> {
      const rows = batches.map((batch) => {
        const { replay, seq, ...fields } = json.text(batch);
        // SQLite ends a text at a zero byte, PostgreSQL takes none, and names of queues hold any character.
        const rest = { ...fields, queue: encodeURIComponent(batch.queue.toWellFormed()) };
        return db
          .insertInto('replayBatches')
          .values({ replay, seq, ...rest })
          .onConflict((known) => known.columns(['replay', 'seq']).doUpdateSet(rest));
      });
      await database.atomically([upsert(record), ...rows], fence);
    },
    /** In order, from the one behind `afterSeq` on. */
    async batchesIn(
      replay: string,
      phase: ReplayBatch['phase'],
      afterSeq: number,
      limit: number,
    ): Promise<readonly ReplayBatch[]> {
      const rows = await db
        .selectFrom('replayBatches')
        .selectAll()
        .where('replay', '=', replay)
        .where('phase', '=', phase)
        .where('seq', '>', afterSeq)
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map((row) => ({ ...json.value(row), queue: decodeURIComponent(row.queue) }));
    },
    async remove(replay: string): Promise<void> {
      await database.atomically([
        db.deleteFrom('replayBatches').where('replay', '=', replay),
        db.deleteFrom('replays').where('id', '=', replay),
      ]);
    },
    /**
     * Drops batches that nothing asks for any more (their numbers stay in the record), and ended replays beyond the bounds
     * of age and number with all their batches. @returns ids of the replays that were dropped.
     */
    async prune(nowMs: number): Promise<readonly string[]> {
      const ended = db.selectFrom('replays').select('id').where('endedAtMs', 'is not', null);
      const newest = (most: number) => ended.orderBy('endedAtMs', 'desc').orderBy('id', 'desc').limit(most);
      const dropped = await db
        .deleteFrom('replays')
        .where('endedAtMs', 'is not', null)
        .where((is) =>
          is.or([is('endedAtMs', '<', nowMs - KEEP_ENDED_MS), is('id', 'not in', newest(MAX_ENDED))]),
        )
        .returning('id')
        .execute();
      const endedBefore = (atMs: number) => ended.where('endedAtMs', '<', atMs);
      const older = ended.where('id', 'not in', newest(KEEP_BATCHES_OF));
      await db
        .deleteFrom('replayBatches')
        .where((is) =>
          is.or([
            is('replay', 'not in', db.selectFrom('replays').select('id')),
            is('replay', 'in', endedBefore(nowMs - KEEP_BATCHES_MS)),
            is.and([
              is('replay', 'in', older),
              is.or([is('phase', '=', 'settled'), is('replay', 'in', endedBefore(nowMs - KEEP_OPEN_MS))]),
            ]),
          ]),
        )
        .execute();
      return dropped.map(({ id }) => id);
    },
  };
}

/** A replay: state and numbers as one record, which is only ever read and written whole. */
interface ReplayRow {
  readonly id: string;
  readonly instance: string;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
  readonly state: ReplayState;
  readonly record: string;
}

/** Jobs that a replay has moved or is about to; the queue is percent-encoded. */
type BatchRow = WithJson<ReplayBatch, 'jobs'>;

const json = jsonIn<ReplayBatch>()('jobs');
