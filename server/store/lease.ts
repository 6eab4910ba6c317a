import { every, reasonOf, type WorkHealth } from '../process/every.js';
import type { Database } from './database.js';

/** Who holds a lease, and how often it has been renewed or taken. */
interface LeaseRow {
  /** '' where it was given back. */
  readonly holder: string;
  readonly beat: number;
}

/** Compare-and-set over named leases. */
export interface LeaseStore {
  read(name: string): Promise<LeaseRow | null>;
  /** Makes `holder` the holder where the lease still stands as it was seen. @returns did it? */
  take(name: string, holder: string, seen: LeaseRow | null): Promise<boolean>;
  /** @returns false: it is another's by now. */
  renew(name: string, holder: string): Promise<boolean>;
  release(name: string, holder: string): Promise<void>;
}

const LOOK_EVERY_MS = 1_000;
const RENEW_EVERY_MS = 3_000;
/** A lease whose beat others have not seen change for this long is theirs to take. */
const TTL_MS = 10_000;
/** The holder gives up this much earlier, so that two never believe to hold it. */
const MARGIN_MS = 2_000;

interface LeaseOptions {
  readonly store: LeaseStore;
  readonly name: string;
  /** One for each life of a process. */
  readonly holder: string;
  /** Never set back: `performance.now`. */
  readonly monotonicMs: () => number;
  /** Is this holder gone beyond doubt? Then nobody waits for its time to be over. */
  readonly isGone?: (holder: string) => boolean;
  /** Called once for each row of failures. */
  readonly onProblem?: (error: unknown) => void;
}

/**
 * What only one of several consoles on a store may do at a time.
 *
 * No clock of any machine is compared with another's: the holder adds to a beat every 3 s, and whoever has seen the same
 * beat for 10 s by its own monotonic clock takes the lease, if it still stands as it was seen. A clock that is set, or
 * differs between machines, changes nothing. After a kill another holds it within 10 s + 1 s; after an orderly stop, or
 * where it can be known that the holder's process has ended (see holder-id.ts), within 1 s.
 * A holder that was suspended finds by its own clock that its time is over; where it is in the middle of something, a
 * statement that checks the holder inside (`Fence` of the outbox) is what keeps it from harm.
 */
