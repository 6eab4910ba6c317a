import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Row } from '@libsql/client';
import { type Client, createClient } from '@libsql/client/sqlite3';
import type { Parking, Skipped } from '../../model/parking.js';
import { oneAtATime } from '../../process/every.js';
import { packagePath } from '../../process/package-path.js';
import { BUSY_TIMEOUT_MS, patientClient } from '../../store/patient-client.js';
import { type ParkedJobs, parkedJobs } from './parked-jobs.js';
import { type ParkedPicks, parkedPicks } from './parked-picks.js';
import { type DiskBound, diskBound } from './parking.js';

/** What may change in the row of a parking besides its counts. */
type ParkingChange = Partial<
  Pick<
    Parking,
    | 'phase'
    | 'state'
    | 'because'
    | 'ratePerSecond'
    | 'guard'
    | 'pausedBy'
    | 'endedAtMs'
    | 'skipped'
    | 'looked'
    | 'freedBytes'
  >
>;

/** Rows on disk that Redis does not hold for sure: what is confirmed there is on its way out. */
const SELECT = `SELECT parking.*, (SELECT count(*) FROM parked_job WHERE parked_job.parking = parking.id
  AND row_state IN ('removed', 'restoring')) AS remaining FROM parking`;
/** With jobs on disk, or under way. */
const HELD = `(state = 'running' OR EXISTS (SELECT 1 FROM parked_job WHERE parking = parking.id
  AND row_state IN ('removed', 'restoring')))`;

type ParkingRows = ReturnType<typeof parkingRows>;

