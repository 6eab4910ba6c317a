/**
 * The store: one SQLite file, or a PostgreSQL that several consoles share. It imports model and process. Here is what each
 * owner of a table asks it by, and the fence of a lease; a table's row type and its queries stand in the file that writes it.
 * sqlite.ts and postgres.ts open the two engines, migrate.ts brings their tables up to date; lease.ts decides which console
 * acts; idempotency.ts keeps answers; ../open-store.ts opens all of them.
 *
 * What both engines hold alike: times are whole ms since 1970, yes and no are 1 and 0, JSON is text that its owner writes and
 * reads. Columns are in snake case on disk, and in camel case in queries.
 */

import {
  CamelCasePlugin,
  type Compilable,
  HandleEmptyInListsPlugin,
  type Kysely,
  type RawBuilder,
  replaceWithNoncontingentExpression,
  type SqlBool,
  sql,
} from 'kysely';

export interface Database {
  readonly engine: 'sqlite' | 'postgres';
  /** Queries over tables of these rows, by the names of the tables. */
  withTables<Tables>(): Kysely<Tables>;
  /**
   * Carries out all of these or none, one after the other.
   * @param fence nothing is written where another console holds the lease.
   * @throws LeaseLost
   */
  atomically(statements: readonly Compilable[], fence?: Fence): Promise<void>;
  close(): void;
}

/** The same for both: names, and lists that may be empty. */
export const PLUGINS = [
  new CamelCasePlugin(),
  new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression }),
];

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

/**
 * A condition for one statement. SQLite writes one statement at a time; PostgreSQL is told to let nobody take the lease until
 * the statement is done.
 */
export function holds({ engine }: Database, { lease, holder }: Fence): RawBuilder<SqlBool> {
  const untilDone = engine === 'postgres' ? sql`FOR SHARE` : sql``;
  return sql`EXISTS (SELECT 1 FROM leases WHERE leases.name = ${lease} AND leases.holder = ${holder} ${untilDone})`;
}

/** Compares letters of ASCII in any case, as SQLite does by itself. */
export function likeOf({ engine }: Database): 'like' | 'ilike' {
  return engine === 'postgres' ? 'ilike' : 'like';
}

/** All but the newest so many rows of a table, or of those `among` it, by a time and the id. */
export function isBeyondNewest(
  most: number,
  {
    table,
    time,
    among,
  }: { readonly table: string; readonly time: string; readonly among?: RawBuilder<SqlBool> },
): RawBuilder<SqlBool> {
  const [from, at] = [sql.table(table), sql.ref(time)];
  const which = among === undefined ? sql`` : sql`WHERE ${among}`;
  return sql`(${at}, id) <= (SELECT ${at}, id FROM ${from} ${which} ORDER BY ${at} DESC, id DESC LIMIT 1 OFFSET ${most})`;
}

/** A row whose columns of these names hold JSON as text. */
export type WithJson<Row, Names extends keyof Row> = {
  readonly [Name in keyof Row]: Name extends Names
    ? null extends Row[Name]
      ? string | null
      : string
    : Row[Name];
};

/** Writes and reads the columns of these names, which hold JSON as text: so it is the same in either engine. */
export function jsonIn<Row>() {
  return <Names extends keyof Row & string>(...names: readonly Names[]) => {
    const changed = (row: object, change: (value: unknown) => unknown): object => {
      const copy: Record<string, unknown> = { ...row };
      for (const name of names) if ((copy[name] ?? null) !== null) copy[name] = change(copy[name]);
      return copy;
    };
    return {
      text: (row: Row & object) => changed(row, (value) => JSON.stringify(value)) as WithJson<Row, Names>,
      value: (row: WithJson<Row, Names>) => changed(row, (value) => JSON.parse(String(value))) as Row,
    };
  };
}

/** PostgreSQL takes no zero byte in a text, and SQLite ends it there: the sign for it stands in its place. */
export function storable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\u2400') : value;
}
