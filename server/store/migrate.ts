import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@libsql/client';
import { packagePath } from '../process/package-path.js';
import { StoreUnavailable } from './store-trouble.js';

/** One step of the tables. Steps only go forward; the same number is the same tables in both engines. */
interface Step {
  readonly version: number;
  readonly sql: string;
}

/** One connection, inside a transaction that no other console's migration gets into. */
interface Locked {
  /** A number, or null where there is no row. */
  one(sql: string): Promise<number | null>;
  /** Statements with a semicolon behind each. */
  run(sql: string): Promise<void>;
}

/** `0016_one_query_layer.sql`, in the folder of the engine. */
function stepsOf(engine: 'sqlite' | 'postgres'): readonly Step[] {
  const folder = packagePath(`server/store/migrations/${engine}`);
  return readdirSync(folder)
    .filter((name) => /^\d{4}_\w+\.sql$/.test(name))
    .sort()
    .map((name) => ({
      version: Number(name.slice(0, 4)),
      sql: readFileSync(join(folder, name), 'utf8'),
    }));
}

/** @throws StoreUnavailable where a newer release has been here. */
async function bringUp(locked: Locked, engine: 'sqlite' | 'postgres', before: number): Promise<void> {
  await locked.run('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)');
  const known = (await locked.one('SELECT max(version) AS found FROM schema_version')) ?? before;
  const steps = stepsOf(engine);
  const newest = steps.at(-1)?.version ?? 0;
  if (known > newest)
    throw new StoreUnavailable(
      'other-schema',
      `its tables are of a newer release (step ${known}, this one knows ${newest}): start that release, or a backup from before`,
    );
  for (const { version, sql } of steps)
    if (version > known)
      await locked.run(`${sql.trimEnd()}\nINSERT INTO schema_version (version) VALUES (${version});`);
}

/** In one transaction that holds the file: of consoles that start at once, one does it. */
export async function migrateSqlite(client: Client): Promise<void> {
  const transaction = await client.transaction('write');
  const one = async (sql: string): Promise<number | null> => {
    const found = (await transaction.execute(sql)).rows[0]?.found ?? null;
    return found === null ? null : Number(found);
  };
  try {
    const locked = { one, run: (sql: string) => transaction.executeMultiple(sql) };
    await bringUp(locked, 'sqlite', await stepsOfDrizzle(one));
    await transaction.commit();
  } finally {
    transaction.close();
  }
}

/** In the transaction of a connection that holds a lock for it. */
export async function migratePostgres(locked: Locked): Promise<void> {
  await bringUp(locked, 'postgres', -1);
}

/**
 * Releases up to 0.3 noted their steps by the times that these were given; step 0 is of this time, and each of the first had
 * the next.
 */
const DRIZZLE_TIMES = [
  1795200000000, 1795233600000, 1795267200000, 1795300800000, 1795334400000, 1795368000000, 1795435200000,
  1795468800000, 1795502400000, 1795536000000, 1795996800000, 1796000400000, 1796004000000, 1796007600000,
  1796040000000, 1796043600000, 1796047200000,
];

/** The last step that a release up to 0.3 has made; -1: none. */
async function stepsOfDrizzle(one: (sql: string) => Promise<number | null>): Promise<number> {
  const isThere = await one(
    "SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = '__drizzle_migrations'",
  );
  const atMs = isThere && (await one('SELECT max(created_at) AS found FROM __drizzle_migrations'));
  return DRIZZLE_TIMES.findLastIndex((time) => time <= (atMs ?? -1));
}
