import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type OwnRedis, overfill, startRedis } from '../../drills/own-redis.js';
import { type ActionBench, addBallast, lift, startBench } from '../support/action-bench.js';
import { startWorker } from '../support/bullmq-process.js';
import { type BothVersions, openBoth } from '../support/bullmq-queues.js';
import { until } from '../support/until.js';

const OOM = /OOM command not allowed/;

// Both forms of the scripts: the flag of Redis 7, and the freeing write first that older ones need. Side by side, each
// with a Redis, whose limit its tests move one after the other.
const it = test.sequential;
describe.concurrent.each([
  { form: 'scripts flagged allow-oom (Redis 7)', canFlagScripts: true },
  { form: 'scripts that free first (Redis 6.2)', canFlagScripts: false },
])('while Redis refuses writes, with $form', ({ canFlagScripts }) => {
  let redis: OwnRedis;
  let bench: ActionBench;
  let queues: BothVersions;
  let id: string;
  let count = 0;

  beforeAll(async () => {
    redis = await startRedis();
    await addBallast(redis);
    // Named, so that they need not be discovered: that takes some seconds.
    const names = Array.from({ length: 20 }, (_, i) => `bull:mail-${i + 1}`);
    bench = await startBench(redis, { queues: names });
    const link = bench.watch.link('default');
    await until('capabilities are known', () => link?.capabilities);
    if (link?.capabilities) link.capabilities = { ...link.capabilities, canFlagScripts };
    await until('the snapshot has them', () => {
      return bench.watch.snapshot('default')?.capabilities?.canFlagScripts === canFlagScripts;
    });
  });
  afterAll(async () => {
    await bench?.stop();
    await redis?.stop();
  });

  beforeEach(async () => {
    count += 1;
    id = `bull:mail-${count}`;
    queues = openBoth(redis.port, `mail-${count}`);
    await queues.v6.addBulk(
      Array.from({ length: 200 }, (_, i) => ({ name: 'send', data: { i, pad: 'x'.repeat(300) } })),
    );
    await addFinished(redis, id, 'completed', 50);
    await addFinished(redis, id, 'failed', 50);
    await bench.seen(id, (queue) => queue.counts.waiting === 200 && queue.counts.failed === 50);
    await overfill(redis);
    await bench.seen(id, () => bench.watch.snapshot('default')?.nodes[0]?.isFull === true);
  });
  afterEach(async () => {
    await lift(redis);
    await queues.close();
  });

  it('pauses a queue that a stock pause cannot, and resumes it', async () => {
    await expect(queues.v6.pause()).rejects.toThrow(OOM);
    await expect(queues.v6.setGlobalConcurrency(0)).rejects.toThrow(OOM);

    const paused = await bench.pullOne('queue.pause', { queues: [id] });
    expect(paused).toMatchObject({ status: 'applied', undo: { action: 'queue.resume' } });
    expect(await redis.client.hget(`${id}:meta`, 'concurrency')).toBe('0');
    const again = await bench.pullOne('queue.pause', { queues: [id] });
    expect(again.status).toBe('unchanged');

    const resumed = await bench.pullOne('queue.resume', { queues: [id] });
    expect(resumed.status).toBe('applied');
    expect(await redis.client.hmget(`${id}:meta`, 'concurrency', 'spillway.pause')).toEqual([null, null]);
    expect(await redis.client.zscore(`${id}:marker`, '0')).toBe('0');
  });

  it('quiets workers that Redis refuses in a busy loop', async () => {
    const workers = await Promise.all(
      ([5, 6] as const).map((version) =>
        startWorker({
          version,
          port: redis.port,
          queue: id.slice('bull:'.length),
          options: { concurrency: 5 },
        }),
      ),
    );
    const errors = (): number => workers.reduce((sum, worker) => sum + worker.errors, 0);
    const preview = await bench.pullOne('queue.pause', { queues: [id], dryRun: true, reason: '' });
    expect(preview.preview?.effects.join()).toMatch(/fall quiet/);
    await until('workers of both versions spin', () => workers.every((worker) => worker.errors > 500));
    await bench.pullOne('queue.pause', { queues: [id] });
    let before = -1;
    await until(
      'half a second without an error',
      () => {
        const since = errors() - before;
        before = errors();
        return since === 0;
      },
      { everyMs: 500 },
    );
    expect(workers.flatMap((worker) => worker.started)).toEqual([]);
    await Promise.all(workers.map((worker) => worker.stop()));
  });

  it('sets a global concurrency that the stock call cannot', async () => {
    await expect(queues.v6.setGlobalConcurrency(4)).rejects.toThrow(OOM);
    const outcome = await bench.pullOne('queue.concurrency', { queues: [id], args: { value: 4 } });
    expect(outcome).toMatchObject({ status: 'applied', undo: { args: { value: null } } });
    expect(await queues.v6.getGlobalConcurrency()).toBe(4);
  });

  it('sets a global rate limit that the stock calls cannot', async () => {
    await expect(queues.v6.setGlobalRateLimit(5, 1000)).rejects.toThrow(OOM);
    await expect(queues.v6.rateLimit(1000)).rejects.toThrow(OOM);
    const outcome = await bench.pullOne('queue.rate-limit', { queues: [id], args: { max: 5 } });
    expect(outcome).toMatchObject({ status: 'applied', undo: { args: { max: null } } });
    expect(await redis.client.hmget(`${id}:meta`, 'max', 'duration')).toEqual(['5', '1000']);
  });

  it('trims events and reports the bytes that came free', async () => {
    const before = Number(await redis.client.call('MEMORY', 'USAGE', `${id}:events`, 'SAMPLES', '0'));
    const outcome = await bench.pullOne('queue.trim-events', { queues: [id], args: { keep: 0 } });
    const after = Number(await redis.client.call('MEMORY', 'USAGE', `${id}:events`, 'SAMPLES', '0'));
    expect(outcome).toMatchObject({ status: 'applied', freedBytes: before - after });
    expect(await redis.client.xlen(`${id}:events`)).toBe(0);
  });

  it.each(['completed', 'failed'] as const)(
    'cleans %s jobs and reports the bytes that came free',
    async (state) => {
      const held = await bytesOf(redis, id, state);
      const outcome = await bench.pullOne('queue.clean-finished', {
        queues: [id],
        args: { state, keep: 10 },
      });
      expect(outcome).toMatchObject({
        status: 'applied',
        freedBytes: held - (await bytesOf(redis, id, state)),
      });
      expect(await redis.client.zcard(`${id}:${state}`)).toBe(10);
      expect(outcome.preview?.predictedFreedBytes).toBeGreaterThan((outcome.freedBytes ?? 0) * 0.95);
      expect(outcome.preview?.predictedFreedBytes).toBeLessThan((outcome.freedBytes ?? 0) * 1.05);
    },
  );

  it('raises maxmemory, after which writes are accepted again', async () => {
    await expect(queues.v6.add('more', {})).rejects.toThrow(OOM);
    const maxBytes = 256 * 1024 * 1024;
    const outcome = await bench.pullOne('redis.raise-maxmemory', { args: { maxBytes } });
    expect(outcome.status).toBe('applied');
    expect(outcome.warnings.join()).toMatch(/redis\.conf/);
    await expect(queues.v6.add('more', {})).resolves.toBeDefined();
  });

  it('retries, promotes and removes single jobs', async () => {
    const retried = await bench.pullOne('job.retry', { queues: [id], jobId: 'failed-7' });
    expect(retried).toMatchObject({ status: 'applied', jobId: 'failed-7' });
    expect(retried.preview?.warnings[0]?.text).toMatch(/full/);
    expect(await redis.client.lpos(`${id}:wait`, 'failed-7')).not.toBeNull();

    await lift(redis);
    await queues.v6.add('later', {}, { delay: 3_600_000, jobId: 'later' });
    await overfill(redis);
    const promoted = await bench.pullOne('job.promote', { queues: [id], jobId: 'later' });
    expect(promoted.status).toBe('applied');
    expect(await redis.client.zscore(`${id}:delayed`, 'later')).toBeNull();

    const removed = await bench.pullOne('job.remove', { queues: [id], jobId: 'completed-3' });
    expect(removed.status).toBe('applied');
    expect(await redis.client.exists(`${id}:completed-3`)).toBe(0);
  });

  it('warns of what hurts now and says what to do first', async () => {
    for (const action of ['queue.resume', 'queue.concurrency', 'job.retry']) {
      const request = { queues: [id], dryRun: true, reason: '' };
      const args = action === 'queue.concurrency' ? { value: 50 } : {};
      const outcome = await bench.pullOne(action, {
        ...request,
        args,
        ...(action === 'job.retry' ? { jobId: 'failed-1' } : {}),
      });
      expect(outcome.preview?.warnings.map((warning) => warning.text).join()).toMatch(/Make room first/);
      const instead = outcome.preview?.warnings.flatMap((warning) => warning.instead) ?? [];
      expect(instead.map((remedy) => remedy.action)).toContain('redis.raise-maxmemory');
    }
    expect(await redis.client.hget(`${id}:meta`, 'concurrency')).toBeNull();
  });
});

