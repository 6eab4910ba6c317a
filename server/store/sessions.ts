import { type Database, jsonIn, type WithJson } from './database.js';

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

const json = jsonIn<SessionRow>()('groups');

export function createSessionStore(database: Database): SessionStore {
  const db = database.withTables<{ sessions: WithJson<SessionRow, 'groups'> }>();
  return {
    async list(nowMs) {
      const rows = await db
        .selectFrom('sessions')
        .selectAll()
        .where('expiresAtMs', '>', nowMs)
        .orderBy('createdAtMs')
        .execute();
      return rows.map(json.value);
    },
    async add(row) {
      await db.deleteFrom('sessions').where('expiresAtMs', '<=', row.createdAtMs).execute();
      await db.insertInto('sessions').values(json.text(row)).execute();
    },
    async change(id, { groups, ...change }) {
      const values = { ...change, ...(groups ? { groups: JSON.stringify(groups) } : {}) };
      await db.updateTable('sessions').set(values).where('id', '=', id).execute();
    },
    async claimCheck(id, dueAtMs, untilMs) {
      const claimed = await db
        .updateTable('sessions')
        .set({ checkAtMs: untilMs })
        .where('id', '=', id)
        .where('checkAtMs', '=', dueAtMs)
        .returning('id')
        .execute();
      return claimed.length === 1;
    },
    async remove(ids) {
      await db.deleteFrom('sessions').where('id', 'in', ids).execute();
    },
  };
}
