import type { Redis } from 'ioredis';
import type { ChildSays } from './children/talk.js';

/** What producers and workers reported about every job, kept outside Redis. */
export interface Ledger {
  hear(message: ChildSays): void;
  accepted(queue: string): number;
  refused(queue: string): number;
  /** @param jobName only jobs of this type, whose ids begin with it. */
  completed(queue: string, jobName?: string): number;
  failed(queue: string, jobName: string): number;
  /** How often each job id was reported: a job that ran to its end twice has a 2 in `completed`. */
  reported(kind: 'accepted' | 'refused' | 'completed' | 'failed', queue: string): ReadonlyMap<string, number>;
  /** When the first job of a type failed, by the worker's clock; null: none has. */
  firstFailureAtMs(queue: string, jobName: string): number | null;
  /** `error` events of all workers. */
  workerErrors(): number;
  /** A quantile of the time from adding to end of jobs that ended since then; null: none did. */
  latencyMs(queue: string, sinceMs: number, ratio: number): number | null;
  /** The same of the time from adding to start, of jobs that started since then. */
  waitMs(queue: string, sinceMs: number, ratio: number): number | null;
  /** Holds what was reported against what Redis holds. Call when producers and workers have ended. */
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
const MAX_TIMES = 200_000;

export function createLedger(): Ledger {
  const reports = {
    accepted: new Books(),
    refused: new Books(),
    completed: new Books(),
    failed: new Books(),
  };
  const times = { latencies: new Times(), waits: new Times() };
  const firstFailures = new Map<string, number>();
  let workerErrors = 0;
  return {
    hear(message) {
      if (message.kind === 'errors') workerErrors += message.count;
      else if (message.kind === 'latencies' || message.kind === 'waits')
        times[message.kind].enter(message.queue, message.ms, Date.now());
      else if ('queue' in message) reports[message.kind].enter(message.queue, message.ids);
      if (message.kind === 'failed') {
        const key = `${message.queue} ${message.jobName}`;
        firstFailures.set(key, Math.min(message.atMs, firstFailures.get(key) ?? message.atMs));
      }
    },
    accepted: (queue) => reports.accepted.of(queue).size,
    refused: (queue) => reports.refused.of(queue).size,
    completed: (queue, jobName) => reports.completed.count(queue, jobName),
    failed: (queue, jobName) => reports.failed.count(queue, jobName),
    reported: (kind, queue) => reports[kind].of(queue),
    firstFailureAtMs: (queue, jobName) => firstFailures.get(`${queue} ${jobName}`) ?? null,
    workerErrors: () => workerErrors,
    latencyMs: (queue, sinceMs, ratio) => times.latencies.quantile(queue, sinceMs, ratio),
    waitMs: (queue, sinceMs, ratio) => times.waits.quantile(queue, sinceMs, ratio),
    async balance(redis, queue) {
      const accepted = reports.accepted.of(queue);
      const refused = reports.refused.of(queue);
      const completed = reports.completed.of(queue);
      const held = await unfinishedIds(redis, queue);
      const ids = [...accepted.keys()];
      const open = ids.filter((id) => !completed.has(id));
      return {
        queue,
        accepted: accepted.size,
        completed: ids.length - open.length,
        inRedis: open.filter((id) => held.has(id)).length,
        lost: open.filter((id) => !held.has(id)),
        refused: refused.size,
        refusedButKept: [...refused.keys()].filter((id) => completed.has(id) || held.has(id)).length,
      };
    },
  };
}

/** The last times that were reported, by queue. */
class Times {
  #times: { queue: string; atMs: number; ms: number }[] = [];

  enter(queue: string, all: readonly number[], atMs: number): void {
    for (const ms of all) this.#times.push({ queue, atMs, ms });
    if (this.#times.length > MAX_TIMES) this.#times = this.#times.slice(-MAX_TIMES / 2);
  }

  quantile(queue: string, sinceMs: number, ratio: number): number | null {
    const values = this.#times
      .filter((one) => one.queue === queue && one.atMs >= sinceMs)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b);
    return values[Math.min(values.length - 1, Math.floor(values.length * ratio))] ?? null;
  }
}

/** Job ids by queue, each with how often it was reported. */
class Books {
  readonly #books = new Map<string, Map<string, number>>();

  of(queue: string): ReadonlyMap<string, number> {
    return this.#books.get(queue) ?? new Map();
  }

  count(queue: string, jobName?: string): number {
    const ids = this.of(queue);
    if (jobName === undefined) return ids.size;
    return [...ids.keys()].filter((id) => id.startsWith(`${jobName}-`)).length;
  }

  enter(queue: string, ids: readonly string[]): void {
    const book = this.#books.get(queue) ?? new Map<string, number>();
    for (const id of ids) book.set(id, (book.get(id) ?? 0) + 1);
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
