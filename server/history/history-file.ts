import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Client, createClient, type InStatement } from '@libsql/client/sqlite3';
import { reasonOf } from '../process/every.js';
import { packagePath } from '../process/package-path.js';
import { KEPT_SIGNALS } from '../signals/kept-signals.js';
import { BUSY_TIMEOUT_MS, patientClient } from '../store/patient-client.js';
import type { Tier } from './points.js';
import { type SubjectEntry, scopeOfSubject } from './subjects.js';

export const HISTORY_FILE = 'history.db';
/** Blocks of a minute tier take some kilobytes: in smaller pages much would stay empty. */
const PAGE_BYTES = 8192;
/** The rest is for the write-ahead log. */
const OF_MAX_BYTES = 0.95;
const ROWS_A_STATEMENT = 50;

export interface NewBlock {
  readonly entry: SubjectEntry;
  readonly tier: Tier['name'];
  readonly startMs: number;
  readonly body: Uint8Array;
}

/** Up to when the ticks of a subject are folded into a tier. */
export interface Mark {
  readonly entry: SubjectEntry;
  readonly tier: Tier['name'];
  readonly untilMs: number;
}

export interface StoredBlock {
  readonly startMs: number;
  readonly body: Uint8Array;
}

/** The file that history is kept in. Every method throws what SQLite says. */
export class HistoryFile {
  readonly #client: Client;
  readonly maxBytes: number;

  private constructor(client: Client, maxBytes: number) {
    this.#client = client;
    this.maxBytes = maxBytes;
  }

