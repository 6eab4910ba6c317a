import { readFileSync } from 'node:fs';
import { type Compilable, Kysely, PostgresDialect, type PostgresPoolClient, sql } from 'kysely';
import pg from 'pg';
import { secretScrubber } from '../model/text.js';
import { type Database, type Fence, LeaseLost, PLUGINS, storable } from './database.js';
import { migratePostgres } from './migrate.js';
import type { StoreSettings } from './store-settings.js';
import { StoreUnavailable, storeTroubleOf } from './store-trouble.js';

const OLDEST_VERSION = 13;
/** A console asks for little at a time; a fleet of consoles must not use up a server's connections. */
const MAX_CONNECTIONS = 4;
const CONNECT_WITHIN_MS = 5_000;
/** What holds a row for longer is stuck: a console that is frozen in the midst of a transaction must not hold up the others. */
const WAIT_MS = 3_000;
const STATEMENT_MS = 5_000;
/** What the server gives up by itself has an answer by then. */
const ANSWER_WITHIN_MS = 7_000;
/** Consoles that start at once bring the tables up to date one after the other. */
const MIGRATION_LOCK = 5_711_150_015;

/** Whole numbers of 64 bits, such as times and counts: all of ours are exact as numbers. */
const INT8 = 20;

/**
 * Opens a PostgreSQL and brings the tables of its schema up to date. A connection that breaks is opened anew by whatever asks
 * next, so a restart or a failover behind the same name costs what was under way.
 * @throws StoreUnavailable, or what the server says.
 */
export async function openPostgres(settings: StoreSettings): Promise<Database> {
  const { config, schema } = connectionOf(settings.url);
  const scrub = secretScrubber(config.password === undefined ? [] : [String(config.password)]);
  const pool = new pg.Pool({
    ...config,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    statement_timeout: STATEMENT_MS,
    lock_timeout: WAIT_MS,
    idle_in_transaction_session_timeout: WAIT_MS,
    query_timeout: ANSWER_WITHIN_MS,
    keepAlive: true,
    application_name: 'spillway',
    options: `-c search_path=${schema}`,
    types: {
      getTypeParser: (type, format) => (type === INT8 ? Number : pg.types.getTypeParser(type, format)),
    },
  });
  // Of a connection that nobody uses just then; whoever asks next gets another.
  pool.on('error', () => undefined);
  const connect = () => connected(pool, scrub);
  const kysely = new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: { connect, end: () => pool.end() } }),
    plugins: PLUGINS,
  });
  try {
    await prepare(kysely, schema);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    engine: 'postgres',
    withTables: <Tables>() => kysely as unknown as Kysely<Tables>,
    atomically: (statements, fence) => atomically(kysely, statements, fence),
    close: () => void (pool.ending ? null : pool.end()),
  };
}

async function atomically(
  kysely: Kysely<unknown>,
  statements: readonly Compilable[],
  fence: Fence | undefined,
): Promise<void> {
  await kysely.transaction().execute(async (transaction) => {
    if (fence) {
      // Until the end of the transaction nobody takes it.
      const held = await sql<{ holder: string }>`
        SELECT holder FROM leases WHERE name = ${fence.lease} FOR SHARE`.execute(transaction);
      if ((held.rows[0]?.holder ?? fence.holder) !== fence.holder) throw new LeaseLost();
    }
    for (const statement of statements) await transaction.executeQuery(statement.compile());
  });
}

/** A connection that is given back to be closed where it broke, or where the server may have changed behind its name. */
async function connected(pool: pg.Pool, scrub: (text: string) => string): Promise<PostgresPoolClient> {
  const client = await pool.connect().catch((error: unknown) => {
    throw toldPlainly(error, scrub);
  });
  let isBroken = false;
  const query = async (text: string, values: readonly unknown[] = []) => {
    try {
      // Without values several statements may come at once.
      return await (values.length === 0 ? client.query(text) : client.query(text, values.map(storable)));
    } catch (error) {
      const told = toldPlainly(error, scrub);
      const trouble = storeTroubleOf(told);
      isBroken ||= trouble === 'unreachable' || trouble === 'server-read-only';
      throw told;
    }
  };
  // Kysely knows a connection that it has had by its identity; each of ours is new, and costs nothing.
  return { query, release: () => client.release(isBroken) } as unknown as PostgresPoolClient;
}

/** What the server said, with its code; what it did not say is told as a store that can't be reached. */
function toldPlainly(error: unknown, scrub: (text: string) => string): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof pg.DatabaseError) {
    error.message = scrub(error.message);
    return error;
  }
  const message = scrub(
    error.message || (error instanceof AggregateError ? String(error.errors[0]) : error.name),
  );
  const isTls = /SSL|TLS|certificate|self[- ]signed|altnames/i.test(message);
  return new StoreUnavailable(isTls ? 'no-tls' : 'unreachable', message);
}

async function prepare(kysely: Kysely<unknown>, schema: string): Promise<void> {
  const about = await sql<{ version: number; isStandby: boolean }>`
    SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS "isStandby"`.execute(
    kysely,
  );
  const { version = 0, isStandby = false } = about.rows[0] ?? {};
  if (version < OLDEST_VERSION * 10_000)
    throw new StoreUnavailable(
      'other-schema',
      `it is PostgreSQL ${Math.floor(version / 10_000)}: ${OLDEST_VERSION} or later is needed`,
    );
  if (isStandby)
    throw new StoreUnavailable(
      'server-read-only',
      'it is a standby, which can only be read: name the primary',
    );
  await kysely.transaction().execute(async (transaction) => {
    const run = async (text: string): Promise<void> => {
      await sql.raw(text).execute(transaction);
    };
    await run(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    // Only where it is not there: who may not create one may have been given it.
    const there = await sql`SELECT 1 FROM pg_namespace WHERE nspname = ${schema}`.execute(transaction);
    if (there.rows.length === 0) await run(`CREATE SCHEMA ${schema}`);
    await migratePostgres({
      run,
      async one(text) {
        const { rows } = await sql.raw<{ found: number | null }>(text).execute(transaction);
        return rows[0]?.found ?? null;
      },
    });
  });
}

/** Read by ourselves: what pg makes of `sslmode` has changed between its releases. */
function connectionOf(text: string): { readonly config: pg.ClientConfig; readonly schema: string } {
  const url = new URL(text);
  const parameter = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const part = (value: string): string | undefined => (value === '' ? undefined : decodeURIComponent(value));
  const given = {
    user: part(url.username),
    password: part(url.password),
    host: parameter('host') ?? part(url.hostname.replace(/^\[|\]$/g, '')),
    port: part(url.port) === undefined ? undefined : Number(url.port),
    database: part(url.pathname.slice(1)),
  };
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    config: { ...Object.fromEntries(known), ssl: tlsOf(parameter('sslmode') ?? 'disable', parameter) },
    schema: parameter('schema') ?? 'public',
  };
}

/** As libpq means it: https://www.postgresql.org/docs/current/libpq-ssl.html */
function tlsOf(mode: string, parameter: (name: string) => string | undefined): pg.ClientConfig['ssl'] {
  if (mode === 'disable') return false;
  const file = (name: string): string | undefined => {
    const path = parameter(name);
    return path === undefined ? undefined : readFileSync(path, 'utf8');
  };
  const [ca, cert, key] = [file('sslrootcert'), file('sslcert'), file('sslkey')];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: mode !== 'require',
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}
