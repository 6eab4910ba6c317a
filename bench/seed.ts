import { type JobsOptions, Queue } from 'bullmq';
import type { OwnRedis } from '../drills/own-redis.js';
import { until } from '../test/support/until.js';

/** Queues that are filled, by BullMQ's own calls or within Redis, where there are thousands. */

/** Adds jobs of one kind by BullMQ's own calls. */
export async function addJobs(
  redis: OwnRedis,
  name: string,
  count: number,
  data: (n: number) => object,
  opts: JobsOptions = {},
  nameOf: (n: number) => string = () => 'job',
): Promise<void> {
  const queue = new Queue(name, { connection: { host: '127.0.0.1', port: redis.port } });
  await queue.waitUntilReady();
  for (let at = 0; at < count; at += 2_000) {
    const length = Math.min(2_000, count - at);
    const numbers = Array.from({ length }, (_, i) => at + i);
    await queue.addBulk(numbers.map((n) => ({ name: nameOf(n), data: data(n), opts })));
  }
  await queue.close();
}

/** Runs a script for the numbers from `from` to below `to` (its first two arguments), so many a call. */
export async function inSteps(
  { client }: OwnRedis,
  script: string,
  [from, to]: readonly [number, number],
  step: number,
  ...more: readonly (string | number | Buffer)[]
): Promise<void> {
  for (let at = from; at < to; at += step)
    await client.eval(script, 0, at, Math.min(at + step, to) - 1, ...more);
}

/**
 * Makes the queues `queue-<from>` to `queue-<to - 1>` with `jobs` waiting jobs each: the first by BullMQ's own calls, the others
 * as copies of its keys within Redis, so that thousands come within a second.
 */
export async function copyQueues(redis: OwnRedis, from: number, to: number, jobs: number): Promise<void> {
  const first = `bull:queue-${from}`;
  await addJobs(redis, `queue-${from}`, jobs, (n) => ({ n, pad: 'x'.repeat(100) }));
  const keys = await redis.client.keys(`${first}:*`);
  const dumps = await Promise.all(keys.map((key) => redis.client.dumpBuffer(key)));
  const parts = keys.flatMap((key, i) => [key.slice(first.length), dumps[i] ?? '']);
  await inSteps(redis, COPY, [from + 1, to], 100, ...parts);
}

const COPY = `
for i = ARGV[1], ARGV[2] do
  for at = 3, #ARGV, 2 do redis.call('RESTORE', string.format('bull:queue-%d', i) .. ARGV[at], 0, ARGV[at + 1]) end
end`;

/** Jobs as BullMQ leaves them in the failed set (test/support/failed-jobs.ts), made within Redis: a million in seconds. */
const FAILED = `
for i = ARGV[1], ARGV[2] do
  local id, at = string.format('j%d', i), string.format('%.0f', 1700000000000 + math.floor(i / 3))
  redis.call('HSET', 'bull:queue-0:' .. id, 'name', 'send', 'data', ARGV[3], 'opts', '{"attempts":3}', 'timestamp', at,
    'delay', 0, 'priority', 0, 'processedOn', at, 'finishedOn', at, 'atm', 3, 'ats', 3, 'failedReason', 'boom',
    'stacktrace', '["a"]')
  redis.call('ZADD', 'bull:queue-0:failed', at, id)
end`;

/** Fills the failed set of `bull:queue-0`. */
export async function seedFailed(redis: OwnRedis, jobs: number): Promise<void> {
  await addJobs(redis, 'queue-0', 0, () => ({}));
  const data = JSON.stringify({ to: 'somebody@example.com', pad: 'x'.repeat(150) });
  await inSteps(redis, FAILED, [0, jobs], 10_000, data);
}

/** Jobs that are not moved yet. */
export function failedLeft({ client }: OwnRedis): Promise<number> {
  return client.zcard('bull:queue-0:failed');
}

export async function untilMoved(redis: OwnRedis): Promise<void> {
  const isMoved = async (): Promise<boolean> => (await failedLeft(redis)) === 0;
  await until('all are moved', isMoved, { withinMs: 900_000, everyMs: 100 });
}
