import { FlowProducer } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { startRedis } from '../../drills/own-redis.js';
import { cleanFinishedJobs } from '../../server/redis/relief.js';
import { benchOfFile } from '../support/action-bench.js';
import { startWorker } from '../support/bullmq-process.js';
import { openBoth } from '../support/bullmq-queues.js';
import { overhear } from '../support/overhear.js';

const NAMES = ['age', 'both', 'many', 'children', 'dedup', 'none', 'stock', 'ours'];
const own = benchOfFile(NAMES);

const MINUTE = 60_000;

/** Completed jobs `c0` (oldest) to `c<n-1>`, one a minute up to now. */
async function addCompleted(id: string, count: number): Promise<void> {
  const pipeline = own.redis.client.pipeline();
  const nowMs = Date.now();
  pipeline.hset(`${id}:meta`, 'version', 'bullmq:6.7.0');
  for (let i = 0; i < count; i += 1) {
    const at = nowMs - (count - 1 - i) * MINUTE - 1000;
    pipeline.hset(`${id}:c${i}`, 'name', 'work', 'data', '{}', 'timestamp', at, 'finishedOn', at);
    pipeline.zadd(`${id}:completed`, at, `c${i}`);
  }
  await pipeline.exec();
  await own.bench.seen(id, (queue) => queue.counts.completed === count);
}

const idsOf = (id: string, state: string) => own.redis.client.zrange(`${id}:${state}`, '0', '-1');