  /**
   * Opens it, creating it where needed.
   * @param warn gets a message where a damaged file was set aside and a new one begun.
   * @throws why not, when the directory can't be written.
   */
  static async open(
    directory: string,
    maxBytes: number,
    nowMs: number,
    warn: (message: string) => void,
  ): Promise<HistoryFile> {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, HISTORY_FILE);
    try {
      return await HistoryFile.#openAt(path, maxBytes);
    } catch (error) {
      if (!isDamaged(error)) throw error;
      const aside = `${path}.damaged-${nowMs}`;
      // With its log: a new file would take that for its own.
      for (const part of ['', '-wal', '-shm'])
        if (existsSync(path + part)) renameSync(path + part, aside + part);
      warn(`the history was damaged (${reasonOf(error)}): it is set aside as ${aside}, and begins anew`);
      return HistoryFile.#openAt(path, maxBytes);
    }
  }

  static async #openAt(path: string, maxBytes: number): Promise<HistoryFile> {
    // One connection: a setting made by PRAGMA is a connection's own.
    const file = createClient({ url: pathToFileURL(path).href, concurrency: 1 });
    const prepare = async (): Promise<void> => {
      await file.execute(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      // NORMAL: a commit outlives a kill; a power cut may take the last seconds, and never the file.
      await file.execute('PRAGMA synchronous = NORMAL');
      await file.execute('PRAGMA journal_size_limit = 4194304');
      await file.execute(`PRAGMA max_page_count = ${Math.floor((maxBytes * OF_MAX_BYTES) / PAGE_BYTES)}`);
    };
    const client = patientClient(file, prepare);
    try {
      await file.execute(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      await client.execute(`PRAGMA page_size = ${PAGE_BYTES}`);
      await client.execute('PRAGMA auto_vacuum = INCREMENTAL');
      await client.execute('PRAGMA journal_mode = WAL');
      await client.executeMultiple(readFileSync(packagePath('server/history/schema.sql'), 'utf8'));
      await prepare();
      return new HistoryFile(client, maxBytes);
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Numbers of the kept signals, by name; those that are new get one. */
  async signalIds(): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.#client.execute('SELECT id, name FROM signal');
    const ids = new Map(rows.map(({ id, name }) => [String(name), Number(id)]));
    let next = Math.max(0, ...ids.values()) + 1;
    const added: InStatement[] = [];
    for (const { name } of KEPT_SIGNALS)
      if (!ids.has(name)) {
        added.push({ sql: 'INSERT INTO signal (id, name) VALUES (?, ?)', args: [next, name] });
        ids.set(name, next++);
      }
    if (added.length > 0) await this.#client.batch(added, 'write');
    return ids;
  }

  async subjects(): Promise<readonly SubjectEntry[]> {
    const ticks = await this.#client.execute(
      'SELECT subject, max(start_ms) AS last_ms FROM block_tick GROUP BY subject',
    );
    const last = new Map(ticks.rows.map((row) => [Number(row.subject), Number(row.last_ms)]));
    const { rows } = await this.#client.execute('SELECT * FROM subject');
    return rows.map((row): SubjectEntry => {
      const text = (value: unknown): string | null => (value === null ? null : String(value));
      const subject = {
        instance: String(row.instance),
        node: text(row.node),
        queue: text(row.queue),
        type: text(row.type),
      };
      const id = Number(row.id);
      return {
        id,
        subject,
        scope: scopeOfSubject(subject),
        isSaved: true,
        untilMs: [0, Number(row.ten_seconds_until_ms), Number(row.minute_until_ms)],
        lastSecond: Math.floor(Math.max(Number(row.last_ms), last.get(id) ?? 0) / 1000),
        window: null,
        seen: null,
      };
    });
  }

  /** Writes blocks, marks and the subjects that they are the first of: all or nothing. */
  async write(blocks: readonly NewBlock[], marks: readonly Mark[]): Promise<void> {
    const unsaved = new Set(
      [...blocks, ...marks].map(({ entry }) => entry).filter((entry) => !entry.isSaved),
    );
    const statements: InStatement[] = [...unsaved].map(addSubject);
    for (const name of ['tick', 'ten_seconds', 'minute'] as const) {
      const ofTier = blocks.filter(({ tier }) => tier === name);
      for (let from = 0; from < ofTier.length; from += ROWS_A_STATEMENT) {
        const some = ofTier.slice(from, from + ROWS_A_STATEMENT);
        statements.push({
          sql: `INSERT OR REPLACE INTO block_${name} (subject, start_ms, body) VALUES ${some.map(() => '(?, ?, ?)').join(', ')}`,
          args: some.flatMap(({ entry, startMs, body }) => [entry.id, startMs, body]),
        });
      }
    }
    for (const { entry, tier, untilMs } of marks)
      statements.push({
        sql: `UPDATE subject SET ${tier}_until_ms = ?, last_ms = ? WHERE id = ?`,
        args: [untilMs, lastMsOf(entry), entry.id],
      });
    if (statements.length > 0) await this.#client.batch(statements, 'write');
    for (const entry of unsaved) entry.isSaved = true;
  }

  /** Blocks of a subject that hold something of [fromMs, toMs), oldest first. */
  async blocks(tier: Tier, subject: number, fromMs: number, toMs: number): Promise<readonly StoredBlock[]> {
    const { rows } = await this.#client.execute({
      sql: `SELECT start_ms, body FROM block_${tier.name} WHERE subject = ? AND start_ms > ? AND start_ms < ? ORDER BY start_ms`,
      args: [subject, fromMs - tier.blockMs, toMs],
    });
    return rows.map(({ start_ms, body }) => ({
      startMs: Number(start_ms),
      body: new Uint8Array(body as ArrayBuffer),
    }));
  }

  /** Where the next block of a subject begins; null: there is none. */
  async nextBlockMs(tier: Tier, subject: number, fromMs: number): Promise<number | null> {
    const { rows } = await this.#client.execute({
      sql: `SELECT min(start_ms) AS start_ms FROM block_${tier.name} WHERE subject = ? AND start_ms >= ?`,
      args: [subject, fromMs],
    });
    const next = rows[0]?.start_ms;
    return next === null || next === undefined ? null : Number(next);
  }

  /** Deletes those of the `most` oldest blocks of a tier that begin before a time. @returns how many. */
  async prune(tier: Tier['name'], beforeMs: number, most: number): Promise<number> {
    const { rowsAffected } = await this.#client.execute({
      sql: `DELETE FROM block_${tier} WHERE id < (SELECT min(id) FROM block_${tier}) + ? AND start_ms < ?`,
      args: [most, beforeMs],
    });
    return rowsAffected;
  }

  async forget(subjects: readonly number[]): Promise<void> {
    await this.#client.batch(
      subjects.map((id) => ({ sql: 'DELETE FROM subject WHERE id = ?', args: [id] })),
      'write',
    );
  }

  /** What its pages take, those that hold nothing left out. */
  async usedBytes(): Promise<number> {
    return ((await this.#pragma('page_count')) - (await this.#pragma('freelist_count'))) * PAGE_BYTES;
  }

  /** Gives pages that hold nothing back to the disk, a bounded number, where they are many. */
  async shrink(): Promise<void> {
    const [pages, free] = [await this.#pragma('page_count'), await this.#pragma('freelist_count')];
    // Not `execute`: that leaves the PRAGMA half done and its transaction open.
    if (free > pages / 5) await this.#client.executeMultiple('PRAGMA incremental_vacuum(500)');
  }

  close(): void {
    this.#client.close();
  }

  async #pragma(name: string): Promise<number> {
    return Number((await this.#client.execute(`PRAGMA ${name}`)).rows[0]?.[0] ?? 0);
  }
}

function addSubject(entry: SubjectEntry): InStatement {
  const { id, subject, untilMs } = entry;
  return {
    sql: `INSERT OR REPLACE INTO subject (id, instance, node, queue, type, ten_seconds_until_ms, minute_until_ms, last_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    args: [
      id,
      subject.instance,
      subject.node,
      subject.queue,
      subject.type,
      untilMs[1],
      untilMs[2],
      lastMsOf(entry),
    ],
  };
}

function lastMsOf({ lastSecond }: SubjectEntry): number {
  return Math.max(0, lastSecond * 1000);
}

/** SQLite found what it did not write. */
function isDamaged(error: unknown): boolean {
  return error instanceof Error && /SQLITE_(NOTADB|CORRUPT)|not a database|malformed/i.test(error.message);
}
