import { sql } from 'kysely';
import type { Database } from './database.js';

/** How long an answer is kept for a repeat of its request. */
const KEEP_MS = 24 * 3_600_000;
const BEAT_EVERY_MS = 3_000;
/** A claim whose beat has not changed for so long, by the monotonic clock of whoever asks, has nobody at work on it. */
const GONE_AFTER_MS = 10_000;
/** Claims of others that are watched at a time, each because somebody asks for it again and again. */
const MAX_WATCHED = 1_000;

export type Claim =
  /** Nobody has used the key: do it, then `finish` or `release`. */
  | { readonly kind: 'new' }
  /** The same request is under way. */
  | { readonly kind: 'under-way' }
  /** The process that carried it out has ended, or could not write what came of it: it may be done, or not. */
  | { readonly kind: 'interrupted' }
  /** The key belongs to a request with another body or path. */
  | { readonly kind: 'other-request' }
  /** @property bodyDigest of a body that was too large to be part of the fingerprint; null: it was part of it. */
  | {
      readonly kind: 'done';
      readonly status: number;
      readonly body: string;
      readonly bodyDigest: string | null;
    };

/** Answers by actor and key, so that a repeated request does nothing twice. All throw what keeps the store from it. */
export interface IdempotencyStore {
  /** @param mayRepeat carry an interrupted one out again: right where doing it twice comes to the same. */
  claim(actor: string, key: string, fingerprint: string, nowMs: number, mayRepeat: boolean): Promise<Claim>;
  finish(
    actor: string,
    key: string,
    answer: { readonly status: number; readonly body: string; readonly bodyDigest?: string },
  ): Promise<void>;
  /** Forgets a claim whose request came to nothing, so that it can be tried again. */
  release(actor: string, key: string): Promise<void>;
}

interface IdempotencyOptions {
  /** One for each life of a process. */
  readonly holder: string;
  /** Is this holder gone beyond doubt? Of one on another machine nobody can say. */
  readonly isGone: (holder: string) => boolean;
  /** Never set back: `performance.now`. */
  readonly monotonicMs: () => number;
}

/**
 * A claim names the process that holds it. While its request runs that process adds to a beat, so that after a kill between
 * claim and answer others know: at once on the same machine, else when the beat has stood still for 10 s. No clock of two
 * machines is compared.
 */
export function createIdempotencyStore(
  database: Database,
  { holder, isGone, monotonicMs }: IdempotencyOptions,
): IdempotencyStore {
  const db = database.withTables<{ idempotency: IdempotencyRow }>();
  const beats = new Map<string, NodeJS.Timeout>();
  const watched = new Map<
    string,
    { readonly holder: string | null; readonly beat: number; readonly sinceMs: number }
  >();
  const update = (actor: string, key: string) =>
    db.updateTable('idempotency').where('actor', '=', actor).where('key', '=', key);
  const nameOf = (actor: string, key: string): string => `${actor}\n${key}`;
  const begin = (actor: string, key: string): void => {
    const beat = setInterval(() => {
      // A store that can't be written now: the answer says so in the end.
      void update(actor, key)
        .set((row) => ({ beat: row('beat', '+', 1) }))
        .execute()
        .catch(() => undefined);
    }, BEAT_EVERY_MS).unref();
    beats.set(nameOf(actor, key), beat);
  };
  const end = (actor: string, key: string): void => {
    clearInterval(beats.get(nameOf(actor, key)));
    beats.delete(nameOf(actor, key));
  };
  const isInterrupted = (
    name: string,
    row: { readonly holder: string | null; readonly beat: number },
  ): boolean => {
    if (row.holder === holder) return !beats.has(name);
    if (row.holder !== null && isGone(row.holder)) return true;
    const before = watched.get(name);
    const nowMs = monotonicMs();
    if (before?.holder === row.holder && before.beat === row.beat)
      return nowMs - before.sinceMs >= GONE_AFTER_MS;
    watched.delete(name);
    watched.set(name, { ...row, sinceMs: nowMs });
    for (const oldest of watched.keys()) {
      if (watched.size <= MAX_WATCHED) break;
      watched.delete(oldest);
    }
    return false;
  };
  /** Compare and set: of several that ask at once, one carries it out. */
  const takeOver = async (
    actor: string,
    key: string,
    seen: { readonly holder: string | null; readonly beat: number },
  ): Promise<boolean> => {
    const taken = await update(actor, key)
      .set({ holder, beat: seen.beat + 1 })
      .where('holder', seen.holder === null ? 'is' : '=', seen.holder)
      .where('beat', '=', seen.beat)
      .where('status', 'is', null)
      .returning('key')
      .execute();
    return taken.length === 1;
  };
  return {
    async claim(actor, key, fingerprint, nowMs, mayRepeat) {
      // Read first: what is known is answered also while the disk is full.
      const read = () =>
        db
          .selectFrom('idempotency')
          .selectAll()
          .where('actor', '=', actor)
          .where('key', '=', key)
          .executeTakeFirst();
      let known = await read();
      if (known && known.atMs < nowMs - KEEP_MS) known = undefined;
      if (!known) {
        await db
          .deleteFrom('idempotency')
          .where('atMs', '<', nowMs - KEEP_MS)
          .execute();
        const inserted = await db
          .insertInto('idempotency')
          .values({ actor, key, fingerprint, atMs: nowMs, status: null, body: null, holder, beat: 0 })
          .onConflict((known) => known.doNothing())
          .returning('key')
          .execute();
        if (inserted.length === 1) {
          begin(actor, key);
          return { kind: 'new' };
        }
        known = await read();
        if (!known) return { kind: 'under-way' };
      }
      const [head, bodyDigest = null] = known.fingerprint.split(':');
      if (head !== fingerprint) return { kind: 'other-request' };
      if (known.status !== null && known.body !== null)
        return { kind: 'done', status: known.status, body: known.body, bodyDigest };
      if (!isInterrupted(nameOf(actor, key), { holder: known.holder, beat: known.beat }))
        return { kind: 'under-way' };
      if (!mayRepeat) return { kind: 'interrupted' };
      if (!(await takeOver(actor, key, known))) return { kind: 'under-way' };
      begin(actor, key);
      return { kind: 'new' };
    },
    async finish(actor, key, { status, body, bodyDigest }) {
      end(actor, key);
      const isWithDigest = bodyDigest !== undefined && {
        fingerprint: sql<string>`fingerprint || ${`:${bodyDigest}`}`,
      };
      await update(actor, key)
        .set({ status, body, ...isWithDigest })
        .execute();
    },
    async release(actor, key) {
      end(actor, key);
      await db.deleteFrom('idempotency').where('actor', '=', actor).where('key', '=', key).execute();
    },
  };
}

/** An answer to a request that carried an Idempotency-Key; status and body are null while the first one is under way. */
interface IdempotencyRow {
  readonly key: string;
  readonly actor: string;
  readonly fingerprint: string;
  readonly atMs: number;
  readonly status: number | null;
  readonly body: string | null;
  /** The process that carries it out, and a count that it adds to while it does. */
  readonly holder: string | null;
  readonly beat: number;
}
