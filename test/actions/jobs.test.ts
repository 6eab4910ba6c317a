import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { JobsUnavailable, listJobs, readJob } from '../../server/watch/watch.js';
import { type ActionBench, startBench } from '../support/action-bench.js';
import { type BothVersions, openBoth } from '../support/bullmq-queues.js';

const id = 'bull:jobs';
let redis: OwnRedis;
let bench: ActionBench;
let queues: BothVersions;

beforeAll(async () => {
  redis = await startRedis();
  queues = openBoth(redis.port, 'jobs');
  await queues.v6.addBulk(
    Array.from({ length: 250 }, (_, i) => ({ name: 'work', data: { i }, opts: { jobId: `w${i}` } })),
  );
  await queues.v6.add('urgent', {}, { jobId: 'p1', priority: 5 });
  await queues.v6.add('later', {}, { jobId: 'd1', delay: 3_600_000 });
  // Named, so that it need not be found: that takes some seconds.
  bench = await startBench(redis, { queues: [id, 'bull:settings'] });
  await bench.seen(id);
});
afterAll(async () => {
  await queues?.close();
  await bench?.stop();
  await redis?.stop();
});

const list = (state: Parameters<typeof listJobs>[3]['state'], cursor = 0, limit = 100) =>
  listJobs(bench.watch, 'default', id, { state, cursor, limit });

