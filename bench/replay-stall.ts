import { type ChildProcess, fork } from 'node:child_process';
import { Queue } from 'bullmq';
import { freePort, type OwnRedis, startRedis } from '../drills/own-redis.js';
import { packagePath } from '../server/process/package-path.js';
import { startConsole } from '../test/support/console.js';
import { until } from '../test/support/until.js';
import { prefer, type Stalls, watchStalls } from './watch-stalls.js';

/** Who brings failed jobs back: bull-board's "retry all", or a replay at so many a second. */
export type Contender = 'bull-board' | { readonly perSecond: number };

/** What bringing back `jobs` failed jobs does to other clients of Redis. */
export async function stallsOf(who: Contender, jobs: number): Promise<Stalls> {
  const redis = await startRedis();
  try {
    await seedFailed(redis, jobs);
    const stalls = await (who === 'bull-board' ? byBullBoard(redis) : bySpillway(redis, who.perSecond));
    const waiting = await redis.client.llen('bull:queue-0:wait');
    if (waiting !== jobs) throw new Error(`${waiting} of ${jobs} jobs are back`);
    return stalls;
  } finally {
    await redis.stop();
  }
}

/** Jobs as BullMQ leaves them in the failed set (test/support/failed-jobs.ts), made within Redis: a million in seconds. */
const FILL = `
for i = ARGV[1], ARGV[1] + ARGV[2] - 1 do
  local id, at = string.format('j%d', i), string.format('%.0f', 1700000000000 + math.floor(i / 3))
  redis.call('HSET', KEYS[1] .. ':' .. id, 'name', 'send', 'data', ARGV[3], 'opts', '{"attempts":3}', 'timestamp', at,
    'delay', 0, 'priority', 0, 'processedOn', at, 'finishedOn', at, 'atm', 3, 'ats', 3, 'failedReason', 'boom',
    'stacktrace', '["a"]')
  redis.call('ZADD', KEYS[1] .. ':failed', at, id)
end`;

/** Fills the failed set of `bull:queue-0`. */
export async function seedFailed(redis: OwnRedis, jobs: number): Promise<void> {
  const queue = new Queue('queue-0', { connection: { port: redis.port } });
  await queue.waitUntilReady();
  await queue.close();
  const data = JSON.stringify({ to: 'somebody@example.com', pad: 'x'.repeat(150) });
  for (let from = 0; from < jobs; from += 10_000)
    await redis.client.eval(FILL, 1, 'bull:queue-0', from, Math.min(10_000, jobs - from), data);
}

async function byBullBoard(redis: OwnRedis): Promise<Stalls> {
  const port = await freePort();
  const board: ChildProcess = fork(packagePath('dist/bench/bull-board-server.js'), [
    String(redis.port),
    String(port),
    '1',
  ]);
  try {
    await new Promise((resolve) => board.once('message', resolve));
    prefer(board.pid ?? 0);
    return await watchStalls(redis, async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/board/api/queues/queue-0/retry/failed`, {
        method: 'PUT',
      });
      if (!answer.ok) throw new Error(`bull-board answers ${answer.status}: ${await answer.text()}`);
      await allMoved(redis);
    });
  } finally {
    board.kill();
  }
}

async function bySpillway(redis: OwnRedis, perSecond: number): Promise<Stalls> {
  const console_ = await startConsole({ redisUrl: redis.url });
  prefer(console_.pid);
  try {
    await until('the queue is seen', async () => {
      const { body } = await console_.ask('GET', '/api/v1/instances/default/queues');
      return body.queues.length === 1;
    });
    return await watchStalls(redis, async () => {
      const spec = { queues: ['queue-0'], ratePerSecond: perSecond, guard: false, reason: 'bench' };
      const answer = await console_.ask('POST', '/api/v1/replays', spec);
      if (answer.status !== 200) throw new Error(answer.text);
      await allMoved(redis);
    });
  } finally {
    await console_.stop();
  }
}

async function allMoved(redis: OwnRedis): Promise<void> {
  const none = async () => (await redis.client.zcard('bull:queue-0:failed')) === 0;
  await until('all are moved', none, { withinMs: 600_000, everyMs: 100 });
}
