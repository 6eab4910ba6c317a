import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { freePort } from '../../drills/own-redis.js';
import type { StoreSettings } from '../../server/store/store-settings.js';
import { until } from './until.js';

/** Of the superuser that tests connect as; to be found in nothing that the console says. */
export const PASSWORD = 'the-pass%word of x1';

const INT8 = 20;

/** A PostgreSQL of our own on 127.0.0.1, with nothing synced: gone with `stop`, or with this process. */
export interface OwnPostgres {
  readonly port: number;
  readonly pid: number;
  /** Of the database, for what reads `store.url`. */
  url(parameters?: Readonly<Record<string, string>>, over?: Partial<URL>): string;
  /** Statements of the superuser, in a schema. */
  query(sql: string, schema?: string): Promise<readonly Record<string, unknown>[]>;
  /** SIGQUIT: as a crash would, every connection breaks. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one; PostgreSQL refuses to be run by root, so root lends it Debian's user. */
export async function startPostgres(): Promise<OwnPostgres> {
  const bin = programs();
  const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
  const directory = mkdtempSync(join(tmpdir(), 'spillway-postgres-'));
  if (user.uid !== undefined) chownSync(directory, user.uid, user.gid);
  const data = join(directory, 'data');
  const how = { ...user, cwd: directory, env: { ...process.env, LC_ALL: 'C' } };
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, PASSWORD, { mode: 0o644 });
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  execFileSync(join(bin, 'initdb'), [...initdb, '-E', 'UTF8', '-N'], { ...how, stdio: 'ignore' });
  const port = await freePort();
  const settings = {
    ...{ port, listen_addresses: '127.0.0.1', unix_socket_directories: directory, fsync: 'off' },
    ...{ shared_buffers: '16MB', max_connections: '60', autovacuum: 'off', max_wal_size: '128MB' },
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let child: ChildProcess;
  const ended = (signal: NodeJS.Signals) => async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const end = once(child, 'exit');
    child.kill(signal);
    await end;
  };
  const query: OwnPostgres['query'] = async (sql, schema = 'public') => {
    const client = new pg.Client({
      ...{ host: '127.0.0.1', port, user: 'postgres', password: PASSWORD },
      options: `-c search_path=${schema}`,
      types: { getTypeParser: (oid, how) => (oid === INT8 ? Number : pg.types.getTypeParser(oid, how)) },
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const start = async (): Promise<void> => {
    child = spawn(join(bin, 'postgres'), ['-D', data, ...args], { ...how, stdio: 'ignore' });
    await until('PostgreSQL answers', async () => (await query('SELECT 1').catch(() => [])).length === 1);
  };
  // However this process ends, the pipe to the guard does too.
  const guard = spawn('sh', ['-c', 'cat; kill -QUIT $(head -n 1 data/postmaster.pid); rm -rf "$PWD"'], {
    ...{ cwd: directory, detached: true, stdio: ['pipe', 'ignore', 'ignore'] },
  });
  guard.unref();
  (guard.stdin as Socket).unref();
  await start();
  return {
    port,
    get pid() {
      return child.pid ?? 0;
    },
    url(parameters = {}, over = {}) {
      const url = new URL(`postgres://127.0.0.1:${port}/postgres`);
      Object.assign(url, { username: 'postgres', password: encodeURIComponent(PASSWORD), ...over });
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url.href;
    },
    query,
    crash: ended('SIGQUIT'),
    start,
    async stop() {
      await ended('SIGINT')();
      guard.stdin?.end();
    },
  };
}

let shared: Promise<OwnPostgres> | null = null;

/** The one that test files of a process share; it ends with the process. */
export function sharedPostgres(): Promise<OwnPostgres> {
  shared ??= startPostgres();
  return shared;
}

/** A store in a schema of its own, which is there once something opens it. */
export async function newPostgresStore(): Promise<StoreSettings & { readonly schema: string }> {
  const schema = `t_${randomUUID().replaceAll('-', '')}`;
  const url = (await sharedPostgres()).url({ schema });
  return { url, name: 'postgres://a-test', schema };
}

/** Debian keeps each release in a folder of its own, beside the PATH. */
function programs(): string {
  if (process.env.INITDB_BIN) return dirname(process.env.INITDB_BIN);
  const root = '/usr/lib/postgresql';
  const newest = existsSync(root)
    ? readdirSync(root)
        .sort((a, b) => Number(b) - Number(a))
        .map((release) => join(root, release, 'bin'))
        .find((bin) => existsSync(join(bin, 'initdb')))
    : undefined;
  return newest ?? execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();
}

function idOf(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}
