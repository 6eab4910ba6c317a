import { acceptSigned, type Ignored, SeenOrders, whyIgnored } from './accept-order.js';
import type { AttachedWorker } from './attached-worker.js';
import type { IgnoredOrders, Order, WorkerAnswer } from './protocol.js';
import { readKeptOrders, readSignedOrder } from './read-order.js';

/**
 * Orders that are looked at: so many at once, then so many a second. A console gives each worker of a fleet a few when it
 * comes; a signature costs tens of microseconds and an answer more, so a flood, of valid ones too, would take a core from jobs.
 */
const MAX_AT_ONCE = 500;
const PER_SECOND = 100;

/** What workers made of a live order. */
export interface Answered {
  readonly orderId: string;
  /** Settings are answered for at once; what takes a while (a reconnect) is ordered by itself, so that it holds up no others. */
  readonly workers: readonly (WorkerAnswer | Promise<WorkerAnswer>)[];
}

/** Takes orders in for the workers of one process, live and kept, and counts those that it does not take. */
export class OrderIntake {
  readonly #seen = new SeenOrders();
  #room = MAX_AT_ONCE;
  #roomAt = performance.now();
  #ignored: Required<IgnoredOrders> = {
    unsigned: 0,
    forged: 0,
    replayed: 0,
    late: 0,
    malformed: 0,
    unaddressed: 0,
    flooded: 0,
  };

  get ignored(): IgnoredOrders {
    return this.#ignored;
  }

  /** @param workers of the queue on whose channel it was heard. @returns null where no worker obeys or refuses it. */
  hear(text: string, workers: readonly AttachedWorker[], nowMs: number): Answered | null {
    if (!this.#hasRoom()) {
      this.#ignore(['flooded']);
      return null;
    }
    const signed = readSignedOrder(text);
    if (!signed) {
      this.#ignore(['malformed']);
      return null;
    }
    // Looked at once for each secret: a flood of orders must not cost a signature for each worker.
    const bySecret = new Map<string | null, Order | Ignored>();
    const reasons = new Set<Ignored>();
    const answers: (WorkerAnswer | Promise<WorkerAnswer>)[] = [];
    let orderId = '';
    for (const worker of workers) {
      const { secret } = worker;
      const order = bySecret.get(secret) ?? acceptSigned(signed, worker.queueId, secret);
      bySecret.set(secret, order);
      if (typeof order === 'string') {
        reasons.add(order);
        continue;
      }
      if (!worker.isMeant(order)) continue;
      const reason = whyIgnored(order, worker, this.#seen, nowMs);
      if (reason !== null) {
        reasons.add(reason);
        continue;
      }
      this.#seen.note(order, worker.id, performance.now());
      orderId = order.id;
      answers.push(order.setting === 'reconnect' ? worker.reconnect() : worker.obey(order));
    }
    this.#ignore(reasons);
    return answers.length === 0 ? null : { orderId, workers: answers };
  }

  /**
   * What a queue keeps, as it was read.
   * @param workers of that queue.
   * @param askedAt when it was asked for, by performance.now().
   */
  takeKept(text: string | null, workers: readonly AttachedWorker[], askedAt: number): void {
    const kept = Object.values(readKeptOrders(text));
    const bySecret = new Map<string | null, readonly Order[]>();
    for (const worker of workers) {
      const { secret, queueId } = worker;
      const orders =
        bySecret.get(secret) ??
        kept
          .map((signed) => acceptSigned(signed, queueId, secret))
          .filter((order) => typeof order !== 'string');
      bySecret.set(secret, orders);
      worker.takeKept(orders, askedAt);
    }
  }

  #hasRoom(): boolean {
    const at = performance.now();
    this.#room = Math.min(MAX_AT_ONCE, this.#room + ((at - this.#roomAt) / 1_000) * PER_SECOND);
    this.#roomAt = at;
    if (this.#room < 1) return false;
    this.#room -= 1;
    return true;
  }

  #ignore(reasons: Iterable<Ignored>): void {
    for (const reason of reasons) this.#ignored = { ...this.#ignored, [reason]: this.#ignored[reason] + 1 };
  }
}
