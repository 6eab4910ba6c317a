import type { Redis } from 'ioredis';
import { runForced } from './forced-script.js';
import type { MasterNode } from './link.js';
import type { QueueHandle } from './queue-control.js';
import { cgroupLimitBytes, infoNumber, isLoopbackAddress, parseInfo } from './read-server.js';

/** Finished jobs that one call of the script looks at: 3.5 ms of Redis. [run: 12 to 18 µs a job among 1,000,000] */
const CLEAN_CHUNK = 200;

export interface EventsSize {
  readonly length: number;
  readonly bytes: number;
}

/** Entries and bytes of a queue's events stream; bytes are 0 where MEMORY USAGE is not permitted. */
export async function readEventsSize({ client, id }: QueueHandle): Promise<EventsSize> {
  const [length, bytes] = await Promise.all([
    client.xlen(`${id}:events`),
    usage(client as Redis, `${id}:events`),
  ]);
  return { length, bytes };
}

/** Entries that one call removes at most: a few ms of Redis. */
const TRIM_CHUNK = 50_000;

interface TrimResult {
  readonly removed: number;
  /** By MEMORY USAGE before and after, in the same script; null where that is not permitted. */
  readonly freedBytes: number | null;
}

/** Cuts the events stream to its newest `keep` entries, in bounded steps. */
export async function trimEventStream(queue: QueueHandle, keep: number): Promise<TrimResult> {
  let removed = 0;
  let freedBytes: number | null = 0;
  for (;;) {
    const keys = [`${queue.id}:events`];
    const answer = await runForced(queue.client, queue.canFlagScripts, 'trim-events', keys, [
      keep,
      TRIM_CHUNK,
    ]);
    const [gone = 0, , freed = 0] = Array.isArray(answer) ? answer.map(Number) : [];
    removed += gone;
    freedBytes = freedBytes === null || freed < 0 ? null : freedBytes + freed;
    // Entries come in meanwhile: a step that removed less than it might have was the last.
    if (gone < TRIM_CHUNK) return { removed, freedBytes };
  }
}

export interface CleanRange {
  readonly state: 'completed' | 'failed';
  /** Finished at or before this; null: whatever the age. */
  readonly untilMs: number | null;
  /** The newest jobs that stay. */
  readonly keep: number;
}

export interface CleanEstimate {
  readonly matching: number;
  readonly total: number;
  /** Mean bytes of sampled jobs in the range × matching. */
  readonly bytes: number;
  readonly sampled: number;
}

/** Evenly spread over the range that would go. */
const ESTIMATE_SAMPLES = 40;

/** How many jobs a clean would remove and, from a sample of exactly those, the bytes that it would free. */
export async function estimateClean({ client, id }: QueueHandle, range: CleanRange): Promise<CleanEstimate> {
  const set = `${id}:${range.state}`;
  const [total, byAge] = await Promise.all([
    client.zcard(set),
    range.untilMs === null ? client.zcard(set) : client.zcount(set, '-inf', String(range.untilMs)),
  ]);
  const matching = Math.max(0, Math.min(byAge, total - range.keep));
  const places = new Set<number>();
  for (let i = 0; i < Math.min(ESTIMATE_SAMPLES, matching); i++) {
    places.add(Math.floor(((i + 0.5) * matching) / Math.min(ESTIMATE_SAMPLES, matching)));
  }
  const ids = (
    await Promise.all([...places].map((place) => client.zrange(set, String(place), String(place))))
  ).flat();
  const sizes = await Promise.all(
    ids.map(
      async (jobId) =>
        (await usage(client as Redis, `${id}:${jobId}`)) +
        (await usage(client as Redis, `${id}:${jobId}:logs`)),
    ),
  );
  const mean = sizes.length === 0 ? 0 : sizes.reduce((sum, bytes) => sum + bytes, 0) / sizes.length;
  return { matching, total, bytes: Math.round(mean * matching), sampled: sizes.length };
}

interface CleanResult {
  readonly removed: number;
  /** Sum of MEMORY USAGE of all that was deleted, the part of a set of over 10,000 jobs to a twentieth; null where that is not permitted. */
  readonly freedBytes: number | null;
  /** Failed children that a parent still waits for: left where they are. */
  readonly skipped: number;
  /** In range, but not come to. */
  readonly remaining: number;
  /** Why it ended before all was done; null when it did not. */
  readonly endedBecause: string | null;
}

