import type { Client, Row } from '@libsql/client';
import { JOB_COLUMNS, storedJobOf, upTo } from './parked-jobs.js';
import type { ParkedType, StoredJob } from './parking.js';

/** The part of what is parked that a replay looks through. */
interface PickRange {
  /** Of this parking. */
  readonly parking: string;
  /** Empty: all. */
  readonly jobTypes: readonly string[];
}

/** A parking of a queue that rests, and when it began. */
export interface PickableParking {
  readonly id: string;
  /** Its place among all. */
  readonly row: number;
  readonly startedAtMs: number;
}

/** What replays read of parked.db, and the receipts that are theirs. */
export type ParkedPicks = ReturnType<typeof parkedPicks>;

export function parkedPicks(client: Client) {
  const select = async (sql: string, args: (string | number)[] = []): Promise<readonly Row[]> =>
    (await client.execute({ sql, args })).rows;
  const where = ({ parking, jobTypes }: PickRange) => ({
    sql: `parking = ? AND row_state = 'removed'${jobTypes.length > 0 ? ` AND name IN (${jobTypes.map(() => '?').join()})` : ''}`,
    args: [parking, ...jobTypes],
  });
  return {
    /** Parkings of a queue that nobody works on and that hold jobs, the one that began first before the others. */
    parkings: async (
      instance: string,
      queue: string,
      fromMs: number,
      toMs: number,
    ): Promise<readonly PickableParking[]> =>
      (
        await select(
          `SELECT id, rowid AS place, started_at_ms FROM parking WHERE instance = ? AND queue = ? AND state <> 'running'
            AND started_at_ms BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM parked_job
              WHERE parking = parking.id AND row_state = 'removed') ORDER BY rowid`,
          [instance, queue, fromMs, toMs],
        )
      ).map((row) => ({
        id: String(row.id),
        row: Number(row.place),
        startedAtMs: Number(row.started_at_ms),
      })),
    async types(range: PickRange): Promise<readonly ParkedType[]> {
      const { sql, args } = where(range);
      const found = await select(
        `SELECT name, count(*) AS jobs, sum(bytes) AS bytes FROM parked_job WHERE ${sql} GROUP BY name`,
        args,
      );
      return found.map((row) => ({
        type: String(row.name),
        jobs: Number(row.jobs),
        bytes: Number(row.bytes),
      }));
    },
    /** Behind `after` in the order asked for; null: from the start. At most `mostBytes` of them, at least one. */
    async page(
      range: PickRange,
      order: 'oldest' | 'newest',
      after: number | null,
      most: number,
      mostBytes: number,
    ): Promise<readonly StoredJob[]> {
      const { sql, args } = where(range);
      const [sign, direction] = order === 'oldest' ? ['>', 'ASC'] : ['<', 'DESC'];
      const found = await select(
        `SELECT ${JOB_COLUMNS} FROM parked_job WHERE ${sql}${after === null ? '' : ` AND seq ${sign} ?`} ORDER BY seq ${direction} LIMIT ?`,
        [...args, ...(after === null ? [] : [after]), most],
      );
      return upTo(mostBytes, found);
    },
    /** Of these rows, those that may come back, in this order, and their parking. */
    async rows(
      seqs: readonly number[],
      order: 'oldest' | 'newest',
    ): Promise<{ readonly parking: string; readonly jobs: readonly StoredJob[] } | null> {
      const found = await select(
        `SELECT parking, ${JOB_COLUMNS} FROM parked_job WHERE seq IN (${seqs.join()}) AND row_state = 'removed'
          ORDER BY seq ${order === 'oldest' ? 'ASC' : 'DESC'}`,
      );
      const parking = found[0]?.parking;
      return parking === undefined ? null : { parking: String(parking), jobs: found.map(storedJobOf) };
    },
    /** What came of a call of a replay, by row; null: it has not come to an end. */
    async receipt(call: string): Promise<Readonly<Record<string, string>> | null> {
      const [row] = await select('SELECT characters FROM replay_receipt WHERE call = ?', [call]);
      return row ? (JSON.parse(String(row.characters)) as Record<string, string>) : null;
    },
    /** A replay has written down what came of its batches up to this one. */
    async forgetReceipts(replay: string, batch: number): Promise<void> {
      await client.execute({
        sql: 'DELETE FROM replay_receipt WHERE replay = ? AND batch <= ?',
        args: [replay, batch],
      });
    },
    /** Of these rows, those that Redis was given but may not have kept. */
    async unsure(seqs: readonly number[]): Promise<ReadonlySet<number>> {
      const found = await select(
        `SELECT seq FROM parked_job WHERE seq IN (${seqs.join()}) AND row_state IN ('restoring', 'restored')`,
      );
      return new Set(found.map((row) => Number(row.seq)));
    },
  };
}
