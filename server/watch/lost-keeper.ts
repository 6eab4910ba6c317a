import type { Database } from '../store/database.js';
import type { LostWorker } from './lost-workers.js';
import { type LostWorkerStore, MAX_LOST } from './lost-workers.js';

/** Workers that are missed, a row each; several consoles that see the same write the same row. */
export function createLostWorkerStore(database: Database): LostWorkerStore {
  const db = database.withTables<{ lostWorkers: LostRow }>();
  return {
    async list(instance) {
      const rows = await db
        .selectFrom('lostWorkers')
        .select('record')
        .where('instance', '=', instance)
        .orderBy('lostAtMs')
        .limit(2 * MAX_LOST)
        .execute();
      return rows.map(({ record }) => JSON.parse(record));
    },
    async keep(instance, lost) {
      const { id, lastSeenAtMs: lostAtMs } = lost.worker;
      const record = JSON.stringify(lost);
      await db
        .insertInto('lostWorkers')
        .values({ instance, id, lostAtMs, record })
        .onConflict((known) => known.columns(['instance', 'id']).doUpdateSet({ record }))
        .execute();
      const of = db.selectFrom('lostWorkers').select('id').where('instance', '=', instance);
      // Those that were replaced stay for who has replaced them; the oldest go.
      await db
        .deleteFrom('lostWorkers')
        .where('instance', '=', instance)
        .where('id', 'not in', of.orderBy('lostAtMs', 'desc').limit(2 * MAX_LOST))
        .execute();
    },
    async drop(instance, id) {
      await db.deleteFrom('lostWorkers').where('instance', '=', instance).where('id', '=', id).execute();
    },
  };
}

/** Another console's dismissal is seen after at most this. */
const REFRESH_EVERY_MS = 20_000;

/**
 * Keeps the lost workers of one Redis in the store: best effort, what can't be kept holds until the console ends. One write
 * at a time; of what waits to be written the last of each worker counts, and no more than MAX_LOST wait.
 */
export class LostKeeper {
  readonly #store: LostWorkerStore | null;
  readonly #instance: string;
  readonly #warn: (message: string) => void;
  /** Known to stand in the store. */
  readonly #kept = new Set<string>();
  /** null: to be dropped. */
  readonly #pending = new Map<string, LostWorker | null>();
  #isWriting = false;
  #isRefreshing = false;
  #refreshedAtMs = 0;
  #hasWarned = false;

  constructor(store: LostWorkerStore | null, instance: string, warn: (message: string) => void) {
    this.#store = store;
    this.#instance = instance;
    this.#warn = warn;
  }

  /** What was lost before the console was started. Never rejects. */
  async recall(): Promise<readonly LostWorker[]> {
    const known = (await this.#try('read', (store) => store.list(this.#instance))) ?? [];
    for (const { worker } of known) this.#kept.add(worker.id);
    return known;
  }

  /** @param lost null: it is not missed any more. */
  write(id: string, lost: LostWorker | null): void {
    if (this.#store === null) return;
    this.#pending.delete(id);
    if (this.#pending.size < MAX_LOST) this.#pending.set(id, lost);
    if (!this.#isWriting) void this.#writeAll();
  }

  /** @returns false where the store still holds it: then it is missed again after a restart. Never rejects. */
  async drop(id: string): Promise<boolean> {
    this.#pending.delete(id);
    return this.#store === null || this.#drop(id);
  }

  /** Tells from time to time what was kept and is not any more: another console of the same store has dismissed it. */
  refresh(nowMs: number, dismissed: (id: string) => void): void {
    if (this.#kept.size === 0 || this.#isRefreshing || nowMs - this.#refreshedAtMs < REFRESH_EVERY_MS) return;
    this.#isRefreshing = true;
    this.#refreshedAtMs = nowMs;
    const before = [...this.#kept];
    void this.#try('read', (store) => store.list(this.#instance)).then((known) => {
      this.#isRefreshing = false;
      if (!known) return;
      const ids = new Set(known.map(({ worker }) => worker.id));
      for (const id of before) if (!ids.has(id) && this.#kept.delete(id)) dismissed(id);
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    for (let [next] = this.#pending; next !== undefined; [next] = this.#pending) {
      const [id, lost] = next;
      this.#pending.delete(id);
      if (lost === null) await this.#drop(id);
      else {
        const isKept = await this.#try('kept', async (store) => {
          await store.keep(this.#instance, lost);
          return true;
        });
        if (isKept) this.#kept.add(id);
      }
    }
    this.#isWriting = false;
  }

  async #drop(id: string): Promise<boolean> {
    this.#kept.delete(id);
    const isDropped = await this.#try('dismissed', async (store) => {
      await store.drop(this.#instance, id);
      return true;
    });
    return isDropped === true;
  }

  /** null: there is no store, or it refused, which is logged once. */
  async #try<T>(what: string, run: (store: LostWorkerStore) => Promise<T>): Promise<T | null> {
    if (this.#store === null) return null;
    try {
      return await run(this.#store);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!this.#hasWarned) this.#warn(`workers that are gone could not be ${what} in the store: ${why}`);
      this.#hasWarned = true;
      return null;
    }
  }
}

/** A worker that is gone without a farewell and is missed: see lost-workers.ts. */
interface LostRow {
  readonly instance: string;
  readonly id: string;
  readonly lostAtMs: number;
  readonly record: string;
}