/** An action answers a person: what is not done by then is done by applying it again. */
const MAX_CLEAN_MS = 20_000;

/**
 * Removes the jobs of a range, oldest first, a chunk a call; other clients get their turn in between.
 * @throws what Redis says at the first chunk; a later refusal ends the work, and the result tells what was done.
 */
export async function cleanFinishedJobs(
  queue: QueueHandle,
  range: CleanRange,
  clock: () => number = Date.now,
): Promise<CleanResult> {
  const startedMs = clock();
  let total: CleanResult = { removed: 0, freedBytes: 0, skipped: 0, remaining: 0, endedBecause: null };
  for (;;) {
    let answer: unknown;
    try {
      answer = await runForced(
        queue.client,
        queue.canFlagScripts,
        'clean-finished',
        [`${queue.id}:${range.state}`, `${queue.id}:events`],
        [`${queue.id}:`, range.untilMs ?? '+inf', range.keep, CLEAN_CHUNK, total.skipped],
      );
    } catch (error) {
      if (total.removed + total.skipped === 0) throw error;
      return { ...total, endedBecause: error instanceof Error ? error.message : 'Redis refused' };
    }
    const [removed = 0, freed = 0, skipped = 0, remaining = 0] = Array.isArray(answer)
      ? answer.map(Number)
      : [];
    total = {
      removed: total.removed + removed,
      freedBytes: total.freedBytes === null || freed < 0 ? null : total.freedBytes + freed,
      skipped: total.skipped + skipped,
      remaining,
      endedBecause: null,
    };
    if (remaining === 0) return total;
    if (clock() - startedMs > MAX_CLEAN_MS)
      return { ...total, endedBecause: `it was at it for ${MAX_CLEAN_MS / 1000} s` };
  }
}

export interface MemoryLimits {
  readonly id: string;
  readonly address: string;
  readonly maxBytes: number;
  readonly usedBytes: number;
  readonly hostBytes: number | null;
}

/**
 * Memory and limit of a process, as it says now. `hostBytes` is what it may have at all: the machine's memory, or its
 * container's where that can be seen (a Redis on this machine).
 */
export async function readNodeMemory(node: MasterNode): Promise<MemoryLimits> {
  const info = parseInfo(await node.client.info());
  const machine = infoNumber(info, 'total_system_memory');
  const processId = infoNumber(info, 'process_id');
  const container =
    isLoopbackAddress(node.address) && processId > 0 ? await cgroupLimitBytes(processId) : null;
  const known = [machine, container ?? 0].filter((bytes) => bytes > 0);
  return {
    id: node.id,
    address: node.address,
    maxBytes: infoNumber(info, 'maxmemory'),
    usedBytes: infoNumber(info, 'used_memory') - infoNumber(info, 'mem_not_counted_for_evict'),
    hostBytes: known.length > 0 ? Math.min(...known) : null,
  };
}

/**
 * CONFIG SET maxmemory on every master: accepted over the limit, lost at a restart.
 * @throws what Redis says; masters that had taken it are set back first.
 */
export async function setMaxmemory(
  nodes: readonly MasterNode[],
  before: readonly MemoryLimits[],
  bytes: number,
): Promise<void> {
  const done: MasterNode[] = [];
  try {
    for (const node of nodes) {
      await node.client.config('SET', 'maxmemory', String(bytes));
      done.push(node);
    }
  } catch (error) {
    for (const node of done) {
      const former = before.find((known) => known.id === node.id);
      // Best effort: the refusal is what the person must hear of.
      if (former)
        await node.client.config('SET', 'maxmemory', String(former.maxBytes)).catch(() => undefined);
    }
    throw error;
  }
}

/** All fields count: the five that Redis samples by default make a job with one large field look half as large again. */
async function usage(client: Redis, key: string): Promise<number> {
  try {
    return Number((await client.call('MEMORY', 'USAGE', key, 'SAMPLES', '0')) ?? 0);
  } catch (error) {
    // An estimate without bytes is still an estimate of jobs; a lost connection is not.
    if (error instanceof Error && /NOPERM|unknown command/i.test(error.message)) return 0;
    throw error;
  }
}
