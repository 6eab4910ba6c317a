import type { LibSQLDatabase } from 'drizzle-orm/libsql';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export type Database = LibSQLDatabase<Record<string, never>>;

/** Answers to requests that carried an Idempotency-Key; status and body are null while the first one is under way. */
export const idempotency = sqliteTable(
  'idempotency',
  {
    key: text('key').notNull(),
    actor: text('actor').notNull(),
    fingerprint: text('fingerprint').notNull(),
    atMs: integer('at_ms').notNull(),
    status: integer('status'),
    body: text('body'),
    /** The process that carries it out, and a count that it adds to while it does. */
    holder: text('holder'),
    beat: integer('beat').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.actor, table.key] }), index('idempotency_at').on(table.atMs)],
);

/** Who of several consoles does what only one may do: see lease.ts. */
export const leases = sqliteTable('leases', {
  name: text('name').primaryKey(),
  holder: text('holder').notNull(),
  beat: integer('beat').notNull(),
});

/** Who is signed in: see auth/sessions.ts. */
export const sessions = sqliteTable('sessions', {
  id: text('id').primaryKey(),
  tokenSha256: text('token_sha256').notNull(),
  expiresAtMs: integer('expires_at_ms').notNull(),
});

/** One row that is written again and again, to know that it can be. */
export const writeProbe = sqliteTable('write_probe', {
  id: integer('id').primaryKey(),
  atMs: integer('at_ms').notNull(),
});
