import type { Redis } from 'ioredis';
import type { ChildSays } from './children/talk.js';

/** What producers and workers told about every job, kept outside Redis. */
export interface Ledger {
  hear(message: ChildSays): void;
  accepted(queue: string): number;
  refused(queue: string): number;
  completed(queue: string): number;
  /** `error` events of all workers. */
  workerErrors(): number;
  /** A quantile of the time from adding to end of jobs that ended since then; null: none did. */
  latencyMs(queue: string, sinceMs: number, ratio: number): number | null;
  /** Holds what was told against what Redis holds. Call when producers and workers have ended. */
  balance(redis: Redis, queue: string): Promise<Balance>;
}

export interface Balance {
  readonly queue: string;
  readonly accepted: number;
  readonly completed: number;
  /** Accepted, not completed, and found in one of the queue's unfinished states. */
  readonly inRedis: number;
  /** Accepted, and neither completed nor in Redis. */
  readonly lost: readonly string[];
  readonly refused: number;
  /** Refused adds that Redis holds or that completed all the same: an answer was lost, not a job. */
  readonly refusedButKept: number;
}

const LISTS = ['wait', 'paused', 'active'];
const SORTED_SETS = ['prioritized', 'delayed', 'failed', 'waiting-children'];
const PAGE = 5_000;
const MOST_LATENCIES = 200_000;

export function createLedger(): Ledger {
  const told = { accepted: new Books(), refused: new Books(), completed: new Books() };
  let workerErrors = 0;
  let latencies: { queue: string; atMs: number; ms: number }[] = [];
  return {
    hear(message) {
      if (message.kind === 'errors') workerErrors += message.count;
      else if (message.kind === 'latencies') {
        const atMs = Date.now();
        for (const ms of message.ms) latencies.push({ queue: message.queue, atMs, ms });
        if (latencies.length > MOST_LATENCIES) latencies = latencies.slice(-MOST_LATENCIES / 2);
      } else if ('queue' in message) told[message.kind].enter(message.queue, message.ids);
    },
    accepted: (queue) => told.accepted.of(queue).size,
    refused: (queue) => told.refused.of(queue).size,
    completed: (queue) => told.completed.of(queue).size,
    workerErrors: () => workerErrors,
    latencyMs(queue, sinceMs, ratio) {
      const values = latencies
        .filter((one) => one.queue === queue && one.atMs >= sinceMs)
        .map(({ ms }) => ms)
        .sort((a, b) => a - b);
      return values[Math.min(values.length - 1, Math.floor(values.length * ratio))] ?? null;
    },
    async balance(redis, queue) {
      const accepted = told.accepted.of(queue);
      const refused = told.refused.of(queue);
      const completed = told.completed.of(queue);
      const held = await unfinishedIds(redis, queue);
      const open = [...accepted].filter((id) => !completed.has(id));
      return {
        queue,
        accepted: accepted.size,
        completed: [...accepted].filter((id) => completed.has(id)).length,
        inRedis: open.filter((id) => held.has(id)).length,
        lost: open.filter((id) => !held.has(id)),
        refused: refused.size,
        refusedButKept: [...refused].filter((id) => completed.has(id) || held.has(id)).length,
      };
    },
  };
}

/** Job ids by queue. */
class Books {
  readonly #books = new Map<string, Set<string>>();

  of(queue: string): ReadonlySet<string> {
    return this.#books.get(queue) ?? new Set();
  }

  enter(queue: string, ids: readonly string[]): void {
    const book = this.#books.get(queue) ?? new Set();
    for (const id of ids) book.add(id);
    this.#books.set(queue, book);
  }
}

async function unfinishedIds(redis: Redis, queue: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  const collect = async (read: (from: number, to: number) => Promise<readonly string[]>) => {
    for (let from = 0; ; from += PAGE) {
      const page = await read(from, from + PAGE - 1);
      for (const id of page) ids.add(id);
      if (page.length < PAGE) return;
    }
  };
  for (const state of LISTS) await collect((from, to) => redis.lrange(`bull:${queue}:${state}`, from, to));
  for (const state of SORTED_SETS)
    await collect((from, to) => redis.zrange(`bull:${queue}:${state}`, String(from), String(to)));
  return ids;
}