it('never measures the whole of a large set, and still says what came free', async () => {
  // Of its own: no console is to measure anything there.
  const another = await startRedis();
  const { client } = another;
  const set = 'bull:large:failed';
  await client.hset('bull:large:meta', 'version', 'bullmq:6.7.0');
  for (let at = 0; at < 24_000; at += 2_000) {
    const pipeline = client.pipeline();
    for (let i = at; i < at + 2_000; i += 1) {
      pipeline.hset(`bull:large:f${i}`, 'name', 'work', 'data', '{}', 'finishedOn', i);
      pipeline.zadd(set, i, `f${i}`);
    }
    await pipeline.exec();
  }
  const bytesOf = async (key: string) => Number(await client.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
  const [before, job] = [await bytesOf(set), await bytesOf('bull:large:f9999')];
  const heard = await overhear(another);
  const range = { state: 'failed', untilMs: null, keep: 12_000 } as const;
  const result = await cleanFinishedJobs({ client, id: 'bull:large', canFlagScripts: true }, range);
  const commands = await heard.commands();
  const measured = commands.filter(([, what, key]) => /^usage$/i.test(what ?? '') && key === set);
  const samples = new Set(measured.map((args) => args[4]));
  heard.end();
  expect(result).toMatchObject({ removed: 12_000, remaining: 0, endedBecause: null });
  const freed = before - (await bytesOf(set)) + 12_000 * job;
  expect((result.freedBytes ?? 0) / freed).toBeGreaterThan(0.95);
  expect((result.freedBytes ?? 0) / freed).toBeLessThan(1.05);
  expect(samples).toEqual(new Set(['100']));
  await another.stop();
});

describe('cleans oldest first', () => {
  it('by age', async () => {
    const id = 'bull:age';
    await addCompleted(id, 20);
    const args = { state: 'completed', olderThanMs: 5 * MINUTE };
    const preview = await own.bench.pullOne('queue.clean-finished', {
      queues: [id],
      args,
      dryRun: true,
      reason: '',
    });
    expect(preview.preview?.affected.jobs).toBe(15);
    const outcome = await own.bench.pullOne('queue.clean-finished', { queues: [id], args });
    expect(outcome).toMatchObject({ status: 'applied', undo: null });
    expect(await idsOf(id, 'completed')).toEqual(['c15', 'c16', 'c17', 'c18', 'c19']);
    expect(await own.redis.client.keys(`${id}:c?`)).toEqual([]);
  });

  it('by age and number kept: what either keeps stays', async () => {
    const id = 'bull:both';
    await addCompleted(id, 20);
    const args = { state: 'completed', olderThanMs: 5 * MINUTE, keep: 8 };
    await own.bench.pullOne('queue.clean-finished', { queues: [id], args });
    expect(await own.redis.client.zcard(`${id}:completed`)).toBe(8);
    expect((await idsOf(id, 'completed'))[0]).toBe('c12');
  });

  it('thousands in bounded steps', async () => {
    const id = 'bull:many';
    await addCompleted(id, 2_600);
    const args = { state: 'completed', keep: 7 };
    const outcome = await own.bench.pullOne('queue.clean-finished', { queues: [id], args });
    expect(outcome.summary).toMatch(/^Removed 2,593 completed jobs and freed/);
    expect(await own.redis.client.zcard(`${id}:completed`)).toBe(7);
    const calls = await own.redis.client.info('commandstats');
    expect(Number(/cmdstat_evalsha:calls=(\d+)/.exec(calls)?.[1])).toBeGreaterThanOrEqual(5);
    const again = await own.bench.pullOne('queue.clean-finished', { queues: [id], args });
    expect(again.status).toBe('unchanged');
  });
});

it('leaves a failed child that its parent waits for, and says how many', async () => {
  const id = 'bull:children';
  const connection = { port: own.redis.port, host: '127.0.0.1', maxRetriesPerRequest: null };
  const flows = new FlowProducer({ connection });
  const child = (jobId: string, data: object) => ({
    name: 'child',
    queueName: 'children',
    data,
    opts: { jobId },
  });
  await flows.add({
    name: 'parent',
    queueName: 'parents',
    opts: { jobId: 'parent' },
    children: [child('good', {}), child('bad', { fail: 'boom' })],
  });
  const queues = openBoth(own.redis.port, 'children');
  await queues.v6.add('alone', { fail: 'boom' }, { jobId: 'alone' });
  const worker = await startWorker({ version: 6, port: own.redis.port, queue: 'children' });
  await own.bench.seen(id, (queue) => queue.counts.failed === 2 && queue.counts.completed === 1);
  await worker.stop();

  const outcome = await own.bench.pullOne('queue.clean-finished', {
    queues: [id],
    args: { state: 'failed' },
  });
  expect(outcome.summary).toMatch(
    /Removed 1 failed jobs .* 1 stay, because a parent job still waits for them/,
  );
  expect(await idsOf(id, 'failed')).toEqual(['bad']);
  expect(await own.redis.client.smembers('bull:parents:parent:dependencies')).toEqual([`${id}:bad`]);
  expect(await own.redis.client.zscore('bull:parents:waiting-children', 'parent')).not.toBeNull();

  // The child can still be retried, and the completed one's result is with the parent.
  const retried = await own.bench.pullOne('job.retry', { queues: [id], jobId: 'bad' });
  expect(retried.status).toBe('applied');
  await own.bench.pullOne('queue.clean-finished', { queues: [id], args: { state: 'completed' } });
  expect(await own.redis.client.hlen('bull:parents:parent:processed')).toBe(1);
  await flows.close();
  await queues.close();
});

it('takes a deduplication key away only where it still points at the removed job', async () => {
  const id = 'bull:dedup';
  await addCompleted(id, 2);
  await own.redis.client.hset(`${id}:c0`, 'deid', 'daily');
  await own.redis.client.hset(`${id}:c1`, 'deid', 'hourly');
  await own.redis.client.mset(`${id}:de:daily`, 'c0', `${id}:de:hourly`, 'a-newer-job');
  await own.bench.pullOne('queue.clean-finished', { queues: [id], args: { state: 'completed' } });
  expect(await own.redis.client.mget(`${id}:de:daily`, `${id}:de:hourly`)).toEqual([null, 'a-newer-job']);
});

it('leaves the same keys behind as the clean of BullMQ itself', async () => {
  const left: Record<string, unknown> = {};
  for (const name of ['stock', 'ours'] as const) {
    const queues = openBoth(own.redis.port, name);
    for (let i = 0; i < 6; i += 1) {
      const deduplication = i === 2 ? { deduplication: { id: 'once', ttl: 600_000 } } : {};
      await queues.v6.add('work', i % 2 ? { fail: 'boom' } : {}, { jobId: `w${i}`, ...deduplication });
    }
    const worker = await startWorker({ version: 6, port: own.redis.port, queue: name });
    await own.bench.seen(
      `bull:${name}`,
      (queue) => queue.counts.failed === 3 && queue.counts.completed === 3,
    );
    await worker.stop();
    await queues.v6.getJob('w1').then((job) => job?.log('a line'));
    if (name === 'stock')
      await Promise.all([queues.v6.clean(0, 100, 'failed'), queues.v6.clean(0, 100, 'completed')]);
    else {
      const pull = (state: string) =>
        own.bench.pullOne('queue.clean-finished', { queues: ['bull:ours'], args: { state } });
      await pull('failed');
      await pull('completed');
    }
    await queues.close();
    const keys = (await own.redis.client.keys(`bull:${name}:*`)).map((key) =>
      key.slice(`bull:${name}`.length),
    );
    left[name] = keys.filter((key) => !key.startsWith(':stalled') && key !== ':marker').sort();
  }
  expect(left.ours).toEqual(left.stock);
});

it('does nothing to a queue without finished jobs, and says so', async () => {
  await own.redis.client.hset('bull:none:meta', 'version', 'bullmq:6.7.0');
  await own.bench.seen('bull:none');
  const outcome = await own.bench.pullOne('queue.clean-finished', {
    queues: ['bull:none'],
    args: { state: 'failed' },
  });
  expect(outcome).toMatchObject({ status: 'unchanged', freedBytes: 0 });
  const wrong = own.bench.pullOne('queue.clean-finished', {
    queues: ['bull:none'],
    args: { state: 'waiting' },
  });
  await expect(wrong).rejects.toThrow(/state: must be completed or failed/);
});
