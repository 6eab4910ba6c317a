import type { Redis } from 'ioredis';
import type { ChildSays } from './children/talk.js';

interface Balance {
  readonly accepted: number;
  /** Accepted, and reported as completed. */
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
const NONE: ReadonlyMap<string, number> = new Map();

/** What producers and workers reported about every job, kept outside Redis. */
export class Ledger {
  /** How often each job id was reported, by what it was and its queue. */
  readonly #reports = new Map<string, Map<string, number>>();
  /** The last times that were reported. */
  #times: { readonly what: string; readonly atMs: number; readonly ms: number }[] = [];
  readonly #firstFailures = new Map<string, number>();
  #workerErrors = 0;

  hear(message: ChildSays): void {
    if (message.kind === 'errors') this.#workerErrors += message.count;
    else if ('ms' in message) this.#enterTimes(`${message.kind} ${message.queue}`, message.ms);
    else if ('queue' in message) this.#enterIds(`${message.kind} ${message.queue}`, message.ids);
    if (message.kind !== 'failed') return;
    const key = `${message.queue} ${message.jobName}`;
    this.#firstFailures.set(key, Math.min(message.atMs, this.#firstFailures.get(key) ?? message.atMs));
  }

  /** How often each job id was reported: a job that ran to its end twice has a 2 in `completed`. */
  reported(
    kind: 'accepted' | 'refused' | 'completed' | 'failed',
    queue: string,
  ): ReadonlyMap<string, number> {
    return this.#reports.get(`${kind} ${queue}`) ?? NONE;
  }

  accepted(queue: string): number {
    return this.reported('accepted', queue).size;
  }

  refused(queue: string): number {
    return this.reported('refused', queue).size;
  }

  /** @param jobName only jobs of this type, whose ids begin with it. */
  completed(queue: string, jobName?: string): number {
    return countOf(this.reported('completed', queue), jobName);
  }

  failed(queue: string, jobName: string): number {
    return countOf(this.reported('failed', queue), jobName);
  }

  /** When the first job of a type failed, by the worker's clock; null: none has. */
  firstFailureAtMs(queue: string, jobName: string): number | null {
    return this.#firstFailures.get(`${queue} ${jobName}`) ?? null;
  }

  /** `error` events of all workers. */
  workerErrors(): number {
    return this.#workerErrors;
  }

  /** A quantile of the time from adding to end of jobs that ended since then; null: none did. */
  latencyMs(queue: string, sinceMs: number, ratio: number): number | null {
    return this.#quantile(`latencies ${queue}`, sinceMs, ratio);
  }

  /** The same of the time from adding to start, of jobs that started since then. */
  waitMs(queue: string, sinceMs: number, ratio: number): number | null {
    return this.#quantile(`waits ${queue}`, sinceMs, ratio);
  }

  /** Holds what was reported against what Redis holds. Call when producers and workers have ended. */
  async balance(redis: Redis, queue: string): Promise<Balance> {
    const accepted = [...this.reported('accepted', queue).keys()];
    const refused = [...this.reported('refused', queue).keys()];
    const completed = this.reported('completed', queue);
    const held = await unfinishedIds(redis, queue);
    const open = accepted.filter((id) => !completed.has(id));
    return {
      accepted: accepted.length,
      completed: accepted.length - open.length,
      inRedis: open.filter((id) => held.has(id)).length,
      lost: open.filter((id) => !held.has(id)),
      refused: refused.length,
      refusedButKept: refused.filter((id) => completed.has(id) || held.has(id)).length,
    };
  }

  #enterIds(what: string, ids: readonly string[]): void {
    const book = this.#reports.get(what) ?? new Map<string, number>();
    for (const id of ids) book.set(id, (book.get(id) ?? 0) + 1);
    this.#reports.set(what, book);
  }

  #enterTimes(what: string, all: readonly number[]): void {
    const atMs = Date.now();
    for (const ms of all) this.#times.push({ what, atMs, ms });
    if (this.#times.length > MAX_TIMES) this.#times = this.#times.slice(-MAX_TIMES / 2);
  }

  #quantile(what: string, sinceMs: number, ratio: number): number | null {
    const values = this.#times
      .filter((one) => one.what === what && one.atMs >= sinceMs)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b);
    return values[Math.min(values.length - 1, Math.floor(values.length * ratio))] ?? null;
  }
}

function countOf(ids: ReadonlyMap<string, number>, jobName?: string): number {
  if (jobName === undefined) return ids.size;
  return [...ids.keys()].filter((id) => id.startsWith(`${jobName}-`)).length;
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
