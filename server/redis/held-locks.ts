import type { HeldLocks } from '../watch/worker-state.js';
import type { RedisClient } from './connect.js';

/**
 * What stands in Redis of the jobs that a worker had in hand: two commands a job, at most as many jobs as a beat names.
 * @param jobs how many it had in hand, of which only `jobIds` are named.
 * @throws what Redis says.
 */
export async function readHeldLocks(
  client: RedisClient,
  queueId: string,
  jobIds: readonly string[],
  jobs: number,
  nowMs: number,
): Promise<HeldLocks> {
  const found = await Promise.all(
    jobIds.map(async (jobId) => {
      const [ttl, place] = await Promise.all([
        client.pttl(`${queueId}:${jobId}:lock`),
        client.lpos(`${queueId}:active`, jobId, 'MAXLEN', 5_000),
      ]);
      return { ttl, isActive: place !== null };
    }),
  );
  const held = found.filter(({ ttl, isActive }) => isActive && ttl > 0);
  return {
    readAtMs: nowMs,
    jobs,
    held: held.length,
    orphaned: found.filter(({ ttl, isActive }) => isActive && ttl <= 0).length,
    lastExpiryAtMs: held.length === 0 ? null : nowMs + Math.max(...held.map(({ ttl }) => ttl)),
  };
}
