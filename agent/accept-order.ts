import { type IgnoredOrders, ORDER_VALID_MS, type Order, PROTOCOL, type SignedOrder } from './protocol.js';
import { readOrder } from './read-order.js';
import { isSignedWith } from './signature.js';

/** Ids that are remembered; with more orders than this in ORDER_VALID_MS the oldest is forgotten first. */
const MOST_REMEMBERED = 20_000;

export type Ignored = keyof IgnoredOrders;

/** Orders that were obeyed before, by id: an id counts once. */
export class SeenOrders {
  readonly #atMs = new Map<string, number>();

  has(id: string): boolean {
    return this.#atMs.has(id);
  }

  note(id: string, nowMs: number): void {
    this.#atMs.set(id, nowMs);
    for (const [known, atMs] of this.#atMs) {
      // An order as old as that would be refused for its age.
      if (this.#atMs.size <= MOST_REMEMBERED && nowMs - atMs <= 2 * ORDER_VALID_MS) break;
      this.#atMs.delete(known);
    }
  }
}

/**
 * The order in it, or why it is not obeyed. Its signature is looked at before anything that it says. Pure but for `seen`,
 * which is only read.
 * @param secret of this worker; null: its owner asks for no signature.
 */
export function acceptLive(
  signed: SignedOrder,
  queue: string,
  secret: string | null,
  seen: SeenOrders,
  nowMs: number,
): Order | Ignored {
  const order = acceptKept(signed, queue, secret);
  if (typeof order === 'string') return order;
  if (Math.abs(nowMs - order.atMs) > ORDER_VALID_MS) return 'late';
  if (seen.has(order.id)) return 'replayed';
  return order;
}

/** The same for an order that was kept in Redis: it may be old, and is read again and again. */
export function acceptKept(signed: SignedOrder, queue: string, secret: string | null): Order | Ignored {
  if (signed.v > PROTOCOL) return 'malformed';
  if (secret !== null && signed.sig === null) return 'unsigned';
  if (secret !== null && !isSignedWith(signed, secret)) return 'forged';
  const order = readOrder(signed.body);
  return order === null || order.queue !== queue ? 'malformed' : order;
}
