import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { Generated } from 'kysely';
import { ActionError } from '../model/action.js';
import { every, reasonOf, type WorkHealth } from '../process/every.js';
import { type Database, type Fence, holds } from '../store/database.js';
import { holderInWords } from '../store/holder-id.js';
import type { Lease } from '../store/lease.js';

/** What somebody asks for: a name, and arguments that JSON can hold. */
interface Command {
  readonly id: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** An command as it stands in the store. */
interface CommandRow {
  readonly id: string;
  readonly isTaken: boolean;
  /** Its asker adds to it while it waits. */
  readonly beat: number;
}

const MAX_LISTED = 200;

/** What one console asks of the one that holds the lease, on the way through the store. */
export type CommandStore = ReturnType<typeof createCommandStore>;

export function createCommandStore(database: Database) {
  const db = database.withTables<{ commands: CommandTable }>();
  /** One that nobody has taken. */
  const free = (id: string) => db.updateTable('commands').where('id', '=', id).where('takenBy', 'is', null);
  return {
    async add({ id, name, args }: Command, atMs: number): Promise<void> {
      await db
        .insertInto('commands')
        .values({ id, name, args: JSON.stringify(args), atMs, takenBy: null, answer: null, beat: 0 })
        .execute();
    },
    /** The asker is still there. @returns false: somebody has taken it. */
    async stillAsked(id: string): Promise<boolean> {
      const beaten = free(id).set((row) => ({ beat: row('beat', '+', 1) }));
      return (await beaten.returning('id').execute()).length > 0;
    },
    /**
     * All that are there, oldest first, a bounded number. Read by itself: a look at nothing, several times a second, must not
     * ask for the lock of those who write.
     */
    async list(): Promise<readonly CommandRow[]> {
      const rows = await db
        .selectFrom('commands')
        .select(['id', 'takenBy', 'beat'])
        .orderBy('seq')
        .limit(MAX_LISTED)
        .execute();
      return rows.map(({ id, takenBy, beat }) => ({ id, isTaken: takenBy !== null, beat }));
    },
    /** Takes those of these that nobody has taken: each is taken once, whoever looks. */
    async take(fence: Fence, ids: readonly string[]): Promise<readonly Command[]> {
      const taken: Command[] = [];
      for (const id of ids) {
        const rows = await free(id)
          .set({ takenBy: fence.holder })
          .where(holds(database, fence))
          .returning(['id', 'name', 'args'])
          .execute();
        taken.push(...rows.map((row) => ({ ...row, args: JSON.parse(row.args) })));
      }
      return taken;
    },
    async answer(id: string, answer: CommandAnswer): Promise<void> {
      await db
        .updateTable('commands')
        .set({ answer: JSON.stringify(answer) })
        .where('id', '=', id)
        .execute();
    },
    /** null: not answered yet. */
    async read(id: string): Promise<CommandAnswer | null> {
      const row = await db.selectFrom('commands').select('answer').where('id', '=', id).executeTakeFirst();
      return row?.answer ? JSON.parse(row.answer) : null;
    },
    /** @returns false: somebody has taken it already. */
    async withdraw(id: string): Promise<boolean> {
      const gone = db.deleteFrom('commands').where('id', '=', id).where('takenBy', 'is', null);
      return (await gone.returning('id').execute()).length > 0;
    },
    async remove(id: string): Promise<void> {
      await db.deleteFrom('commands').where('id', '=', id).execute();
    },
  };
}

/** What one console asks of the one that holds the lease. */
interface CommandTable {
  /** In order of arrival. */
  readonly seq: Generated<number>;
  readonly id: string;
  readonly atMs: number;
  readonly name: string;
  readonly args: string;
  readonly takenBy: string | null;
  readonly answer: string | null;
  /** Its asker adds to it while it waits. */
  readonly beat: number;
}

/** What came of it: a value, or an error that is made anew at the asker. */
type CommandAnswer =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly code: ActionError['code'];
      readonly message: string;
      readonly fields: ActionError['fields'];
    };

interface CommandRelayDeps {
  readonly store: CommandStore;
  readonly lease: Pick<Lease, 'name' | 'holder' | 'isHeld' | 'otherHolder'>;
  readonly now: () => number;
  readonly newId: () => string;
  readonly warn: (message: string) => void;
}

type Handlers = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

const TAKE_EVERY_MS = 200;
const LOOK_EVERY_MS = 50;
/** Looks that are further apart than this tell nothing of how long an order has been there. */
const LOOKS_ON_MS = 1_000;
const BEAT_EVERY_MS = 500;
/** Of an order whose beat stands still, and of one that was taken and whose answer nobody has fetched. */
const ASKER_GONE_MS = 10_000;
const UNFETCHED_MS = 60_000;
/** Nobody takes it for so long: it is withdrawn, and nothing has happened. */
const TAKEN_WITHIN_MS = 5_000;
/** A pause waits for what Redis has in hand, and that may be slow. */
const ANSWERED_WITHIN_MS = 30_000;

/**
 * Orders of people reach the console that moves jobs, whichever one they were given to: they go through the store, and
 * the holder of the lease takes each once, at most 0.2 s later. What nobody takes is withdrawn, so that it is never done
 * behind the back of somebody who was answered that it was not.
 *
 * No clock of two machines is compared. An order that comes between two looks is taken at once. One that was there before
 * the first look may be of somebody who has gone: it is taken when its asker adds to its beat, and dropped where nobody does.
 */
