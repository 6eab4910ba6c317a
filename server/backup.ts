import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client/sqlite3';
import type { Config } from './config/config.js';
import { formatBytes } from './model/format.js';
import { isOnServer } from './store/store-settings.js';

/** Also while the console writes: a copy only reads. */
const BUSY_TIMEOUT_MS = 10_000;
/** What a replay took of parked jobs it asks for again, and gets what came of it: so `parked.db` is the newer copy. */
const DATABASES = ['spillway.db', 'parked.db', 'history.db'] as const;
const SESSION_KEY = 'session.key';

interface Backup {
  /** A directory that a console can be started on. */
  readonly directory: string;
  /** What is in it, and what is not and why; for a person. */
  readonly lines: readonly string[];
}

/**
 * Copies all databases and keys into a new directory `spillway-<time>` below `to`, while the console runs or not. Each
 * database is copied as of one moment, by `VACUUM INTO`: a read transaction that hinders no writer and leaves out what was
 * deleted (https://www.sqlite.org/lang_vacuum.html). The directory gets its name when all of it is on disk and checked.
 * @throws Error saying what could not be read or written; then nothing is left there.
 */
export async function backUp(
  { dataDirectory, store }: Pick<Config, 'dataDirectory' | 'store'>,
  to: string,
  nowMs: number,
): Promise<Backup> {
  const sources = DATABASES.flatMap((name) => {
    const isStore = name === 'spillway.db' && store !== null;
    if (isStore && isOnServer(store)) return [];
    return [{ name, path: isStore ? fileURLToPath(store.url) : join(dataDirectory, name) }];
  }).filter(({ path }) => existsSync(path));
  if (sources.length === 0)
    throw new Error(`data: there is nothing of a console in ${dataDirectory}; give its --data or --config`);
  mkdirSync(to, { recursive: true, mode: 0o700 });
  const partial = mkdtempSync(join(to, '.spillway-partial-'));
  try {
    const lines: string[] = [];
    for (const { name, path } of sources) {
      const copy = join(partial, name);
      await copyDatabase(path, copy);
      lines.push(`${name} ${formatBytes(statSync(copy).size)}`);
    }
    const key = join(dataDirectory, SESSION_KEY);
    if (existsSync(key)) {
      copyFileSync(key, join(partial, SESSION_KEY));
      keep(join(partial, SESSION_KEY));
      lines.push(SESSION_KEY);
    }
    if (store !== null && isOnServer(store))
      lines.push(`not in it: the store at ${store.name}, which pg_dump or its owner's backups keep`);
    const directory = join(to, `spillway-${new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-')}`);
    sync(partial);
    renameSync(partial, directory);
    sync(to);
    return { directory, lines };
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

/** @throws what keeps it from being read, written or whole. */
async function copyDatabase(from: string, copy: string): Promise<void> {
  const source = createClient({ url: pathToFileURL(from).href, timeout: BUSY_TIMEOUT_MS });
  try {
    await source.execute({ sql: 'VACUUM INTO ?', args: [copy] });
  } finally {
    source.close();
  }
  const made = createClient({ url: pathToFileURL(copy).href });
  try {
    const said = String((await made.execute('PRAGMA quick_check')).rows[0]?.[0]);
    if (said !== 'ok') throw new Error(`${from}: is damaged (${said.slice(0, 200)})`);
  } finally {
    made.close();
  }
  keep(copy);
}

function keep(path: string): void {
  chmodSync(path, 0o600);
  sync(path);
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
