import { FlowProducer, type JobsOptions, type Queue, Worker } from 'bullmq';
import { expect } from 'vitest';
import { overfill } from '../../drills/own-redis.js';
import type { QueueState } from '../../server/model/snapshot.js';
import type { Watch } from '../../server/watch/watch.js';
import { heldBytes } from '../support/held-bytes.js';
import { it, type RedisWorld } from '../support/redis-test.js';
import { until } from '../support/until.js';
import { anInstance, untilQueue, watching } from '../support/watching.js';

/** A watcher of that Redis, that reads as much as the budget lets it. */
function start({ redis, endLater }: RedisWorld, cpuBudgetRatio = 0.5): Watch {
  const { watch } = watching(anInstance(redis.url, { cpuBudgetRatio }));
  endLater(() => watch.stop());
  return watch;
}

async function addJobs(queue: Queue, jobs: number, opts: JobsOptions = {}): Promise<void> {
  for (let from = 0; from < jobs; from += 1_000) {
    await queue.addBulk(
      Array.from({ length: Math.min(1_000, jobs - from) }, (_, i) => ({
        name: i % 3 === 0 ? 'report' : 'track',
        data: { pad: 'x'.repeat(10 + ((i * 7_919) % 3_000)) },
        opts,
      })),
    );
  }
}

const counted = (
  watch: Watch,
  id: string,
  jobs: (queue: QueueState) => boolean = () => true,
): Promise<QueueState> =>
  untilQueue(watch, id, (queue) => queue.count?.state === 'done' && jobs(queue), 60_000);

it.concurrent('a count is exact to the byte, whatever a queue is made of', async ({ world }) => {
  const { redis, aQueue, endLater } = world;
  const queue = aQueue('all');
  await addJobs(queue, 2_000);
  await addJobs(queue, 300, { priority: 3 });
  await addJobs(queue, 300, { delay: 3_600_000 });
  await queue.add('once', {}, { deduplication: { id: 'only-one' } });
  await queue.upsertJobScheduler('nightly', { pattern: '0 3 * * *' }, { name: 'tick' });
  const flow = new FlowProducer({ connection: { port: redis.port } });
  endLater(() => flow.close());
  for (let i = 0; i < 20; i += 1) {
    await flow.add({
      name: 'parent',
      queueName: 'all',
      children: [{ name: 'child', queueName: 'elsewhere', data: { i } }],
    });
  }
  const finished = aQueue('all');
  const worker = new Worker(
    'all',
    async (job) => {
      await job.log('z'.repeat(50 + (Number(job.id) % 400)));
      if (Number(job.id) % 2 === 0) throw new Error('y'.repeat(300));
      return 'r'.repeat(200);
    },
    { connection: { port: redis.port }, concurrency: 20 },
  );
  endLater(() => worker.close());
  await until(
    'a few hundred have run',
    async () => (await finished.getJobCountByTypes('completed', 'failed')) > 600,
  );
  await worker.close();
  const watch = start(world);
  await untilQueue(watch, 'bull:all', ({ counts }) => counts.completed > 0 && counts.failed > 0);
  watch.startCount('default', 'bull:all');
  const { memory, count } = await counted(watch, 'bull:all');
  const truth = await heldBytes(redis, 'bull:all');
  expect(memory).toMatchObject({ source: 'count', errorBytes: 0 });
  expect(memory?.totalBytes).toBe(truth.all);
  expect(memory?.states.every(({ errorBytes }) => errorBytes === 0)).toBe(true);
  expect(memory?.sampledJobs).toBe(count?.countedJobs);
  expect(memory?.kinds.reduce((sum, kind) => sum + kind.bytes, 0)).toBe(truth.all);
  // And how many of each type wait is exact too.
  const { types, counts } = await untilQueue(watch, 'bull:all', (queue) =>
    queue.types.every(({ waiting }) => waiting !== null && waiting.low === waiting.high),
  );
  const waiting = types.reduce((sum, type) => sum + (type.waiting?.value ?? 0), 0);
  expect(waiting).toBe(counts.waiting + counts.prioritized);
});

