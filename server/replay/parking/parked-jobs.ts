import type { Client, InStatement, Row } from '@libsql/client';
import type { ParkableState } from '../../model/parking.js';
import { packFields, unpackFields } from './ndjson.js';
import type { ParkedJob, ParkedType, StoredJob } from './parking.js';
import { isAgain, isNewestFirst, isOfReplay, replayCallOf } from './run-script.js';

/** A batch that an interruption may have left open. */
interface OpenBatch {
  readonly parking: string;
  readonly batch: string;
}

const ROW_PARAMETERS = 8;
/** SQLite takes 32,766 parameters in one statement. */
const ROWS_A_STATEMENT = 1_000;
/** Said as the partial index says it, without which SQLite would look at every row, once a second. */
const IN_BETWEEN = "row_state <> 'removed'";
export const JOB_COLUMNS = 'seq, batch, job_id, name, place, score, bytes, fields';

/** The jobs on disk. Every method is one transaction, on disk when it returns; schema.sql tells the states. */
export type ParkedJobs = ReturnType<typeof parkedJobs>;

export function parkedJobs(client: Client) {
  const rows = async (sql: string, args: (string | number)[]): Promise<readonly Row[]> =>
    (await client.execute({ sql, args })).rows;
  const seqsOf = async (column: 'batch' | 'restore_batch', batch: string, state: string) =>
    (
      await rows(
        `SELECT seq FROM parked_job WHERE ${column} = ? AND row_state = ? ORDER BY seq ${isNewestFirst(batch) ? 'DESC' : ''}`,
        [batch, state],
      )
    ).map((row) => Number(row.seq));
  return {
    async write(parking: string, batch: string, jobs: readonly ParkedJob[]): Promise<void> {
      const statements: InStatement[] = [];
      for (let from = 0; from < jobs.length; from += ROWS_A_STATEMENT) {
        const some = jobs.slice(from, from + ROWS_A_STATEMENT);
        const values = new Array(some.length).fill(`(${'?, '.repeat(ROW_PARAMETERS)}'written')`).join(', ');
        statements.push({
          sql: `INSERT INTO parked_job (parking, batch, job_id, name, place, score, bytes, fields, row_state) VALUES ${values}`,
          args: some.flatMap((job) => [
            parking,
            batch,
            job.jobId,
            job.name,
            job.place,
            job.score,
            job.bytes,
            packFields(job.fields),
          ]),
        });
      }
      await client.batch(statements, 'write');
    },
    /** `receipt`: a code for each row of the batch, in order; null: it never happened. Rows of '0' go: Redis has them. */
    async settleWritten(parking: string, batch: string, receipt: string | null): Promise<number> {
      const seqs = await seqsOf('batch', batch, 'written');
      const gone = seqs.filter((_, i) => receipt?.[i] === '1');
      const left = seqs.filter((_, i) => receipt?.[i] !== '1');
      await client.batch(
        [
          `UPDATE parking SET parked = parked + ${gone.length}, freed_bytes = freed_bytes + coalesce((SELECT sum(bytes) FROM parked_job WHERE seq IN (${gone.join()})), 0) WHERE id = '${quoted(parking)}'`,
          `DELETE FROM parked_job WHERE seq IN (${left.join()})`,
          `UPDATE parked_job SET row_state = 'removed' WHERE seq IN (${gone.join()})`,
        ],
        'write',
      );
      return gone.length;
    },
    /** The next to come back, oldest first, until `mostBytes` of them. */
    async next(parking: string, most: number, mostBytes: number): Promise<readonly StoredJob[]> {
      const found = await rows(
        `SELECT ${JOB_COLUMNS} FROM parked_job WHERE parking = ? AND row_state = 'removed' ORDER BY seq LIMIT ?`,
        [parking, most],
      );
      return upTo(mostBytes, found);
    },
    /** @returns how many it has marked: another console may have marked some before. */
    async markRestoring(parking: string, batch: string, seqs: readonly number[]): Promise<number> {
      const { rowsAffected } = await client.execute({
        sql: `UPDATE parked_job SET row_state = 'restoring', restore_batch = ? WHERE parking = ? AND row_state = 'removed' AND seq IN (${seqs.join()})`,
        args: [batch, parking],
      });
      return rowsAffected;
    },
    /**
     * The rows stay as `restored`, or go; null: they are back among those to come. Of a replay's batch those that could not
     * come back stay on disk, and what came of each is kept for the replay.
     */
    async settleRestoring(
      parking: string,
      batch: string,
      receipt: string | null,
      atMs: number,
    ): Promise<void> {
      const seqs = await seqsOf('restore_batch', batch, 'restoring');
      // After a crash its parking and its replay both find it open: whoever comes second must not write over what came of it.
      if (seqs.length === 0) return;
      const of = (code: string): readonly number[] => seqs.filter((_, i) => receipt?.[i] === code);
      const [back, existed, fellBack] = [of('1'), of('x'), of('b')];
      const isReplay = isOfReplay(batch);
      const gone = isReplay ? fellBack : [...existed, ...fellBack];
      const again = receipt === null ? seqs : isReplay ? existed : [];
      // What Redis lost and would not take at once is lost still: it is tried again.
      const stillLost = receipt === null && isAgain(batch);
      const call = receipt === null ? null : replayCallOf(batch);
      const characters = JSON.stringify(Object.fromEntries(seqs.map((seq, i) => [seq, receipt?.[i]])));
      await client.batch(
        [
          `UPDATE parked_job SET row_state = 'restored', restored_at_ms = ${Math.trunc(atMs)} WHERE seq IN (${back.join()})`,
          `DELETE FROM parked_job WHERE seq IN (${gone.join()})`,
          stillLost
            ? `UPDATE parked_job SET row_state = 'restored', restored_at_ms = 0 WHERE seq IN (${again.join()})`
            : `UPDATE parked_job SET row_state = 'removed', restore_batch = NULL, restored_at_ms = NULL WHERE seq IN (${again.join()})`,
          `UPDATE parking SET restored = restored + ${back.length + (stillLost ? again.length : 0)}, existed = existed + ${isReplay ? 0 : existed.length}, fell_back = fell_back + ${fellBack.length} WHERE id = '${quoted(parking)}'`,
          ...(call === null ? [] : [receiptOf(call, characters)]),
        ],
        'write',
      );
    },
    /** Batches that were brought back before this. */
    async restoredBefore(parking: string, atMs: number): Promise<readonly string[]> {
      const found = await rows(
        `SELECT DISTINCT restore_batch AS batch FROM parked_job WHERE parking = ? AND row_state = 'restored' AND restored_at_ms <= ? LIMIT 500`,
        [parking, atMs],
      );
      return found.map((row) => String(row.batch));
    },
    /** Redis has surely kept this batch: its rows go. @returns the batches that had taken them out. */
    async confirm(batch: string): Promise<readonly string[]> {
      const gone = await rows(
        `DELETE FROM parked_job WHERE restore_batch = ? AND row_state = 'restored' RETURNING batch`,
        [batch],
      );
      return [...new Set(gone.map((row) => String(row.batch)))];
    },
    /** Redis has lost this batch: its rows are to come back again. */
    async reopen(parking: string, batch: string): Promise<void> {
      const seqs = await seqsOf('restore_batch', batch, 'restored');
      await client.batch(
        [
          `UPDATE parked_job SET row_state = 'removed', restore_batch = NULL, restored_at_ms = NULL WHERE seq IN (${seqs.join()})`,
          `UPDATE parking SET restored = restored - ${seqs.length} WHERE id = '${quoted(parking)}'`,
        ],
        'write',
      );
    },
    /** Redis has lost this batch of a replay: its rows, to be brought back by another. */
    async markAgain(parking: string, batch: string, again: string): Promise<readonly StoredJob[]> {
      const seqs = await seqsOf('restore_batch', batch, 'restored');
      await client.batch(
        [
          `UPDATE parked_job SET row_state = 'restoring', restore_batch = '${quoted(again)}' WHERE seq IN (${seqs.join()})`,
          `UPDATE parking SET restored = restored - ${seqs.length} WHERE id = '${quoted(parking)}'`,
        ],
        'write',
      );
      return (
        await rows(`SELECT ${JOB_COLUMNS} FROM parked_job WHERE seq IN (${seqs.join()}) ORDER BY seq`, [])
      ).map(storedJobOf);
    },
    /** Parkings with rows that Redis has, but perhaps not for good. */
    unconfirmed: async (): Promise<readonly string[]> =>
      (
        await rows(
          `SELECT DISTINCT parking FROM parked_job WHERE row_state = 'restored' AND ${IN_BETWEEN}`,
          [],
        )
      ).map((row) => String(row.parking)),
    openWritten: async (): Promise<readonly OpenBatch[]> =>
      (
        await rows(
          `SELECT DISTINCT parking, batch FROM parked_job WHERE row_state = 'written' AND ${IN_BETWEEN}`,
          [],
        )
      ).map(openOf),
    openRestoring: async (): Promise<readonly OpenBatch[]> =>
      (
        await rows(
          `SELECT DISTINCT parking, restore_batch AS batch FROM parked_job WHERE row_state = 'restoring' AND ${IN_BETWEEN}`,
          [],
        )
      ).map(openOf),
    /** Of these batches, those that no row comes from any more. */
    async withoutRows(batches: readonly string[]): Promise<readonly string[]> {
      const asked = [...new Set(batches)].filter((batch) => batch !== '');
      if (asked.length === 0) return [];
      const places = asked.map(() => '?').join();
      const found = await rows(`SELECT DISTINCT batch FROM parked_job WHERE batch IN (${places})`, asked);
      const held = new Set(found.map((row) => String(row.batch)));
      return asked.filter((batch) => !held.has(batch));
    },
    types: async (parking: string): Promise<readonly ParkedType[]> =>
      (
        await rows(
          `SELECT name, count(*) AS jobs, sum(bytes) AS bytes FROM parked_job WHERE parking = ? AND row_state IN ('removed', 'restoring') GROUP BY name ORDER BY jobs DESC LIMIT 100`,
          [parking],
        )
      ).map((row) => ({ type: String(row.name), jobs: Number(row.jobs), bytes: Number(row.bytes) })),
    /** Rows for an export, after this one. */
    page: async (parking: string, afterSeq: number, most: number): Promise<readonly StoredJob[]> =>
      (
        await rows(
          `SELECT ${JOB_COLUMNS} FROM parked_job WHERE parking = ? AND seq > ? AND row_state IN ('removed', 'restoring') ORDER BY seq LIMIT ?`,
          [parking, afterSeq, most],
        )
      ).map(storedJobOf),
  };
}

