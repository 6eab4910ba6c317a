import { and, asc, eq, gt, inArray, lte } from 'drizzle-orm';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Database } from './tables.js';

/** Who is signed in: nothing of it opens anything. */
export interface SessionRow {
  /** SHA-256 of what the cookie holds, in hex. */
  readonly id: string;
  readonly way: 'token' | 'openid';
  /** What it stands and falls with: the SHA-256 of the token, or the provider and the client there. */
  readonly source: string;
  readonly name: string;
  /** As the provider gave them; a token has none. */
  readonly groups: readonly string[];
  /** What it began with, and what it was judged to have last. */
  readonly rights: string;
  /** Of the browser that signed in. */
  readonly address: string;
  readonly createdAtMs: number;
  readonly seenAtMs: number;
  readonly expiresAtMs: number;
  /** When the provider is to be asked again; null: never. */
  readonly checkAtMs: number | null;
  /** What the provider gave, sealed with what the cookie holds; null: nothing. */
  readonly sealed: string | null;
}

export type SessionChange = Partial<Omit<SessionRow, 'id'>>;

export interface SessionStore {
  /** Those that are not over, oldest first. */
  list(nowMs: number): Promise<readonly SessionRow[]>;
  /** Keeps it, and forgets those that are over. */
  add(row: SessionRow): Promise<void>;
  change(id: string, change: SessionChange): Promise<void>;
  /** Puts the check of a session off, for whoever is first to do so of all consoles. @returns was it this one? */
  claimCheck(id: string, dueAtMs: number, untilMs: number): Promise<boolean>;
  remove(ids: readonly string[]): Promise<void>;
}

export function createSessionStore(database: Database): SessionStore {
  return {
    list: (nowMs) =>
      database
        .select()
        .from(sessions)
        .where(gt(sessions.expiresAtMs, nowMs))
        .orderBy(asc(sessions.createdAtMs)),
    async add(row) {
      await database.delete(sessions).where(lte(sessions.expiresAtMs, row.createdAtMs));
      await database.insert(sessions).values({ ...row, groups: [...row.groups] });
    },
    async change(id, { groups, ...change }) {
      const values = { ...change, ...(groups ? { groups: [...groups] } : {}) };
      await database.update(sessions).set(values).where(eq(sessions.id, id));
    },
    async claimCheck(id, dueAtMs, untilMs) {
      const isDue = and(eq(sessions.id, id), eq(sessions.checkAtMs, dueAtMs));
      const { rowsAffected } = await database.update(sessions).set({ checkAtMs: untilMs }).where(isDue);
      return rowsAffected === 1;
    },
    async remove(ids) {
      await database.delete(sessions).where(inArray(sessions.id, [...ids]));
    },
  };
}

/** Who is signed in: see auth/sessions.ts. */
const sessions = sqliteTable('sessions', {
  id: text('id').primaryKey(),
  way: text('way', { enum: ['token', 'openid'] }).notNull(),
  source: text('source').notNull(),
  name: text('name').notNull(),
  groups: text('groups', { mode: 'json' }).$type<string[]>().notNull(),
  rights: text('rights').notNull(),
  address: text('address').notNull(),
  createdAtMs: integer('created_at_ms').notNull(),
  seenAtMs: integer('seen_at_ms').notNull(),
  expiresAtMs: integer('expires_at_ms').notNull(),
  checkAtMs: integer('check_at_ms'),
  sealed: text('sealed'),
});
