import { and, asc, eq, gt, isNull, lt } from 'drizzle-orm';
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

/** What one console asks of the one that holds the lease, on the way through the store. */
export interface ErrandStore {
  add(errand: Errand, atMs: number): Promise<void>;
  /** Takes those that nobody has taken and that are newer than this: each is taken once, whoever looks. */
  take(fence: Fence, afterMs: number): Promise<readonly Errand[]>;
  answer(id: string, answer: ErrandAnswer): Promise<void>;
  /** null: not answered yet. */
  read(id: string): Promise<ErrandAnswer | null>;
  /** @returns false: somebody has taken it already. */
  withdraw(id: string): Promise<boolean>;
  remove(id: string): Promise<void>;
}

const MOST_AT_ONCE = 20;
/** Those whose asker is gone are dropped. */
const KEEP_MS = 3_600_000;

export function createErrandStore(database: Database): ErrandStore {
  const isFree = (id: string) => and(eq(errands.id, id), isNull(errands.takenBy));
  return {
    async add(errand, atMs) {
      await database.batch([
        database.delete(errands).where(lt(errands.atMs, atMs - KEEP_MS)),
        database.insert(errands).values({ ...errand, atMs }),
      ]);
    },
    async take(fence, afterMs) {
      // Read first: a look at nothing, several times a second, must not ask for the lock of those who write.
      const free = await database
        .select({ id: errands.id, name: errands.name, args: errands.args })
        .from(errands)
        .where(and(isNull(errands.takenBy), gt(errands.atMs, afterMs)))
        .orderBy(asc(errands.atMs))
        .limit(MOST_AT_ONCE);
      const taken: Errand[] = [];
      for (const errand of free) {
        const rows = await database
          .update(errands)
          .set({ takenBy: fence.holder })
          .where(and(isFree(errand.id), holds(fence)))
          .returning({ id: errands.id });
        if (rows.length > 0) taken.push(errand);
      }
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
