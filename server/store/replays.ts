import { and, asc, desc, eq, gt, isNotNull, lt, or, sql } from 'drizzle-orm';
import type { ReplayRecord, ReplayStore } from '../replay/replay-record.js';
import type { Database } from './open-store.js';
import { replayBatches, replays } from './schema.js';

/** Batches (job ids) are kept for the newest ended replays, and not longer than this. */
const KEEP_BATCHES_OF = 5;
const KEEP_BATCHES_MS = 7 * 24 * 3_600_000;
const MOST_REPLAYS = 200;

/**
 * Replays in the store. A batch is one row that holds its ids, and not a row a job: a million jobs are then two thousand
 * small writes. WAL with `synchronous = FULL` (SQLite's default): what is written here survives the machine.
 */
export function createReplayStore(database: Database): ReplayStore {
  const upsert = (record: ReplayRecord) => {
    const { id, instance, createdAtMs, endedAtMs, state } = record;
    const values = { instance, createdAtMs, endedAtMs, state, record };
    return database
      .insert(replays)
      .values({ id, ...values })
      .onConflictDoUpdate({ target: replays.id, set: values });
  };
  return {
    async list(limit) {
      const rows = await database
        .select({ record: replays.record })
        .from(replays)
        .orderBy(desc(replays.createdAtMs), desc(replays.id))
        .limit(Math.min(limit, MOST_REPLAYS));
      return rows.map(({ record }) => record);
    },
    async save(record) {
      await upsert(record);
    },
    async saveBatches(record, batches) {
      const rows = batches.map((batch) => {
        const { replay, seq, ...fields } = batch;
        // SQLite ends a text at a zero byte, and names of queues hold any letter.
        const rest = { ...fields, queue: encodeURIComponent(batch.queue.toWellFormed()) };
        return database
          .insert(replayBatches)
          .values({ replay, seq, ...rest })
          .onConflictDoUpdate({ target: [replayBatches.replay, replayBatches.seq], set: rest });
      });
      await database.batch([upsert(record), ...rows]);
    },
    async batchesIn(replay, phase, afterSeq, limit) {
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
    async remove(replay) {
      await database.batch([
        database.delete(replayBatches).where(eq(replayBatches.replay, replay)),
        database.delete(replays).where(eq(replays.id, replay)),
      ]);
    },
    async prune(nowMs) {
      const newest = sql`(SELECT id FROM ${replays} WHERE ended_at_ms IS NOT NULL ORDER BY ended_at_ms DESC LIMIT ${KEEP_BATCHES_OF})`;
      const old = database
        .select({ id: replays.id })
        .from(replays)
        .where(
          and(
            isNotNull(replays.endedAtMs),
            or(lt(replays.endedAtMs, nowMs - KEEP_BATCHES_MS), sql`id NOT IN ${newest}`),
          ),
        );
      await database.batch([
        database.delete(replayBatches).where(sql`replay IN (${old})`),
        database
          .delete(replays)
          .where(
            and(
              isNotNull(replays.endedAtMs),
              sql`id NOT IN (SELECT id FROM ${replays} ORDER BY created_at_ms DESC LIMIT ${MOST_REPLAYS})`,
            ),
          ),
      ]);
    },
  };
}
