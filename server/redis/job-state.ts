import type { JobState } from '../model/memory.js';
import type { RedisClient } from './connect.js';

/** LPOS looks at most at so many entries, from the end that is taken next: about 1 ms of Redis. */
const MAX_LOOKED_AT = 100_000;

/**
 * Which set or list of the queue holds a job; `unknown` where none does, or where it lies deeper in a list than is
 * looked. Jobs in BullMQ 5's `paused` list are waiting.
 */
export async function stateOf(
  client: RedisClient,
  queueId: string,
  jobId: string,
): Promise<JobState | 'unknown'> {
  const sets: readonly JobState[] = ['completed', 'failed', 'delayed', 'prioritized', 'waiting-children'];
  const [active, scores, waiting, paused] = await Promise.all([
    client.lpos(`${queueId}:active`, jobId, 'MAXLEN', MAX_LOOKED_AT),
    Promise.all(sets.map((state) => client.zscore(`${queueId}:${state}`, jobId))),
    client.lpos(`${queueId}:wait`, jobId, 'RANK', -1, 'MAXLEN', MAX_LOOKED_AT),
    client.lpos(`${queueId}:paused`, jobId, 'RANK', -1, 'MAXLEN', MAX_LOOKED_AT),
  ]);
  if (active !== null) return 'active';
  const found = sets.find((_, i) => scores[i] !== null);
  if (found) return found;
  return waiting !== null || paused !== null ? 'waiting' : 'unknown';
}
