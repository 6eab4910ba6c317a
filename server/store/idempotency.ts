import { and, eq, lt } from 'drizzle-orm';
import type { Database } from './open-store.js';
import { idempotency } from './schema.js';

/** How long an answer is kept for a repeat of its request. */
const KEEP_MS = 24 * 3_600_000;

export type Claim =
  /** Nobody has used the key: do it, then `finish`. */
  | { readonly kind: 'new' }
  /** The same request is under way. */
  | { readonly kind: 'under-way' }
  /** The key belongs to a request with another body or path. */
  | { readonly kind: 'other-request' }
  | { readonly kind: 'done'; readonly status: number; readonly body: string };

/** Answers by actor and key, so that a repeated request does nothing twice. */
export interface IdempotencyStore {
  claim(actor: string, key: string, fingerprint: string, nowMs: number): Promise<Claim>;
  finish(actor: string, key: string, status: number, body: string): Promise<void>;
  /** Forgets a claim whose request came to nothing, so that it can be tried again. */
  release(actor: string, key: string): Promise<void>;
}

export function createIdempotencyStore(database: Database): IdempotencyStore {
  const one = (actor: string, key: string) => and(eq(idempotency.actor, actor), eq(idempotency.key, key));
  return {
    async claim(actor, key, fingerprint, nowMs) {
      await database.delete(idempotency).where(lt(idempotency.atMs, nowMs - KEEP_MS));
      const inserted = await database
        .insert(idempotency)
        .values({ actor, key, fingerprint, atMs: nowMs })
        .onConflictDoNothing()
        .returning({ key: idempotency.key });
      if (inserted.length === 1) return { kind: 'new' };
      const [known] = await database.select().from(idempotency).where(one(actor, key));
      if (!known) return { kind: 'under-way' };
      if (known.fingerprint !== fingerprint) return { kind: 'other-request' };
      if (known.status === null || known.body === null) return { kind: 'under-way' };
      return { kind: 'done', status: known.status, body: known.body };
    },
    async finish(actor, key, status, body) {
      await database.update(idempotency).set({ status, body }).where(one(actor, key));
    },
    async release(actor, key) {
      await database.delete(idempotency).where(one(actor, key));
    },
  };
}