it.concurrent('while one queue is counted another is refused, and a stopped count leaves what was known by samples', async ({
  world,
}) => {
  const { aQueue } = world;
  await addJobs(aQueue('large'), 4_000);
  await addJobs(aQueue('small'), 10);
  const watch = start(world, 0.001);
  await untilQueue(watch, 'bull:large', ({ memory }) => memory !== null);
  await untilQueue(watch, 'bull:small', ({ memory }) => memory !== null);
  watch.startCount('default', 'bull:large');
  expect(() => watch.startCount('default', 'bull:small')).toThrow('bull:large is being counted');
  expect(() => watch.startCount('default', 'bull:large')).toThrow('is being counted already');
  const seen = await untilQueue(watch, 'bull:large', ({ count }) => (count?.countedJobs ?? 0) > 0);
  expect(seen.count).toMatchObject({ state: 'running', totalJobs: 4_000, problem: null });
  expect(seen.count?.remainingSeconds).toBeGreaterThan(0);
  expect(watch.stopCount('default', 'bull:large')).toMatchObject({ state: 'stopped' });
  const after = await untilQueue(watch, 'bull:large', ({ count }) => count?.state === 'stopped');
  expect(after.count?.countedJobs).toBeLessThan(4_000);
  expect(after.memory?.source).toBe('sample');
  expect(watch.startCount('default', 'bull:small')).toMatchObject({ state: 'running' });
});

it.concurrent('a queue that changes while it is counted is reported with ±, and by samples again once a twentieth has changed', async ({
  world,
}) => {
  const { redis, aQueue } = world;
  const queue = aQueue('busy');
  await addJobs(queue, 10_000);
  const watch = start(world);
  await untilQueue(watch, 'bull:busy', ({ counts }) => counts.waiting === 10_000);
  watch.startCount('default', 'bull:busy');
  await untilQueue(watch, 'bull:busy', ({ count }) => (count?.countedJobs ?? 0) > 0);
  await addJobs(queue, 100);
  const few = await counted(
    watch,
    'bull:busy',
    ({ counts, memory }) => counts.waiting === 10_100 && (memory?.errorBytes ?? 0) > 0,
  );
  const truth = await heldBytes(redis, 'bull:busy');
  expect(few.memory?.source).toBe('count');
  expect(Math.abs((few.memory?.totalBytes ?? 0) - truth.all)).toBeLessThan(truth.all * 0.01);
  await addJobs(queue, 900);
  const many = await untilQueue(watch, 'bull:busy', ({ memory }) => memory?.source === 'sample');
  expect(many.memory?.errorBytes).toBeGreaterThan(0);
});

it.concurrent('jobs that workers move from list to list while they are counted are counted to within their ±', async ({
  world,
}) => {
  const { redis, aQueue, endLater } = world;
  const queue = aQueue('moving');
  await addJobs(queue, 10_000);
  const watch = start(world, 0.02);
  await untilQueue(watch, 'bull:moving', ({ counts }) => counts.waiting === 10_000);
  watch.startCount('default', 'bull:moving');
  let left = 300;
  const worker: Worker = new Worker(
    'moving',
    async () => {
      left -= 1;
      if (left <= 0) void worker.pause(true);
      return 'r'.repeat(100);
    },
    { connection: { port: redis.port }, concurrency: 2 },
  );
  worker.on('error', () => undefined);
  endLater(() => worker.close());
  const { memory } = await counted(
    watch,
    'bull:moving',
    // What came after the count began is known by samples, a little later.
    (seen) =>
      seen.counts.completed >= 299 &&
      seen.counts.active === 0 &&
      (seen.memory?.completedBytes ?? 0) > 300_000,
  );
  const truth = await heldBytes(redis, 'bull:moving');
  expect(memory?.source).toBe('count');
  expect(Math.abs((memory?.totalBytes ?? 0) - truth.all)).toBeLessThan(0.02 * truth.all);
});

it.concurrent('a count works while Redis is over its limit', async ({ world }) => {
  const { redis, aQueue } = world;
  const queue = aQueue('full');
  await addJobs(queue, 5_000);
  await overfill(redis);
  await expect(queue.add('more', {})).rejects.toThrow('OOM');
  const watch = start(world);
  await untilQueue(watch, 'bull:full');
  watch.startCount('default', 'bull:full');
  const { memory } = await counted(watch, 'bull:full');
  expect(memory?.totalBytes).toBe((await heldBytes(redis, 'bull:full')).all);
});

it.concurrent('a restart of Redis ends a count with its reason', async ({ world }) => {
  const { redis, aQueue } = world;
  await addJobs(aQueue('mail'), 4_000);
  const watch = start(world, 0.001);
  await untilQueue(watch, 'bull:mail', ({ counts }) => counts.waiting === 4_000);
  watch.startCount('default', 'bull:mail');
  await untilQueue(watch, 'bull:mail', ({ count }) => (count?.countedJobs ?? 0) > 0);
  await redis.restart();
  const queue = aQueue('mail');
  await addJobs(queue, 50);
  const { count } = await untilQueue(watch, 'bull:mail', (seen) => seen.count?.state === 'failed', 20_000);
  expect(count?.problem).toMatch(/another process|gone/);
});
