/**
 * The store: one SQLite file, or a libSQL server that several consoles share. It imports model and process. Here is what
 * each write may need, the database and the fence of a lease; every other table stands in the file that writes it.
 * lease.ts decides which console acts; idempotency.ts keeps answers; ../open-store.ts opens all of them.
 */

import { and, eq, ne, type SQL, sql } from 'drizzle-orm';
import type { LibSQLDatabase } from 'drizzle-orm/libsql';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export type Database = LibSQLDatabase<Record<string, never>>;
/** Who of several consoles does what only one may do: see lease.ts. */
export const leases = sqliteTable('leases', {
  name: text('name').primaryKey(),
  holder: text('holder').notNull(),
  beat: integer('beat').notNull(),
});
/** One row that is written again and again, to know that it can be. */
export const writeProbe = sqliteTable('write_probe', {
  id: integer('id').primaryKey(),
  atMs: integer('at_ms').notNull(),
});

/** Proof that its holder may act: checked inside the statement, or the transaction, that does it. */
export interface Fence {
  readonly lease: string;
  readonly holder: string;
}

/** Another console holds the lease: what was to be written was not. */
export class LeaseLost extends Error {
  constructor() {
    super('another console has taken over: nothing was written by this one');
    this.name = 'LeaseLost';
  }
}

/** A condition for one statement. */
export function holds({ lease, holder }: Fence): SQL {
  return sql`EXISTS (SELECT 1 FROM ${leases} WHERE ${leases.name} = ${lease} AND ${leases.holder} = ${holder})`;
}

/**
 * The first statement of a batch that is to be written only while the fence holds. Where another holds the lease it breaks
 * a constraint, which rolls all of the batch back: SQLite has no other way to end one without a row to write.
 */
export function mustHold(database: Database, { lease, holder }: Fence) {
  return database
    .update(leases)
    .set({ holder: sql`NULL` })
    .where(and(eq(leases.name, lease), ne(leases.holder, holder)));
}

/** Passes on what a batch that begins with `mustHold` gives. @throws LeaseLost where it did not hold. */
export async function whileHeld<T>(batch: Promise<T>): Promise<T> {
  try {
    return await batch;
  } catch (error) {
    if (textOf(error).includes('leases.holder')) throw new LeaseLost();
    throw error;
  }
}

/** Of an error and all that caused it: layers in between put their own in front. */
function textOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${textOf(error.cause)}` : '';
}
