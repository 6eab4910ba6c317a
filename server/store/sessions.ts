import { asc, eq, gt, inArray, lte, not, or } from 'drizzle-orm';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Database } from './tables.js';

/** Who is signed in: nothing of it opens anything. */
export interface SessionRow {
  /** SHA-256 of what the cookie holds, in hex. */
  readonly id: string;
  readonly tokenSha256: string;
  readonly expiresAtMs: number;
}

export interface SessionStore {
  /** Those that are not over, oldest first. */
  list(nowMs: number): Promise<readonly SessionRow[]>;
  add(row: SessionRow): Promise<void>;
  remove(id: string): Promise<void>;
  /** Forgets those of all other tokens, and those that are over. */
  keepOnly(tokenSha256s: readonly string[], nowMs: number): Promise<void>;
}

export function createSessionStore(database: Database): SessionStore {
  return {
    list: (nowMs) =>
      database
        .select()
        .from(sessions)
        .where(gt(sessions.expiresAtMs, nowMs))
        .orderBy(asc(sessions.expiresAtMs)),
    async add(row) {
      await database.insert(sessions).values(row);
    },
    async remove(id) {
      await database.delete(sessions).where(eq(sessions.id, id));
    },
    async keepOnly(tokenSha256s, nowMs) {
      const isOther = not(inArray(sessions.tokenSha256, [...tokenSha256s]));
      await database.delete(sessions).where(or(isOther, lte(sessions.expiresAtMs, nowMs)));
    },
  };
}

/** Who is signed in: see auth/sessions.ts. */
const sessions = sqliteTable('sessions', {
  id: text('id').primaryKey(),
  tokenSha256: text('token_sha256').notNull(),
  expiresAtMs: integer('expires_at_ms').notNull(),
});
