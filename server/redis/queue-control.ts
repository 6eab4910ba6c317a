import type { RateLimit } from '../model/snapshot.js';
import type { RedisClient } from './connect.js';
import { runForced } from './forced-script.js';

/** Jobs of a legacy paused list that one call moves: 1 to 2 ms of Redis. */
const MERGE_CHUNK = 5_000;

/** Where the writes of an action go. */
export interface QueueHandle {
  readonly client: RedisClient;
  readonly canFlagScripts: boolean;
  /** `<prefix>:<name>` */
  readonly id: string;
  /** Is called with the jobs that were taken out and not done, or put back (less than 0). Left out: nobody asks. */
  readonly onTaken?: (jobs: number) => void;
}

/** What holds a queue back or lets it run, as it stands in Redis now. */
export interface QueueControl {
  readonly isPausedByApplication: boolean;
  readonly pauseRecord: string | null;
  readonly concurrency: number | null;
  readonly rateLimit: RateLimit | null;
  readonly version: string | null;
  readonly waiting: number;
  readonly legacyPaused: number;
  readonly prioritized: number;
  readonly active: number;
  /** What is left of the limiter window that is being counted; 0 where there is none. */
  readonly limiterTtlMs: number;
}

/** Reads it in one round trip. Throws what Redis says. */
export async function readControl({ client, id }: QueueHandle): Promise<QueueControl> {
  const [meta, waiting, paused, prioritized, active, ttl] = await Promise.all([
    client.hmget(`${id}:meta`, 'paused', 'concurrency', 'max', 'duration', 'version', 'spillway.pause'),
    client.llen(`${id}:wait`),
    client.llen(`${id}:paused`),
    client.zcard(`${id}:prioritized`),
    client.llen(`${id}:active`),
    client.pttl(`${id}:limiter`),
  ]);
  const [pausedFlag, concurrency, max, duration, version, pause] = meta;
  return {
    isPausedByApplication: pausedFlag !== null && pausedFlag !== undefined,
    pauseRecord: pause ?? null,
    concurrency: concurrency == null ? null : Number(concurrency),
    rateLimit: max == null ? null : { max: Number(max), durationMs: Number(duration ?? 0) },
    version: version ?? null,
    waiting,
    legacyPaused: paused,
    prioritized,
    active,
    limiterTtlMs: Math.max(0, ttl),
  };
}

/** Global concurrency 0 with a record of what stood there. False: it was paused already. */
export async function pauseBySpillway(queue: QueueHandle, atMs: number, actor: string): Promise<boolean> {
  const keys = [`${queue.id}:meta`];
  return (await runForced(queue.client, queue.canFlagScripts, 'pause-queue', keys, [atMs, actor])) === 1;
}

/**
 * Takes back the pause and the application's pause, merging a legacy paused list without loss, in bounded steps. Pause and
 * pause go with the last step, so that a call that fails before leaves the queue standing with every job in one list.
 * @returns jobs brought back from the paused list.
 */
export async function resumeQueue(queue: QueueHandle, chunk = MERGE_CHUNK): Promise<number> {
  const keys = keysOf(queue, ...WAKE_KEYS, 'paused', 'events');
  let brought = 0;
  for (;;) {
    const answer = await runForced(queue.client, queue.canFlagScripts, 'resume-queue', keys, [chunk]);
    const [left = 0, moved = 0] = Array.isArray(answer) ? answer.map(Number) : [];
    brought += moved;
    if (left === 0) return brought;
  }
}

/** null removes it. False: the queue is paused, so that the number counts from the resume on. */
export async function setConcurrency(queue: QueueHandle, value: number | null): Promise<boolean> {
  const keys = keysOf(queue, ...WAKE_KEYS);
  return (await runForced(queue.client, queue.canFlagScripts, 'set-concurrency', keys, [value ?? ''])) === 1;
}

/**
 * Sets the limit and begins a new window; null removes it.
 * @returns ms for which the application's own hold (`queue.rateLimit(ms)`) goes on, 0 for none.
 */
export async function setRateLimit(queue: QueueHandle, limit: RateLimit | null): Promise<number> {
  const keys = keysOf(queue, ...WAKE_KEYS, 'limiter');
  const args = [limit?.max ?? '', limit === null || limit.durationMs <= 0 ? '' : limit.durationMs];
  return Number(await runForced(queue.client, queue.canFlagScripts, 'set-rate-limit', keys, args));
}

/** Ids of jobs that run, newest first, at most `most`. */
export async function readActiveIds({ client, id }: QueueHandle, most: number): Promise<readonly string[]> {
  return client.lrange(`${id}:active`, 0, most - 1);
}

/** In the order in which scripts that wake workers take them. */
const WAKE_KEYS = ['meta', 'active', 'wait', 'prioritized', 'delayed', 'marker'] as const;

function keysOf(queue: QueueHandle, ...names: readonly string[]): readonly string[] {
  return names.map((name) => `${queue.id}:${name}`);
}
