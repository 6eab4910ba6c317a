import { type ChildProcess, fork } from 'node:child_process';
import { Queue } from 'bullmq';
import { freePort, type OwnRedis, startRedis } from '../drills/own-redis.js';
import { packagePath } from '../server/package-path.js';
import { startConsole } from '../test/support/console.js';
import { addEnded } from '../test/support/failed-jobs.js';
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

/** Fills the failed set of `bull:queue-0`, a part at a time: a million ids and jobs need not be held at once. */
export async function seedFailed(redis: OwnRedis, jobs: number): Promise<void> {
  const queue = new Queue('queue-0', { connection: { port: redis.port } });
  await queue.waitUntilReady();
  await queue.close();
  const data = { to: 'somebody@example.com', pad: 'x'.repeat(150) };
  for (let from = 0; from < jobs; from += 20_000)
    await addEnded(
      redis,
      'bull:queue-0',
      Array.from({ length: Math.min(20_000, jobs - from) }, (_, i) => ({
        id: `j${from + i}`,
        data,
        finishedAtMs: 1_700_000_000_000 + Math.floor((from + i) / 3),
      })),
    );
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
