import type { Database } from '../store/database.js';

/** A job type of one queue of one Redis. */
interface TypeKey {
  readonly instance: string;
  readonly queue: string;
  readonly type: string;
}

/** Thresholds that one console keeps: each is looked up whenever its type is judged. */
export const MAX_TYPE_THRESHOLDS = 5_000;

/** Run times from which people call a job type slow, by queue and job type. */
export interface TypeThresholds {
  /** ms; null: none is set. Costs no read, as it is asked for every type at every judgement. */
  of(instance: string, queue: string, type: string): number | null;
  /** How many are set. */
  readonly count: number;
  /**
   * Sets one, or with null removes it. In force from the moment it is on disk.
   * @returns false where there are MAX_TYPE_THRESHOLDS already; nothing has changed then.
   */
  set(
    key: TypeKey,
    slowThresholdMs: number | null,
    by: { readonly actor: string; readonly atMs: number },
  ): Promise<boolean>;
  /** What the store holds, for reading back. */
  read(key: TypeKey): Promise<number | null>;
}

/** The thresholds in the store, with a copy in memory that answers without waiting. */
export async function openTypeThresholds(database: Database): Promise<TypeThresholds> {
  const db = database.withTables<{ typeThresholds: ThresholdRow }>();
  const held = new HeldThresholds();
  for (const row of await db.selectFrom('typeThresholds').selectAll().limit(MAX_TYPE_THRESHOLDS).execute())
    held.set(decoded(row), row.slowMs);
  /** Under way: two that come at once must not both take the last place. */
  let coming = 0;

  return {
    of: (instance, queue, type) => held.of(instance, queue, type),
    get count() {
      return held.count;
    },
    async set(key, slowThresholdMs, { actor, atMs }) {
      if (slowThresholdMs === null) {
        await db
          .deleteFrom('typeThresholds')
          .where((is) => is.and(encoded(key)))
          .execute();
        held.delete(key);
        return true;
      }
      const isNew = held.of(key.instance, key.queue, key.type) === null;
      if (isNew && held.count + coming >= MAX_TYPE_THRESHOLDS) return false;
      coming += isNew ? 1 : 0;
      try {
        const values = { slowMs: slowThresholdMs, atMs, actor };
        await db
          .insertInto('typeThresholds')
          .values({ ...encoded(key), ...values })
          .onConflict((known) => known.columns(['instance', 'queue', 'type']).doUpdateSet(values))
          .execute();
        held.set(key, slowThresholdMs);
        return true;
      } finally {
        coming -= isNew ? 1 : 0;
      }
    },
    async read(key) {
      const row = await db
        .selectFrom('typeThresholds')
        .select('slowMs')
        .where((is) => is.and(encoded(key)))
        .executeTakeFirst();
      return row?.slowMs ?? null;
    },
  };
}

/** By queue first: nearly all queues have none, and are done with one look. */
class HeldThresholds {
  readonly #byQueue = new Map<string, Map<string, number>>();
  count = 0;

  of(instance: string, queue: string, type: string): number | null {
    return this.#byQueue.get(placeOf(instance, queue))?.get(type) ?? null;
  }

  set({ instance, queue, type }: TypeKey, slowMs: number): void {
    const place = placeOf(instance, queue);
    const types = this.#byQueue.get(place) ?? new Map<string, number>();
    if (!types.has(type)) this.count += 1;
    types.set(type, slowMs);
    this.#byQueue.set(place, types);
  }

  delete({ instance, queue, type }: TypeKey): void {
    const place = placeOf(instance, queue);
    const types = this.#byQueue.get(place);
    if (!types?.delete(type)) return;
    this.count -= 1;
    if (types.size === 0) this.#byQueue.delete(place);
  }
}

/** Names of Redises hold no slash. */
function placeOf(instance: string, queue: string): string {
  return `${instance}/${queue}`;
}

/** Job names hold any character, and no engine keeps a zero byte in a text. */
function encoded({ instance, queue, type }: TypeKey): TypeKey {
  return {
    instance: encodeURIComponent(instance.toWellFormed()),
    queue: encodeURIComponent(queue.toWellFormed()),
    type: encodeURIComponent(type.toWellFormed()),
  };
}

function decoded({ instance, queue, type }: TypeKey): TypeKey {
  return {
    instance: decodeURIComponent(instance),
    queue: decodeURIComponent(queue),
    type: decodeURIComponent(type),
  };
}

/** A run time from which people call a job type slow. Names are percent-encoded. */
interface ThresholdRow extends TypeKey {
  readonly slowMs: number;
  readonly atMs: number;
  readonly actor: string;
}
