import { and, eq, isNull, sql } from 'drizzle-orm';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { ActionError } from '../model/action.js';
import type { Database } from '../store/tables.js';
import { type Fence, holds } from '../store/tables.js';

/** What somebody asks for: a name, and arguments that JSON can hold. */
export interface Command {
  readonly id: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** An command as it stands in the store. */
export interface CommandRow {
  readonly id: string;
  readonly isTaken: boolean;
  /** Its asker adds to it while it waits. */
  readonly beat: number;
}

const MAX_LISTED = 200;

/** What one console asks of the one that holds the lease, on the way through the store. */
export type CommandStore = ReturnType<typeof createCommandStore>;

export function createCommandStore(database: Database) {
  const isFree = (id: string) => and(eq(commands.id, id), isNull(commands.takenBy));
  return {
    async add(command: Command, atMs: number): Promise<void> {
      await database.insert(commands).values({ ...command, atMs });
    },
    /** The asker is still there. @returns false: somebody has taken it. */
    async stillAsked(id: string): Promise<boolean> {
      const rows = await database
        .update(commands)
        .set({ beat: sql`${commands.beat} + 1` })
        .where(isFree(id))
        .returning({ id: commands.id });
      return rows.length > 0;
    },
    /**
     * All that are there, oldest first, a bounded number. Read by itself: a look at nothing, several times a second, must not
     * ask for the lock of those who write.
     */
    async list(): Promise<readonly CommandRow[]> {
      const rows = await database
        .select({ id: commands.id, takenBy: commands.takenBy, beat: commands.beat })
        .from(commands)
        .orderBy(sql`rowid`)
        .limit(MAX_LISTED);
      return rows.map(({ id, takenBy, beat }) => ({ id, isTaken: takenBy !== null, beat }));
    },
    /** Takes those of these that nobody has taken: each is taken once, whoever looks. */
    async take(fence: Fence, ids: readonly string[]): Promise<readonly Command[]> {
      const taken: Command[] = [];
      for (const id of ids)
        taken.push(
          ...(await database
            .update(commands)
            .set({ takenBy: fence.holder })
            .where(and(isFree(id), holds(fence)))
            .returning({ id: commands.id, name: commands.name, args: commands.args })),
        );
      return taken;
    },
    async answer(id: string, answer: CommandAnswer): Promise<void> {
      await database.update(commands).set({ answer }).where(eq(commands.id, id));
    },
    /** null: not answered yet. */
    async read(id: string): Promise<CommandAnswer | null> {
      const [row] = await database
        .select({ answer: commands.answer })
        .from(commands)
        .where(eq(commands.id, id));
      return row?.answer ?? null;
    },
    /** @returns false: somebody has taken it already. */
    async withdraw(id: string): Promise<boolean> {
      return (await database.delete(commands).where(isFree(id)).returning({ id: commands.id })).length > 0;
    },
    async remove(id: string): Promise<void> {
      await database.delete(commands).where(eq(commands.id, id));
    },
  };
}

/** What one console asks of the one that holds the lease: see commands.ts. */
export const commands = sqliteTable('commands', {
  id: text('id').primaryKey(),
  atMs: integer('at_ms').notNull(),
  name: text('name').notNull(),
  args: text('args', { mode: 'json' }).$type<readonly unknown[]>().notNull(),
  takenBy: text('taken_by'),
  answer: text('answer', { mode: 'json' }).$type<CommandAnswer>(),
  /** Its asker adds to it while it waits. */
  beat: integer('beat').notNull().default(0),
});

/** What came of it: a value, or an error that is made anew at the asker. */
export type CommandAnswer =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly code: ActionError['code'];
      readonly message: string;
      readonly fields: ActionError['fields'];
    };
