import type { OwnRedis } from '../../drills/own-redis.js';

interface FailedJob {
  readonly id: string;
  readonly name?: string;
  readonly error?: string;
  readonly finishedAtMs?: number;
  readonly attempts?: number;
  readonly data?: unknown;
  readonly priority?: number;
  readonly lifo?: boolean;
  /** More options, as the application gave them. */
  readonly opts?: object;
}

/** Jobs as BullMQ leaves them when they have ended, without the time that running them takes. */
export async function addEnded(
  redis: OwnRedis,
  queueId: string,
  jobs: readonly FailedJob[],
  state: 'failed' | 'completed' = 'failed',
): Promise<void> {
  const nowMs = Date.now();
  for (let from = 0; from < jobs.length; from += 5_000) {
    const pipeline = redis.client.pipeline();
    for (const job of jobs.slice(from, from + 5_000)) {
      const at = job.finishedAtMs ?? nowMs - 60_000;
      const { name = 'send', error = 'boom', attempts = 3, data = {}, priority = 0, lifo = false } = job;
      const outcome =
        state === 'failed' ? ['failedReason', error, 'stacktrace', '["a"]'] : ['returnvalue', '{}'];
      const opts = JSON.stringify({ attempts, ...(lifo ? { lifo } : {}), ...job.opts });
      pipeline.hset(
        `${queueId}:${job.id}`,
        ...['name', name, 'data', JSON.stringify(data), 'opts', opts, 'timestamp', at - 1_000, 'delay', 0],
        ...[
          'priority',
          priority,
          'processedOn',
          at - 100,
          'finishedOn',
          at,
          'atm',
          attempts,
          'ats',
          attempts,
        ],
        ...outcome,
      );
      pipeline.zadd(`${queueId}:${state}`, at, job.id);
    }
    await pipeline.exec();
  }
}