function parkingRows(client: Client) {
  const select = async (rest: string, args: (string | number)[]): Promise<readonly Parking[]> =>
    (await client.execute({ sql: `${SELECT} ${rest}`, args })).rows.map(parkingOf);
  return {
    async add(parking: Parking): Promise<void> {
      await client.execute({
        sql: `INSERT INTO parking (id, instance, queue, states, job_types, most, reason, actor, origin, started_at_ms, phase, state)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        args: [
          parking.id,
          parking.instance,
          parking.queue,
          JSON.stringify(parking.states),
          parking.jobTypes === null ? null : JSON.stringify(parking.jobTypes),
          parking.most,
          parking.reason,
          parking.actor,
          parking.origin,
          parking.startedAtMs,
          parking.phase,
          parking.state,
        ],
      });
    },
    async change(id: string, change: ParkingChange): Promise<void> {
      const names = Object.keys(change) as (keyof ParkingChange)[];
      if (names.length === 0) return;
      const values = names.map((name) =>
        name === 'skipped'
          ? JSON.stringify(change.skipped)
          : name === 'guard'
            ? Number(change.guard)
            : (change[name] ?? null),
      ) as (string | number | null)[];
      await client.execute({
        sql: `UPDATE parking SET ${names.map((name) => `${columnOf(name)} = ?`).join(', ')} WHERE id = ?`,
        args: [...values, id],
      });
    },
    async one(id: string): Promise<Parking | null> {
      return (await select('WHERE id = ?', [id]))[0] ?? null;
    },
    /** Newest first. */
    async list({
      instance,
      queue,
      isHeld = false,
      limit,
    }: {
      readonly instance?: string;
      readonly queue?: string;
      /** Only those with jobs on disk, or under way. */
      readonly isHeld?: boolean;
      readonly limit: number;
    }): Promise<readonly Parking[]> {
      const where = [
        ...(instance === undefined ? [] : (['instance', instance] as const)),
        ...(queue === undefined ? [] : (['queue', queue] as const)),
      ];
      const names = where.filter((_, i) => i % 2 === 0);
      const terms = [...names.map((name) => `${name} = ?`), ...(isHeld ? [HELD] : [])];
      const clause = terms.length > 0 ? `WHERE ${terms.join(' AND ')}` : '';
      return select(`${clause} ORDER BY started_at_ms DESC, rowid DESC LIMIT ?`, [
        ...where.filter((_, i) => i % 2 === 1),
        limit,
      ]);
    },
    /** Those that have not come to an end, oldest first: a console that starts takes them up. */
    open: (): Promise<readonly Parking[]> =>
      select("WHERE state IN ('running', 'paused') ORDER BY rowid", []),
  };
}

/** `endedAtMs` is `ended_at_ms`. */
function columnOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function parkingOf(row: Row): Parking {
  const number = (name: string): number => Number(row[name] ?? 0);
  const orNull = (name: string): number | null => (row[name] === null ? null : Number(row[name]));
  const text = (name: string): string => String(row[name]);
  return {
    id: text('id'),
    instance: text('instance'),
    queue: text('queue'),
    states: JSON.parse(text('states')) as Parking['states'],
    jobTypes: row.job_types === null ? null : (JSON.parse(text('job_types')) as readonly string[]),
    most: orNull('most'),
    reason: text('reason'),
    actor: text('actor'),
    origin: text('origin') as Parking['origin'],
    startedAtMs: number('started_at_ms'),
    endedAtMs: orNull('ended_at_ms'),
    phase: text('phase') as Parking['phase'],
    state: text('state') as Parking['state'],
    because: row.because === null ? null : text('because'),
    ratePerSecond: orNull('rate_per_second'),
    guard: number('guard') === 1,
    pausedBy: row.paused_by === null ? null : (text('paused_by') as Parking['pausedBy']),
    // Known to the task that works on it: see parkings.ts.
    pacePerSecond: null,
    paceReason: null,
    looked: number('looked'),
    parked: number('parked'),
    freedBytes: number('freed_bytes'),
    skipped: JSON.parse(text('skipped')) as Skipped,
    restored: number('restored'),
    existed: number('existed'),
    fellBack: number('fell_back'),
    remaining: number('remaining'),
  };
}

/** The file `parked.db`: parkings with their account, and the jobs that are on disk. */
export interface ParkedStore {
  /** Marks what this store has done in Redis. */
  readonly installation: string;
  readonly parkings: ParkingRows;
  readonly jobs: ParkedJobs;
  /** What replays take of it. */
  readonly picks: ParkedPicks;
  readonly disk: DiskBound;
  /** One batch of a parking at a time, whoever brings it back: its own restore, a replay, or what settles after a crash. */
  readonly alone: ReturnType<typeof oneAtATime>;
  close(): void;
}

/** SQLite keeps this page size for a file. */
const PAGE_BYTES = 4096;

/**
 * Opens it, creating it where needed. Unlike other records, parked jobs are never kept in memory instead.
 * @param maxBytes that the file may grow to.
 * @throws why not, when the directory can't be written or the file is damaged.
 */
export async function openParked(directory: string, maxBytes: number): Promise<ParkedStore> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // One connection: a setting made by PRAGMA is a connection's own.
  const file = createClient({ url: pathToFileURL(join(directory, 'parked.db')).href, concurrency: 1 });
  const prepare = async (): Promise<void> => {
    await file.execute(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    // FULL: a commit returns when it is on disk, so that it outlives a power cut as well as a kill.
    await file.execute('PRAGMA synchronous = FULL');
    // Job data that are gone are overwritten and not left in free pages; see also `forget` of the disk.
    await file.execute('PRAGMA secure_delete = ON');
    await file.execute(`PRAGMA max_page_count = ${Math.max(64, Math.floor(maxBytes / PAGE_BYTES))}`);
  };
  const client = patientClient(file, prepare);
  try {
    await file.execute(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    await client.execute('PRAGMA auto_vacuum = INCREMENTAL');
    await client.execute('PRAGMA journal_mode = WAL');
    await client.executeMultiple(readFileSync(packagePath('server/replay/parking/schema.sql'), 'utf8'));
    await addColumn(client, 'guard', 'INTEGER NOT NULL DEFAULT 1');
    await addColumn(client, 'paused_by', 'TEXT');
    await prepare();
    return {
      installation: await installationOf(client),
      parkings: parkingRows(client),
      jobs: parkedJobs(client),
      picks: parkedPicks(client),
      alone: oneAtATime(),
      disk: diskBound(client, directory, maxBytes),
      close: () => client.close(),
    };
  } catch (error) {
    client.close();
    throw error;
  }
}

/** A file that an older console made lacks what was added to `parking` since. */
async function addColumn(client: Client, name: string, type: string): Promise<void> {
  const known = (await client.execute('PRAGMA table_info(parking)')).rows;
  if (!known.some((row) => row.name === name))
    await client.execute(`ALTER TABLE parking ADD COLUMN ${name} ${type}`);
}

async function installationOf(client: Client): Promise<string> {
  const known = (await client.execute('SELECT id FROM installation')).rows[0]?.id;
  if (typeof known === 'string') return known;
  const made = randomUUID();
  await client.execute({ sql: 'INSERT INTO installation (id) VALUES (?)', args: [made] });
  return made;
}