export class Lease {
  readonly name: string;
  readonly holder: string;
  readonly #options: LeaseOptions;
  readonly #listeners = new Set<() => void>();
  #term = 0;
  #otherHolder: string | null = null;
  #renewedAtMs: number | null = null;
  #seen: { row: LeaseRow; sinceMs: number } | null = null;
  readonly #loop = every(
    LOOK_EVERY_MS,
    () => this.#turn(),
    (error, failures) => {
      if (failures === 1) this.#options.onProblem?.(error);
    },
  );

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.name = options.name;
    this.holder = options.holder;
  }

  /** Is it ours, beyond doubt, now? */
  isHeld(): boolean {
    return this.#renewedAtMs !== null && this.#options.monotonicMs() - this.#renewedAtMs < TTL_MS - MARGIN_MS;
  }

  /** A number for each unbroken time in which it is ours; null: it is not. */
  get term(): number | null {
    return this.isHeld() ? this.#term : null;
  }

  /** Who else held it when it was last looked at; null: nobody. */
  get otherHolder(): string | null {
    return this.isHeld() ? null : this.#otherHolder;
  }

  /** Called each time that it is taken. */
  onTaken(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Resolves after the first look: one that is free is ours by then. */
  start(): Promise<void> {
    this.#loop.start();
    return this.look();
  }

  /** One look at the lease; one at a time. Never throws. */
  look(): Promise<void> {
    return this.#loop.run();
  }

  /** Gives it back, so that another takes it at its next look. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    const wasHeld = this.isHeld();
    this.#renewedAtMs = null;
    if (wasHeld) await this.#options.store.release(this.name, this.holder).catch(() => undefined);
  }

  async #turn(): Promise<void> {
    const { store, monotonicMs } = this.#options;
    // Taken before the write goes out: the others count from when they see it, which is later.
    const nowMs = monotonicMs();
    if (this.#renewedAtMs !== null) {
      if (nowMs - this.#renewedAtMs < RENEW_EVERY_MS) return;
      const isRenewed = await store.renew(this.name, this.holder);
      // Nobody took it, but whoever asked meanwhile was answered that it is not ours, and has stopped: that is another term.
      const hasLapsed = !this.isHeld();
      this.#renewedAtMs = isRenewed ? nowMs : null;
      if (isRenewed && hasLapsed) this.#beginTerm();
      if (isRenewed) return;
    }
    const row = await store.read(this.name);
    this.#otherHolder = row === null || row.holder === this.holder ? null : row.holder || null;
    if (!this.#isFree(row, nowMs) || !(await store.take(this.name, this.holder, row))) return;
    this.#seen = null;
    this.#renewedAtMs = nowMs;
    this.#beginTerm();
  }

  #beginTerm(): void {
    this.#term += 1;
    for (const listener of this.#listeners) listener();
  }

  #isFree(row: LeaseRow | null, nowMs: number): boolean {
    if (row === null || row.holder === '') return true;
    const { holder, beat } = row;
    if (this.#options.isGone?.(holder)) return true;
    if (this.#seen === null || this.#seen.row.holder !== holder || this.#seen.row.beat !== beat) {
      this.#seen = { row, sinceMs: nowMs };
      return false;
    }
    return nowMs - this.#seen.sinceMs >= TTL_MS;
  }
}

/** Leases in the store. Each change is one statement, so it holds for all processes that share the store. */
export function createLeaseStore(database: Database): LeaseStore {
  const db = database.withTables<{ leases: LeaseRow & { readonly name: string } }>();
  const update = (name: string, holder: string) =>
    db.updateTable('leases').where('name', '=', name).where('holder', '=', holder);
  return {
    async read(name) {
      const row = await db
        .selectFrom('leases')
        .select(['holder', 'beat'])
        .where('name', '=', name)
        .executeTakeFirst();
      return row ?? null;
    },
    async take(name, holder, seen) {
      const first = db
        .insertInto('leases')
        .values({ name, holder, beat: 0 })
        .onConflict((known) => known.doNothing());
      const taken =
        seen === null
          ? await first.returning('name').execute()
          : await update(name, seen.holder)
              .set({ holder, beat: seen.beat + 1 })
              .where('beat', '=', seen.beat)
              .returning('name')
              .execute();
      return taken.length === 1;
    },
    async renew(name, holder) {
      const renewed = update(name, holder).set((row) => ({ beat: row('beat', '+', 1) }));
      return (await renewed.returning('name').execute()).length === 1;
    },
    async release(name, holder) {
      await update(name, holder).set({ holder: '' }).execute();
    },
  };
}

interface LeaderTaskOptions {
  /** Of the lease: work that was stopped between two looks is taken up anew. */
  readonly term: () => number | null;
  /** Reads what is kept and goes on with it. */
  readonly onElected: () => Promise<void>;
  /** Stops at once. */
  readonly onDemoted: () => Promise<void>;
  readonly warn: (message: string) => void;
}

/** The holder of a lease gives up 2 s before another may take it: time enough to see that, and to let go. */
const TERM_LOOK_MS = 100;

/** Work that goes on only where a lease is held: taken up when it is taken, let go when it is lost; one after the other. */
export class LeaderTask {
  readonly #options: LeaderTaskOptions;
  /** The term for which it is taken up. */
  #on: number | null = null;
  readonly #loop = every(
    TERM_LOOK_MS,
    () => this.#turn(),
    (error) => this.#options.warn(`what moves jobs can't be taken up or let go: ${reasonOf(error)}`),
  );

  constructor(options: LeaderTaskOptions) {
    this.#options = options;
  }

  /** Resolves once it is taken up, where it is ours by now. */
  async start(): Promise<void> {
    this.#loop.start();
    await this.#loop.run();
  }

  get health(): WorkHealth {
    return this.#loop.health();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    if (this.#on !== null) await this.#options.onDemoted();
    this.#on = null;
  }

  async #turn(): Promise<void> {
    const { onElected, onDemoted } = this.#options;
    const term = this.#options.term();
    if (term === this.#on) return;
    try {
      if (this.#on !== null) await onDemoted();
      this.#on = null;
      if (term !== null) await onElected();
      this.#on = term;
    } catch (error) {
      // A store that can't be read now: what was begun of it is left, and it is tried again at the next look.
      if (term !== null) await onDemoted().catch(() => undefined);
      throw error;
    }
  }
}
