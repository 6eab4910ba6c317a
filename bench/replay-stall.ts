import { type ChildProcess, fork } from 'node:child_process';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { freePort, type OwnRedis, startRedis } from '../drills/own-redis.js';
import { packagePath } from '../server/package-path.js';
import { startConsole } from '../test/support/console.js';
import { addEnded } from '../test/support/failed-jobs.js';
import { until } from '../test/support/until.js';

/**
 * What bringing back failed jobs does to others: the longest that a PING of another client waits meanwhile. bull-board's
 * "retry all" beside a replay at 5,000 a second. `node dist/bench/replay-stall.js [jobs]`
 */
async function main(): Promise<void> {
  const jobs = Number(process.argv[2] ?? 100_000);
  for (const who of ['bull-board', 'spillway'] as const) {
    const redis = await startRedis();
    try {
      await seed(redis, jobs);
      const { worstMs, p99Ms, tookMs } = await (who === 'bull-board'
        ? byBullBoard(redis)
        : bySpillway(redis));
      const slowest = await slowestCommand(redis);
      const waiting = await redis.client.llen('bull:queue-0:wait');
      say(
        `${who}: ${waiting} of ${jobs} moved in ${(tookMs / 1000).toFixed(1)} s; other clients wait at worst ${worstMs.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms; slowest command in Redis: ${slowest}`,
      );
    } finally {
      await redis.stop();
    }
  }
}

async function seed(redis: OwnRedis, jobs: number): Promise<void> {
  const queue = new Queue('queue-0', { connection: { port: redis.port } });
  await queue.waitUntilReady();
  await queue.close();
  await addEnded(
    redis,
    'bull:queue-0',
    Array.from({ length: jobs }, (_, i) => ({ id: `j${i}` })),
  );
}

async function byBullBoard(redis: OwnRedis) {
  const port = await freePort();
  const board: ChildProcess = fork(packagePath('dist/bench/bull-board-server.js'), [
    String(redis.port),
    String(port),
    '1',
  ]);
  try {
    await new Promise((resolve) => board.once('message', resolve));
    return await whilePinging(redis, async () => {
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

async function bySpillway(redis: OwnRedis) {
  const console_ = await startConsole({ redisUrl: redis.url });
  try {
    await until('the queue is seen', async () => {
      const { body } = await console_.ask('GET', '/api/v1/instances/default/queues');
      return body.queues.length === 1;
    });
    return await whilePinging(redis, async () => {
      const spec = { queues: ['queue-0'], ratePerSecond: 5_000, guard: false, reason: 'bench' };
      const answer = await console_.ask('POST', '/api/v1/replays', spec);
      if (answer.status !== 200) throw new Error(answer.text);
      await allMoved(redis);
    });
  } finally {
    await console_.stop();
  }
}

/** By Redis' own clock, which a busy machine does not blur. */
async function slowestCommand(redis: OwnRedis): Promise<string> {
  const entries = (await redis.client.slowlog('GET', 1_000)) as [number, number, number, string[]][];
  const [slowest] = entries.sort((a, b) => b[2] - a[2]);
  if (!slowest) return 'none above 1 ms';
  return `${(slowest[2] / 1000).toFixed(1)} ms (${slowest[3].slice(0, 3).join(' ').slice(0, 80)}), ${entries.length} above 1 ms`;
}

async function allMoved(redis: OwnRedis): Promise<void> {
  const none = async () => (await redis.client.zcard('bull:queue-0:failed')) === 0;
  await until('all are moved', none, { withinMs: 600_000 });
}

/** Pings one after the other, over a connection of their own, while something is done. */
async function whilePinging(redis: OwnRedis, work: () => Promise<void>) {
  const client = new Redis(redis.port, '127.0.0.1');
  await client.config('SET', 'slowlog-log-slower-than', 1_000, 'slowlog-max-len', 1_000);
  await client.slowlog('RESET');
  const waits: number[] = [];
  let isOver = false;
  const pinging = (async () => {
    while (!isOver) {
      const from = performance.now();
      await client.ping();
      waits.push(performance.now() - from);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  const from = performance.now();
  await work();
  const tookMs = performance.now() - from;
  isOver = true;
  await pinging;
  client.disconnect();
  const sorted = waits.sort((a, b) => a - b);
  return { worstMs: sorted.at(-1) ?? 0, p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0, tookMs };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
