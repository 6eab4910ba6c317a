import type { Redis } from 'ioredis';
import { runForced } from './forced-script.js';
import type { MasterNode } from './link.js';
import { infoNumber, parseInfo } from './parse-info.js';
import type { QueueHandle } from './queue-control.js';

/** Finished jobs that one call of the script looks at: about 5 ms of Redis. */
const CLEAN_CHUNK = 500;

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

/** Cuts the events stream to its newest `keep` entries; XTRIM is accepted over maxmemory. Returns entries removed. */
export async function trimEvents({ client, id }: QueueHandle, keep: number): Promise<number> {
  return client.xtrim(`${id}:events`, 'MAXLEN', keep);
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

export interface CleanResult {
  readonly removed: number;
  readonly freedBytes: number;
  /** Failed children that a parent still waits for: left where they are. */
  readonly skipped: number;
}

/** Removes the jobs of a range, oldest first, a chunk a call; other clients get their turn in between. */
export async function cleanFinished(queue: QueueHandle, range: CleanRange): Promise<CleanResult> {
  const total = { removed: 0, freedBytes: 0, skipped: 0 };
  for (;;) {
    const answer = await runForced(
      queue.client,
      queue.canFlagScripts,
      'clean-finished',
      [`${queue.id}:${range.state}`],
      [`${queue.id}:`, range.untilMs ?? '+inf', range.keep, CLEAN_CHUNK, total.skipped],
    );
    const [removed = 0, freed = 0, skipped = 0] = Array.isArray(answer) ? answer.map(Number) : [];
    total.removed += removed;
    total.freedBytes += freed;
    total.skipped += skipped;
    if (removed + skipped === 0) return total;
  }
}

export interface NodeMemory {
  readonly id: string;
  readonly address: string;
  readonly maxBytes: number;
  readonly usedBytes: number;
  readonly hostBytes: number | null;
}

/** Memory and limit of a process, as it says now. */
export async function readNodeMemory(node: MasterNode): Promise<NodeMemory> {
  const info = parseInfo(await node.client.info('memory'));
  const hostBytes = infoNumber(info, 'total_system_memory');
  return {
    id: node.id,
    address: node.address,
    maxBytes: infoNumber(info, 'maxmemory'),
    usedBytes: infoNumber(info, 'used_memory'),
    hostBytes: hostBytes > 0 ? hostBytes : null,
  };
}

/** CONFIG SET maxmemory: accepted over the limit, lost at a restart. */
export async function setMaxmemory(node: MasterNode, bytes: number): Promise<void> {
  await node.client.config('SET', 'maxmemory', String(bytes));
}

async function usage(client: Redis, key: string): Promise<number> {
  try {
    return Number((await client.call('MEMORY', 'USAGE', key)) ?? 0);
  } catch (error) {
    // An estimate without bytes is still an estimate of jobs; a lost connection is not.
    if (error instanceof Error && /NOPERM|unknown command/i.test(error.message)) return 0;
    throw error;
  }
}
