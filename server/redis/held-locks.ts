import type { Redis } from 'ioredis';
import type { HeldLocks } from '../model/worker.js';
import { Refused } from './read-batch.js';

/** Active jobs that are looked at, and locks whose end is asked for. */
const MAX_ACTIVE = 1_000;
const MAX_ASKED = 50;

/** What a worker had in hand when it was last heard. */
interface InHand {
  readonly jobIds: readonly string[];
  readonly jobs: number;
  /** Start of the value of its locks; null: not known, then only the named jobs are looked at. */
  readonly lockToken: string | null;
}

/**
 * What stands in Redis of the jobs that a worker had in hand: one window of the active list, one MGET of the locks of the
 * jobs in it, and the end of at most fifty of those that are the worker's.
 * @returns Refused where Redis refuses one of these: nothing new is known then.
 * @throws when the connection fails.
 */
export async function readHeldLocks(
  client: Redis,
  queueId: string,
  held: InHand,
  nowMs: number,
): Promise<LocksRead | Refused> {
  try {
    return await locksOf(client, queueId, held, nowMs);
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return new Refused('lrange', error.message);
    throw error;
  }
}

interface LocksRead {
  readonly locks: HeldLocks;
  readonly calls: ReadonlyMap<string, number>;
}

async function locksOf(
  client: Redis,
  queueId: string,
  { jobIds, jobs, lockToken }: InHand,
  nowMs: number,
): Promise<LocksRead> {
  const active = await client.lrange(`${queueId}:active`, 0, MAX_ACTIVE - 1);
  const named = new Set(jobIds);
  const wanted = lockToken === null ? active.filter((jobId) => named.has(jobId)) : active;
  // All keys of a queue lie in one slot of a Cluster.
  const values =
    wanted.length === 0 ? [] : await client.mget(wanted.map((jobId) => `${queueId}:${jobId}:lock`));
  const isOwn = (value: string | null | undefined): boolean =>
    value != null && (lockToken === null || value.startsWith(`${lockToken}:`));
  const held = wanted.filter((_, i) => isOwn(values[i]));
  const orphaned = wanted.filter((jobId, i) => named.has(jobId) && values[i] == null);
  const asked = held.slice(0, MAX_ASKED);
  const ends = await Promise.all(asked.map((jobId) => client.pttl(`${queueId}:${jobId}:lock`)));
  const last = Math.max(0, ...ends);
  return {
    locks: {
      readAtMs: nowMs,
      jobs,
      held: held.length,
      orphaned: orphaned.length,
      lastExpiryAtMs: last > 0 ? nowMs + last : null,
    },
    calls: new Map([
      ['lrange', 1],
      ['mget', wanted.length === 0 ? 0 : 1],
      ['pttl', asked.length],
    ]),
  };
}
