import { Queue, Worker } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, overfill, startRedis } from '../../drills/own-redis.js';
import { addBallast, lift } from '../support/action-bench.js';
import { startWorker } from '../support/bullmq-process.js';
import { type Answer, type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let console_: RunningConsole;
const queues: Queue[] = [];

beforeAll(async () => {
  redis = await startRedis();
  await addBallast(redis);
  for (const name of ['works', 'idle', 'fails', 'slow', 'stopped']) {
    const queue = new Queue(name, { connection: { port: redis.port } });
    await queue.waitUntilReady();
    await queue.setGlobalConcurrency(50);
    queues.push(queue);
  }
  console_ = await startConsole({ redisUrl: redis.url });
  await until(
    'the queues are seen',
    async () => (await console_.ask('GET', '/api/v1/overview')).body.instances[0].totals.queues === 5,
  );
});
afterAll(async () => {
  await console_?.stop();
  await Promise.allSettled(queues.map((queue) => queue.close()));
  await redis?.stop();
});

/** The answer, with the canary for its body where there is one. */
const canary = async (queue: string, body: object = {}, query = ''): Promise<Answer> => {
  const answer = await console_.ask('POST', `/api/v1/instances/default/queues/${queue}/canary${query}`, body);
  return { ...answer, body: answer.body.canary ?? answer.body };
};
const of = (name: string): Queue => {
  const queue = queues.find((one) => one.name === name);
  if (!queue) throw new Error(name);
  return queue;
};
const leftIn = async (name: string) =>
  (await of(name).getJobs(['waiting', 'active', 'completed', 'failed', 'delayed'])).map(({ id }) => id);

describe('a canary job', () => {
  it.each([5, 6] as const)(
    'goes the way of users through a worker of BullMQ %i, is timed, and leaves nothing',
    async (version) => {
      const keeper = await of('works').add('kept', {}, { removeOnComplete: false });
      const worker = await startWorker({ version, port: redis.port, queue: 'works', jobMs: 50 });
      const { status, body } = await canary('works', { timeoutMs: 60_000 });
      expect(status).toBe(200);
      expect(body).toMatchObject({
        stage: 'completed',
        jobType: 'spillway.canary',
        isRemoved: true,
        failedReason: null,
      });
      const [accepted = 0, started = 0, finished = 0] = [
        body.acceptedAt,
        body.startedAt,
        body.finishedAt,
      ].map((at) => new Date(at).getTime());
      expect(finished - started).toBeGreaterThanOrEqual(40);
      expect(finished).toBeGreaterThanOrEqual(accepted - 5);
      expect(body.totalMs).toBeGreaterThanOrEqual(40);
      // What users keep is still there.
      await until('the other job has ended too', async () => (await of('works').getCompletedCount()) > 0);
      expect(await leftIn('works')).toEqual([keeper.id]);
      await worker.stop();
      await of('works').obliterate({ force: true });
      await of('works').setGlobalConcurrency(50);
    },
  );

  it('that no worker takes says so, with what waits, and is taken back', async () => {
    await of('idle').add('mine', {});
    const { status, body } = await canary('idle', { timeoutMs: 300 });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      stage: 'waiting',
      startedAt: null,
      finishedAt: null,
      waitingJobs: 2,
      isRemoved: true,
    });
    expect(await of('idle').getWaitingCount()).toBe(1);
  });

  it('that a worker does not know comes back as failed: the way works all the same', async () => {
    const worker = new Worker(
      'fails',
      async ({ name }) => {
        throw new Error(`no handler for ${name}`);
      },
      { connection: { port: redis.port, maxRetriesPerRequest: null } },
    );
    const { body } = await canary('fails', { jobType: 'unknown-type', timeoutMs: 60_000 });
    expect(body).toMatchObject({
      stage: 'failed',
      jobType: 'unknown-type',
      failedReason: 'no handler for unknown-type',
      isRemoved: true,
    });
    await worker.close();
  });

  it('that a worker is busy with when time is up says so, and is cleared away when it ends', async () => {
    const worker = await startWorker({ version: 6, port: redis.port, queue: 'slow', jobMs: 4_000 });
    const { body } = await canary('slow', { timeoutMs: 1_500 });
    expect(body).toMatchObject({ stage: 'active', finishedAt: null, isRemoved: false });
    await until('it is gone', async () => (await leftIn('slow')).length === 0);
    await worker.stop();
  });

  it('is refused on a queue that is paused, by Spillway or its application, with what to do', async () => {
    await console_.ask('PATCH', '/api/v1/instances/default/queues/stopped', { paused: true, reason: 'test' });
    const stopped = await canary('stopped');
    expect(stopped.status).toBe(409);
    expect(stopped.body.detail).toMatch(/paused by Spillway.*resume it first/);
    await console_.ask('PATCH', '/api/v1/instances/default/queues/stopped', {
      paused: false,
      reason: 'test',
    });
    await of('stopped').pause();
    const paused = await canary('stopped');
    expect(paused.body.detail).toMatch(/paused by the application/);
    expect(await leftIn('stopped')).toEqual([]);
  });

  it('over a full Redis is refused as producers are, which it reports', async () => {
    await overfill(redis);
    try {
      const { status, body } = await canary('works', { timeoutMs: 300 });
      expect(status).toBe(409);
      expect(body.detail).toMatch(/full and refuses the add, as it refuses those of your producers/);
    } finally {
      await lift(redis);
    }
    expect(await leftIn('works')).toEqual([]);
  });

  it('takes no nonsense, and is in the audit', async () => {
    expect((await canary('works', { timeoutMs: 10 })).status).toBe(422);
    expect((await canary('works', { jobId: 'x' })).status).toBe(422);
    expect((await canary('no-such-queue')).status).toBe(404);
    const { body } = await console_.ask('GET', '/api/v1/audit?action=queue.canary');
    // Only asked for: nothing was sent, and nobody did anything.
    expect((await canary('works', { reason: 'not yet' }, '?dryRun=true')).body).toEqual({ canary: null });
    expect((await canary('no-such-queue', {}, '?dryRun=true')).status).toBe(404);
    expect(await leftIn('works')).toEqual([]);
    expect((await console_.ask('GET', '/api/v1/audit?action=queue.canary')).body).toEqual(body);
    expect(body.records[0]).toMatchObject({
      action: 'queue.canary',
      instance: 'default',
      queue: 'bull:works',
    });
    expect(body.records.map(({ status }: { status: string }) => status)).toContain('failed');
  });
});
