import { type IgnoredOrders, ORDER_VALID_MS, type Order, PROTOCOL, type SignedOrder } from './protocol.js';
import { readOrder } from './read-order.js';
import { isSignedWith } from './signature.js';

/** Ids that are remembered; with more orders than this in ORDER_VALID_MS the oldest is forgotten first. */
const MAX_REMEMBERED = 20_000;

export type Ignored = keyof IgnoredOrders;

/** The worker that an order is looked at for. */
export interface Addressee {
  readonly id: string;
  /** null: its owner asks for no signature. */
  readonly secret: string | null;
}

/** Orders that were obeyed before, by their nonce and worker: an order counts once for a worker. */
export class SeenOrders {
  readonly #atMs = new Map<string, number>();

  has(order: Order, workerId: string): boolean {
    return this.#atMs.has(keyOf(order, workerId));
  }

  /** @param steadyMs by a clock that is never set: one that jumps ahead and back must not have them forgotten. */
  note(order: Order, workerId: string, steadyMs: number): void {
    this.#atMs.set(keyOf(order, workerId), steadyMs);
    for (const [known, atMs] of this.#atMs) {
      // An order as old as that would be refused for its age.
      if (this.#atMs.size <= MAX_REMEMBERED && steadyMs - atMs <= 2 * ORDER_VALID_MS) break;
      this.#atMs.delete(known);
    }
  }
}

function keyOf(order: Order, workerId: string): string {
  return `${order.nonce ?? order.id} ${workerId}`;
}

/**
 * Why a live order is not obeyed by this worker; null where it is. With a secret it has to name the worker: a worker's id is
 * random and made at its attach, so that an order which was caught counts for no worker that comes later and for none on
 * another Redis. Pure but for `seen`, which is only read.
 * @param order as `acceptSigned` has found it to be.
 */
export function whyIgnored(order: Order, worker: Addressee, seen: SeenOrders, nowMs: number): Ignored | null {
  if (Math.abs(nowMs - order.atMs) > ORDER_VALID_MS) return 'late';
  if (worker.secret !== null && order.workers === null) return 'unaddressed';
  return seen.has(order, worker.id) ? 'replayed' : null;
}

/**
 * The order in it, or why it is none, whenever it was given. Its signature is looked at before anything that it says. Pure.
 * @param secret null: no signature is asked for.
 */
export function acceptSigned(signed: SignedOrder, queue: string, secret: string | null): Order | Ignored {
  if (signed.v > PROTOCOL) return 'malformed';
  if (secret !== null && signed.sig === null) return 'unsigned';
  if (secret !== null && !isSignedWith(signed, secret)) return 'forged';
  const order = readOrder(signed.body);
  return order === null || order.queue !== queue ? 'malformed' : order;
}
