import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Client, createClient } from '@libsql/client';
import { packagePath } from '../../process/package-path.js';
import { BUSY_TIMEOUT_MS, patientClient } from '../../store/patient-client.js';
import { type DiskBound, diskBound } from './disk-bound.js';
import { type Alone, oneAtATime } from './one-at-a-time.js';
import { type ParkedJobs, parkedJobs } from './parked-jobs.js';
import { type ParkedPicks, parkedPicks } from './parked-picks.js';
import { type ParkingRows, parkingRows } from './parking-rows.js';

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
  readonly alone: Alone;
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