export class CommandRelay {
  readonly #deps: CommandRelayDeps;
  #handlers: Handlers = {};
  #lookedAtMs: number | null = null;
  readonly #seen = new Map<string, { readonly beat: number; readonly sinceMs: number }>();
  readonly #loop = every(
    TAKE_EVERY_MS,
    () => this.#takeAll(),
    (error) => this.#deps.warn(`orders of other consoles can't be taken: ${reasonOf(error)}`),
  );

  constructor(deps: CommandRelayDeps) {
    this.#deps = deps;
  }

  /** The console that moves jobs at present, for a sentence about it. */
  other(): string {
    const { otherHolder } = this.#deps.lease;
    return otherHolder === null ? 'another console' : `another console (${holderInWords(otherHolder)})`;
  }

  /** Takes what others ask for, and carries it out by its name. */
  start(handlers: Handlers): void {
    this.#handlers = handlers;
    this.#loop.start();
  }

  /** Takes no more. What was taken is carried on with, and fails by itself where it can't be. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#lookedAtMs = null;
    this.#seen.clear();
  }

  get health(): WorkHealth {
    return this.#loop.health();
  }

  /** Has the holder of the lease do it. @throws ActionError as it would there, and when nobody does it. */
  async send(name: string, args: readonly unknown[]): Promise<unknown> {
    const { store, now, newId } = this.#deps;
    const id = newId();
    let isTaken = false;
    await store.add({ id, name, args }, now());
    const beganMs = performance.now();
    let beatAtMs = beganMs;
    const sinceMs = (fromMs: number): number => performance.now() - fromMs;
    for (;;) {
      await wait(LOOK_EVERY_MS);
      const answer = await store.read(id);
      if (answer) {
        await store.remove(id).catch(() => undefined);
        return broughtBack(answer);
      }
      if (!isTaken && sinceMs(beatAtMs) >= BEAT_EVERY_MS) {
        beatAtMs = performance.now();
        isTaken = !(await store.stillAsked(id));
      }
      if (!isTaken && sinceMs(beganMs) >= TAKEN_WITHIN_MS) {
        if (await store.withdraw(id))
          throw new ActionError(
            'unavailable',
            `Jobs are moved by ${this.other()}, which has not taken this order for ${TAKEN_WITHIN_MS / 1000} s: nothing was done. Another one takes over within 15 s of its end; try again`,
          );
        isTaken = true;
      }
      if (sinceMs(beganMs) >= ANSWERED_WITHIN_MS)
        throw new ActionError(
          'unavailable',
          `This order was taken by ${this.other()}, which has not answered for ${ANSWERED_WITHIN_MS / 1000} s: look what came of it before you try again`,
        );
    }
  }

  async #takeAll(): Promise<void> {
    const { store, lease } = this.#deps;
    if (!lease.isHeld()) return;
    const fence = { lease: lease.name, holder: lease.holder };
    const due = await this.#due();
    for (const command of await store.take(fence, due)) void this.#carryOut(command);
  }

  /** Orders whose asker is there. Those of askers that are gone are dropped. */
  async #due(): Promise<readonly string[]> {
    const { store } = this.#deps;
    const nowMs = performance.now();
    const looksOn = this.#lookedAtMs !== null && nowMs - this.#lookedAtMs < LOOKS_ON_MS;
    this.#lookedAtMs = nowMs;
    const rows = await store.list();
    const due: string[] = [];
    for (const { id, isTaken, beat } of rows) {
      const before = this.#seen.get(id);
      if (before?.beat === beat) {
        if (nowMs - before.sinceMs > (isTaken ? UNFETCHED_MS : ASKER_GONE_MS)) await store.remove(id);
        continue;
      }
      this.#seen.set(id, { beat, sinceMs: nowMs });
      if (!isTaken && (before !== undefined || looksOn)) due.push(id);
    }
    const there = new Set(rows.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!there.has(id)) this.#seen.delete(id);
    return due;
  }

  async #carryOut({ id, name, args }: Command): Promise<void> {
    const handle = Object.hasOwn(this.#handlers, name) ? this.#handlers[name] : undefined;
    const answer = await (handle ? handle(...(args as never[])) : Promise.reject(unknownCommand(name))).then(
      (value: unknown): CommandAnswer => ({ ok: true, value: value ?? null }),
      answerOf,
    );
    await this.#deps.store.answer(id, answer).catch((error: unknown) => {
      this.#deps.warn(`the answer to an order could not be written: ${reasonOf(error)}`);
    });
  }
}

/** Methods that other consoles may call, by the names that they send: `<of>.<method>`. */
export function handlersOf<T>(of: string, target: T, names: readonly (keyof T & string)[]): Handlers {
  const call = (name: keyof T) => (target[name] as (...args: never[]) => Promise<unknown>).bind(target);
  return Object.fromEntries(names.map((name) => [`${of}.${name}`, call(name)]));
}

/** Two versions side by side: one asks what the other does not know. */
function unknownCommand(name: string): ActionError {
  return new ActionError(
    'unavailable',
    `the console that moves jobs is of another version: no ${name} there`,
  );
}

function answerOf(error: unknown): CommandAnswer {
  if (error instanceof ActionError)
    return { ok: false, code: error.code, message: error.message, fields: error.fields };
  return { ok: false, code: 'unavailable', message: reasonOf(error), fields: [] };
}

function broughtBack(answer: CommandAnswer): unknown {
  if (answer.ok) return answer.value;
  throw new ActionError(answer.code, answer.message, answer.fields);
}
