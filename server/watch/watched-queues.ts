import type { InstanceConfig } from '../model/instance-config.js';
import { MAX_WATCHED_QUEUES } from '../redis/discover.js';
import { QueueLimit } from './queue-limit.js';
import { WatchedQueue } from './watched-queue.js';

/** Reads of queues that one tick may hold; the rest waits for the next. */
const QUEUES_A_TICK = 1_000;

/** The queues of one Redis that are watched: those that its configuration names, and those that were found. */
export class WatchedQueues {
  /** Which are watched where there are more than can be. */
  readonly limit: QueueLimit<WatchedQueue>;
  readonly #byId = new Map<string, WatchedQueue>();
  readonly #configured: ReadonlySet<string>;
  readonly #pollIntervalMs: number;
  readonly #now: () => number;
  #hasReadAll = false;

  constructor(config: Pick<InstanceConfig, 'queues' | 'pollIntervalMs'>, now: () => number) {
    this.limit = new QueueLimit(this.#byId, MAX_WATCHED_QUEUES, now);
    this.#pollIntervalMs = config.pollIntervalMs;
    this.#now = now;
    this.#configured = new Set(config.queues.map((id) => (id.includes(':') ? id : `bull:${id}`)));
  }

  get size(): number {
    return this.#byId.size;
  }

  get all(): Iterable<WatchedQueue> {
    return this.#byId.values();
  }

  /** At the last read none was left that nothing is known of. */
  get hasReadAll(): boolean {
    return this.#hasReadAll;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  get(id: string): WatchedQueue | null {
    return this.#byId.get(id) ?? null;
  }

  /** @param hasWorkers somebody works on it, so that it goes before one that is idle. */
  add(id: string, hasWorkers = false): void {
    if (!this.#byId.has(id) && this.limit.admit(id, hasWorkers))
      this.#byId.set(id, new WatchedQueue(id, this.#now(), this.#pollIntervalMs));
  }

  addConfigured(): void {
    for (const id of this.#configured) this.add(id);
  }

  /** Those that are to be read now, at most QUEUES_A_TICK. */
  takeDue(): readonly WatchedQueue[] {
    const nowMs = this.#now();
    const dueNow = [...this.#byId.values()].filter((queue) => queue.isDue(nowMs));
    const due = nextToRead(dueNow, QUEUES_A_TICK);
    this.#hasReadAll = dueNow.length === due.length || due.at(-1)?.last !== null;
    // What was read goes to the back of the map's order, so that beyond the bound all take turns.
    if (due.length === QUEUES_A_TICK) {
      for (const queue of due) {
        this.#byId.delete(queue.id);
        this.#byId.set(queue.id, queue);
      }
    }
    return due;
  }

  /** Those that are gone from Redis make room for others. */
  dropGone(): void {
    for (const queue of this.#byId.values()) {
      if (queue.isGone && !this.#configured.has(queue.id)) this.#byId.delete(queue.id);
    }
    if (this.limit.beyond > 0) for (const id of this.limit.takeWaiting()) this.add(id);
  }
}

/**
 * Whom a tick reads of those that are due, in order: of one that was found just now nothing is known at all, so it goes
 * before those that are looked at again.
 */
export function nextToRead<Queue extends { readonly last: unknown }>(
  due: readonly Queue[],
  most: number,
): readonly Queue[] {
  if (due.length <= most) return due;
  const known = due.filter(({ last }) => last !== null);
  return [...due.filter(({ last }) => last === null), ...known].slice(0, most);
}
