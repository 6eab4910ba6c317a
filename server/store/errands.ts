import { and, eq, isNull, sql } from 'drizzle-orm';
import type { LeverError } from '../levers/lever.js';
import { type Fence, holds } from './fence.js';
import type { Database } from './open-store.js';
import { errands } from './schema.js';

/** What somebody asks for: a name, and arguments that JSON can hold. */
export interface Errand {
  readonly id: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What came of it: a value, or an error that is made anew at the asker. */
export type ErrandAnswer =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly code: string;
      readonly from: 'lever' | 'parking';
      readonly message: string;
      readonly fields: LeverError['fields'];
    };

/** An errand as it stands in the store. */
export interface ErrandRow {
  readonly id: string;
  readonly isTaken: boolean;
  /** Its asker adds to it while it waits. */
  readonly beat: number;
}

/** What one console asks of the one that holds the lease, on the way through the store. */
export interface ErrandStore {
  add(errand: Errand, atMs: number): Promise<void>;
  /** The asker is still there. @returns false: somebody has taken it. */
  stillAsked(id: string): Promise<boolean>;
  /** All that are there, oldest first, a bounded number. */
  list(): Promise<readonly ErrandRow[]>;
  /** Takes those of these that nobody has taken: each is taken once, whoever looks. */
  take(fence: Fence, ids: readonly string[]): Promise<readonly Errand[]>;
  answer(id: string, answer: ErrandAnswer): Promise<void>;
  /** null: not answered yet. */
  read(id: string): Promise<ErrandAnswer | null>;
  /** @returns false: somebody has taken it already. */
  withdraw(id: string): Promise<boolean>;
  remove(id: string): Promise<void>;
}

const MAX_LISTED = 200;

export function createErrandStore(database: Database): ErrandStore {
  const isFree = (id: string) => and(eq(errands.id, id), isNull(errands.takenBy));
  return {
    async add(errand, atMs) {
      await database.insert(errands).values({ ...errand, atMs });
    },
    async stillAsked(id) {
      const rows = await database
        .update(errands)
        .set({ beat: sql`${errands.beat} + 1` })
        .where(isFree(id))
        .returning({ id: errands.id });
      return rows.length > 0;
    },
    // Read by itself: a look at nothing, several times a second, must not ask for the lock of those who write.
    async list() {
      const rows = await database
        .select({ id: errands.id, takenBy: errands.takenBy, beat: errands.beat })
        .from(errands)
        .orderBy(sql`rowid`)
        .limit(MAX_LISTED);
      return rows.map(({ id, takenBy, beat }) => ({ id, isTaken: takenBy !== null, beat }));
    },
    async take(fence, ids) {
      const taken: Errand[] = [];
      for (const id of ids)
        taken.push(
          ...(await database
            .update(errands)
            .set({ takenBy: fence.holder })
            .where(and(isFree(id), holds(fence)))
            .returning({ id: errands.id, name: errands.name, args: errands.args })),
        );
      return taken;
    },
    async answer(id, answer) {
      await database.update(errands).set({ answer }).where(eq(errands.id, id));
    },
    async read(id) {
      const [row] = await database.select({ answer: errands.answer }).from(errands).where(eq(errands.id, id));
      return row?.answer ?? null;
    },
    async withdraw(id) {
      return (await database.delete(errands).where(isFree(id)).returning({ id: errands.id })).length > 0;
    },
    async remove(id) {
      await database.delete(errands).where(eq(errands.id, id));
    },
  };
}