/** Finished jobs with known ids, as BullMQ leaves them: hash, place in the set, and logs of a few. */
async function addFinished(
  redis: OwnRedis,
  id: string,
  state: 'completed' | 'failed',
  count: number,
): Promise<void> {
  const pipeline = redis.client.pipeline();
  const nowMs = Date.now();
  for (let i = 0; i < count; i += 1) {
    const key = `${id}:${state}-${i}`;
    const at = nowMs - (count - i) * 1000;
    const end =
      state === 'failed' ? ['failedReason', 'boom', 'stacktrace', '["a","b"]'] : ['returnvalue', '{}'];
    pipeline.hset(key, 'name', 'send', 'data', JSON.stringify({ pad: 'y'.repeat(1000) }), 'opts', '{}');
    pipeline.hset(key, 'timestamp', at - 500, 'finishedOn', at, 'processedOn', at - 100, 'atm', 1, ...end);
    pipeline.zadd(`${id}:${state}`, at, `${state}-${i}`);
    if (i % 10 === 0) pipeline.rpush(`${key}:logs`, 'one', 'two');
  }
  await pipeline.exec();
}

/** What Redis holds for a state: its set, and the hash and logs of each of the jobs above. */
async function bytesOf(redis: OwnRedis, id: string, state: string): Promise<number> {
  const keys = [`${id}:${state}`];
  for (let i = 0; i < 50; i += 1) keys.push(`${id}:${state}-${i}`, `${id}:${state}-${i}:logs`);
  let bytes = 0;
  for (const key of keys)
    bytes += Number((await redis.client.call('MEMORY', 'USAGE', key, 'SAMPLES', '0')) ?? 0);
  return bytes;
}
