import { and, asc, eq, sql } from 'drizzle-orm';
import type { Database } from '../store/database.js';
import { type LostWorkerStore, MAX_LOST } from './lost-workers.js';
import { lostWorkers } from './tables.js';

/** Workers that are missed, a row each; several consoles that see the same write the same row. */
export function createLostWorkerStore(database: Database): LostWorkerStore {
  const isOf = (instance: string, id: string) =>
    and(eq(lostWorkers.instance, instance), eq(lostWorkers.id, id));
  return {
    async list(instance) {
      const rows = await database
        .select({ record: lostWorkers.record })
        .from(lostWorkers)
        .where(eq(lostWorkers.instance, instance))
        .orderBy(asc(lostWorkers.lostAtMs))
        .limit(2 * MAX_LOST);
      return rows.map(({ record }) => record);
    },
    async keep(instance, record) {
      const { id, lastSeenAtMs: lostAtMs } = record.worker;
      await database
        .insert(lostWorkers)
        .values({ instance, id, lostAtMs, record })
        .onConflictDoUpdate({ target: [lostWorkers.instance, lostWorkers.id], set: { record } });
      // Those that were replaced stay for who has replaced them; the oldest go.
      await database.delete(lostWorkers).where(
        sql`${lostWorkers.instance} = ${instance} AND ${lostWorkers.id} NOT IN
          (SELECT id FROM ${lostWorkers} WHERE instance = ${instance} ORDER BY lost_at_ms DESC LIMIT ${2 * MAX_LOST})`,
      );
    },
    async drop(instance, id) {
      await database.delete(lostWorkers).where(isOf(instance, id));
    },
  };
}
