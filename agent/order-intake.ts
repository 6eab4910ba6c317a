import type { AttachedWorker } from './attached-worker.js';
import {
  type IgnoredOrders,
  type KeptOrders,
  ORDER_VALID_MS,
  type Order,
  PROTOCOL,
  type SignedOrder,
  type WorkerAnswer,
  type WorkerLimiter,
} from './protocol.js';
import { isSignedWith } from './signature.js';

/** Texts longer than this are not orders. */
const MAX_CHARS = 16_384;
const MAX_KEPT = 1_000;
/** What a queue keeps: 500 orders with a reason of 1,000 characters each. More than this is not even fetched. */
export const MAX_KEPT_BYTES = 2 * 1024 * 1024;
const SETTINGS: readonly Order['setting'][] = ['concurrency', 'paused', 'limiter', 'all', 'reconnect'];

/** What came on an order channel; null where it is nothing of the kind. By hand: a worker has no schema library. */
export function readSignedOrder(text: string): SignedOrder | null {
  if (text.length > MAX_CHARS) return null;
  return asSignedOrder(parseJson(text));
}

/** The field that keeps orders; what can't be read in it is left out. */
export function parseKeptOrders(text: string | null): KeptOrders {
  const parsed = text === null || text.length > MAX_KEPT_BYTES ? null : parseJson(text);
  if (!isRecord(parsed)) return {};
  const kept: Record<string, SignedOrder> = {};
  for (const [key, value] of Object.entries(parsed).slice(0, MAX_KEPT)) {
    const signed = asSignedOrder(value);
    if (signed) kept[key] = signed;
  }
  return kept;
}

function asSignedOrder(value: unknown): SignedOrder | null {
  if (!isRecord(value) || typeof value.v !== 'number' || typeof value.body !== 'string') return null;
  if (value.body.length > MAX_CHARS) return null;
  if (value.sig !== null && value.sig !== undefined && typeof value.sig !== 'string') return null;
  return { v: value.v, body: value.body, sig: value.sig ?? null };
}

/** The order inside; null where a field is missing or is not what it has to be. */
export function readOrder(body: string): Order | null {
  const value = parseJson(body);
  if (!isRecord(value)) return null;
  const { id, nonce, atMs, queue, workers, scope, by, reason, untilMs, setting } = value;
  if (typeof id !== 'string' || id === '' || id.length > 100) return null;
  if (nonce !== undefined && (typeof nonce !== 'string' || nonce === '' || nonce.length > 100)) return null;
  if (typeof atMs !== 'number' || !Number.isFinite(atMs)) return null;
  if (typeof queue !== 'string' || typeof scope !== 'string') return null;
  if (typeof by !== 'string' || typeof reason !== 'string') return null;
  if (untilMs !== null && (typeof untilMs !== 'number' || !Number.isFinite(untilMs))) return null;
  if (workers !== null && !isTextList(workers)) return null;
  if (!SETTINGS.includes(setting as Order['setting'])) return null;
  if (!fits(setting as Order['setting'], value.value)) return null;
  return value as unknown as Order;
}

function fits(setting: Order['setting'], value: unknown): boolean {
  if (setting === 'reconnect') return value === true;
  if (value === null) return true;
  switch (setting) {
    case 'concurrency':
      return isRecord(value) ? isPositive(value.factor) : isPositive(value) && Number.isInteger(value);
    case 'paused':
      return typeof value === 'boolean';
    case 'limiter':
      return value === 'none' || isLimiter(value);
    case 'all':
      return false;
  }
}

function isLimiter(value: unknown): value is WorkerLimiter {
  return isRecord(value) && isPositive(value.max) && isPositive(value.durationMs);
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Ids that are remembered; with more orders than this in ORDER_VALID_MS the oldest is forgotten first. */
const MAX_REMEMBERED = 20_000;

type Ignored = keyof IgnoredOrders;

/** The worker that an order is looked at for. */
interface Addressee {
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

  /** @param workers of the queue on whose channel it came. @returns null where no worker obeys or refuses it. */
  receive(text: string, workers: readonly AttachedWorker[], nowMs: number): Answered | null {
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
    const kept = Object.values(parseKeptOrders(text));
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
