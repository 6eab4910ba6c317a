import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { afterEach, beforeEach, expect } from 'vitest';
import { openStore, type Store } from '../../server/open-store.js';
import type { Database } from '../../server/store/database.js';
import { openPostgres } from '../../server/store/postgres.js';
import { openSqlite } from '../../server/store/sqlite.js';
import { newPostgresStore, sharedPostgres } from './postgres.js';

/** Test files about what a store keeps run once on each: see vitest.config.ts. */
export const ENGINE: Database['engine'] = process.env.TEST_ENGINE === 'postgres' ? 'postgres' : 'sqlite';

/** The store of a whole file, in a directory of its own or in a schema of a PostgreSQL. */
export async function openStoreIn(directory: string): Promise<Store> {
  const store = await openStore(directory, ENGINE === 'postgres' ? await newPostgresStore() : null);
  expect(store.problem).toBeNull();
  return store;
}

/**
 * Stores in one directory, or in one schema of a PostgreSQL, as consoles that run beside each other or after a restart open
 * them. Each test has one of its own; what it opened is closed after it, behind what the file's own afterEach does.
 */
export function storesOfEachTest() {
  let directory = '';
  let postgres: Awaited<ReturnType<typeof newPostgresStore>> | null = null;
  let opened: { close(): void }[] = [];
  const file = (): string => pathToFileURL(join(directory, 'spillway.db')).href;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'spillway-store-'));
    postgres = ENGINE === 'postgres' ? await newPostgresStore() : null;
  });
  const closeAll = (): void => {
    for (const one of opened) one.close();
    opened = [];
  };
  afterEach(async () => {
    closeAll();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    async open(): Promise<Store> {
      const store = await openStore(directory, postgres);
      opened.push(store);
      expect(store.problem).toBeNull();
      return store;
    },
    /** What a part of the store is made on. */
    async database(): Promise<Database> {
      const database = postgres ? await openPostgres(postgres) : await openSqlite(file());
      opened.push(database);
      return database;
    },
    /** Asked beside the console's own connections. */
    async query(sql: string): Promise<readonly object[]> {
      if (postgres) return (await sharedPostgres()).query(sql, postgres.schema);
      const client = createClient({ url: file() });
      const { rows } = await client.execute(sql);
      client.close();
      return rows;
    },
    closeAll,
  };
}