/** For the replay that asked: `<replay>:<batch>:<first row>`. */
function receiptOf(call: string, characters: string): InStatement {
  const [replay = '', batch = ''] = call.split(':');
  return {
    sql: 'INSERT OR REPLACE INTO replay_receipt (call, replay, batch, characters) VALUES (?, ?, ?, ?)',
    args: [call, replay, Number(batch), characters],
  };
}

/** Ids of parkings are the console's own; quoted all the same. */
function quoted(text: string): string {
  return text.replaceAll("'", "''");
}

function openOf(row: Row): OpenBatch {
  return { parking: String(row.parking), batch: String(row.batch) };
}

/** The first jobs of these rows, until they hold so much; at least one. */
export function upTo(mostBytes: number, found: readonly Row[]): readonly StoredJob[] {
  const jobs: StoredJob[] = [];
  let bytes = 0;
  for (const row of found) {
    const job = storedJobOf(row);
    bytes += job.fields.reduce((sum, field) => sum + field.length, 0);
    if (jobs.length > 0 && bytes > mostBytes) break;
    jobs.push(job);
  }
  return jobs;
}

/** A row of JOB_COLUMNS. */
export function storedJobOf(row: Row): StoredJob {
  return {
    seq: Number(row.seq),
    batch: String(row.batch),
    jobId: bufferOf(row.job_id),
    name: String(row.name),
    place: String(row.place) as ParkableState,
    score: String(row.score),
    bytes: Number(row.bytes),
    fields: unpackFields(bufferOf(row.fields)),
  };
}

function bufferOf(value: unknown): Buffer {
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length);
  return Buffer.alloc(0);
}