describe('jobs are listed page by page', () => {
  it('in the order in which workers take them, each once', async () => {
    const seen: string[] = [];
    let cursor: number | null = 0;
    while (cursor !== null) {
      const page = await list('waiting', cursor, 80);
      expect(page.total).toBe(250);
      seen.push(...page.jobs.map((job) => job.id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(Array.from({ length: 250 }, (_, i) => `w${i}`));
  });

  it('with what a row shows, and never more than 100', async () => {
    const page = await list('waiting', 0, 5_000);
    expect(page.jobs.length).toBe(100);
    expect(page.nextCursor).toBe(100);
    expect((await list('prioritized')).jobs[0]).toMatchObject({ id: 'p1', name: 'urgent', priority: 5 });
    expect((await list('delayed')).jobs[0]).toMatchObject({
      id: 'd1',
      delayMs: 3_600_000,
      failedReason: null,
    });
  });

  it('those of a queue that BullMQ 5 has paused too, behind what waits', async () => {
    const paused = openBoth(redis.port, 'paused');
    await paused.v5.add('work', {}, { jobId: 'five' });
    await paused.v5.pause();
    await paused.v6.add('work', {}, { jobId: 'six' });
    const page = await listJobs(bench.watch, 'default', 'bull:paused', {
      state: 'waiting',
      cursor: 0,
      limit: 10,
    });
    expect(page.jobs.map((job) => job.id)).toEqual(['six', 'five']);
    const rest = await listJobs(bench.watch, 'default', 'bull:paused', {
      state: 'waiting',
      cursor: 1,
      limit: 1,
    });
    expect(rest.jobs.map((job) => job.id)).toEqual(['five']);
    await paused.close();
  });

  it('passes over the markers that older versions leave among them', async () => {
    await redis.client.rpush('bull:marked:wait', 'm1', '0:1700000000000');
    await redis.client.hset('bull:marked:m1', 'name', 'work', 'timestamp', 1);
    const page = await listJobs(bench.watch, 'default', 'bull:marked', {
      state: 'waiting',
      cursor: 0,
      limit: 1,
    });
    expect(page).toMatchObject({ jobs: [], nextCursor: 1 });
    const next = await listJobs(bench.watch, 'default', 'bull:marked', {
      state: 'waiting',
      cursor: 1,
      limit: 1,
    });
    expect(next.jobs.map((job) => job.id)).toEqual(['m1']);
  });

  it('newest first where they have ended, with the reason of failure cut', async () => {
    for (const [i, reason] of ['short', 'x'.repeat(5_000), 'y'.repeat(50_000)].entries()) {
      await redis.client.hset(
        `${id}:f${i}`,
        'name',
        'work',
        'timestamp',
        1,
        'finishedOn',
        i + 1,
        'failedReason',
        reason,
      );
      await redis.client.zadd(`${id}:failed`, i + 1, `f${i}`);
    }
    const page = await list('failed');
    expect(page.jobs.map((job) => job.id)).toEqual(['f2', 'f1', 'f0']);
    expect(page.jobs.map((job) => job.failedReason?.length)).toEqual(['(50000 bytes)'.length, 300, 5]);
  });
});

describe('one job is read', () => {
  it('with data, options, state, logs and stack traces', async () => {
    await queues.v6.add('full', { to: 'a@b.c' }, { jobId: 'full', attempts: 3 });
    for (let i = 0; i < 130; i += 1) await redis.client.rpush(`${id}:full:logs`, `line ${i}`);
    await redis.client.hset(
      `${id}:full`,
      'stacktrace',
      JSON.stringify(['first', 'second']),
      'pb',
      'worker-1',
    );
    const job = await readJob(bench.watch, 'default', id, 'full');
    expect(job).toMatchObject({
      id: 'full',
      name: 'full',
      state: 'waiting',
      data: '{"to":"a@b.c"}',
      stackTrace: ['first', 'second'],
      processedBy: 'worker-1',
      logsTotal: 130,
      isTruncated: true,
    });
    expect(JSON.parse(job?.opts ?? '')).toMatchObject({ attempts: 3 });
    expect(job?.logs.length).toBe(100);
    expect(job?.logs.at(-1)).toBe('line 129');
    expect(job?.memoryBytes).toBeGreaterThan(100);
  });

  it('without fetching a payload of 50 MB, of which the size is reported', async () => {
    await redis.client.hset(
      `${id}:huge`,
      'name',
      'work',
      'timestamp',
      1,
      'data',
      'x'.repeat(50 * 1024 * 1024),
    );
    const sentBefore = await sentBytes();
    const job = await readJob(bench.watch, 'default', id, 'huge');
    expect(job).toMatchObject({
      data: '(52428800 bytes: too large to show here)',
      isTruncated: true,
      state: 'unknown',
    });
    expect((await sentBytes()) - sentBefore).toBeLessThan(1024 * 1024);
    await redis.client.del(`${id}:huge`);
  });

  it('cut where a field is long', async () => {
    await redis.client.hset(`${id}:long`, 'name', 'work', 'timestamp', 1, 'data', 'x'.repeat(100_000));
    const job = await readJob(bench.watch, 'default', id, 'long');
    expect(job?.data.length).toBe(64 * 1024);
    expect(job?.isTruncated).toBe(true);
  });

  it('though its fields are not what BullMQ writes', async () => {
    await redis.client.hset(
      `${id}:odd`,
      'name',
      'odd',
      'timestamp',
      'soon',
      'stacktrace',
      '[not json',
      'atm',
      'x',
    );
    const job = await readJob(bench.watch, 'default', id, 'odd');
    expect(job).toMatchObject({ timestampMs: null, attemptsMade: 0, stackTrace: ['[not json'], opts: '' });
  });

  it('or reported to be none', async () => {
    expect(await readJob(bench.watch, 'default', id, 'nobody')).toBeNull();
  });
});

it('a Redis that cannot be asked is reported as such', async () => {
  await expect(listJobs(bench.watch, 'prod', id, { state: 'failed', cursor: 0, limit: 1 })).rejects.toThrow(
    JobsUnavailable,
  );
});

it('acting on jobs leaves the application’s own settings of the queue alone', async () => {
  const own = openBoth(redis.port, 'settings');
  await own.v5.add('work', {}, { jobId: 'one', delay: 3_600_000 });
  await redis.client.hset('bull:settings:meta', 'opts.maxLenEvents', '500');
  const before = await redis.client.hgetall('bull:settings:meta');
  await bench.seen('bull:settings');
  expect((await bench.pullOne('job.promote', { queues: ['bull:settings'], jobId: 'one' })).status).toBe(
    'applied',
  );
  expect(await redis.client.hgetall('bull:settings:meta')).toEqual(before);
  const gone = await bench.pullOne('job.retry', { queues: ['bull:settings'], jobId: 'two' });
  expect(gone).toMatchObject({ status: 'refused', summary: expect.stringMatching(/no job two/) });
  const wrong = await bench.pullOne('job.retry', { queues: ['bull:settings'], jobId: 'one' });
  expect(wrong).toMatchObject({
    status: 'refused',
    summary: expect.stringMatching(/waiting can't be retried/),
  });
  await redis.client.set('bull:settings:one:lock', 'token');
  const locked = await bench.pullOne('job.remove', { queues: ['bull:settings'], jobId: 'one' });
  expect(locked).toMatchObject({ status: 'failed', summary: expect.stringMatching(/being processed/) });
  await own.close();
});

async function sentBytes(): Promise<number> {
  return Number(/total_net_output_bytes:(\d+)/.exec(await redis.client.info('stats'))?.[1]);
}
