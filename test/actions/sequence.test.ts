import { describe, expect } from 'vitest';
import { followAudit } from '../../server/actions/audited-actions.js';
import type { ActionRequest } from '../../server/model/action.js';
import { type ActionBench, startBench } from '../support/action-bench.js';
import { startWorker } from '../support/bullmq-process.js';
import { it as base } from '../support/redis-test.js';
import { until } from '../support/until.js';

const MB = 1024 * 1024;

/** A queue with 3,000 events and 400 completed jobs of 10 KB, and 5 MB that wait. */
const it = base.extend<{ readonly bench: ActionBench }>({
  bench: async ({ world }, use) => {
    const { client } = world.redis;
    const pipeline = client.pipeline();
    pipeline.hset('bull:mail:meta', 'version', 'bullmq:6.7.0');
    for (let i = 0; i < 3_000; i += 1)
      pipeline.xadd(
        'bull:mail:events',
        '*',
        'event',
        'completed',
        'jobId',
        String(i),
        'returnvalue',
        'x'.repeat(300),
      );
    for (let i = 0; i < 400; i += 1) {
      pipeline.hset(`bull:mail:c${i}`, 'name', 'send', 'data', 'x'.repeat(10_000), 'finishedOn', i + 1);
      pipeline.zadd('bull:mail:completed', i + 1, `c${i}`);
    }
    await pipeline.exec();
    const queue = world.aQueue('mail');
    await queue.addBulk(
      Array.from({ length: 500 }, () => ({ name: 'send', data: { pad: 'x'.repeat(10_000) } })),
    );
    const bench = await startBench(world.redis, { queues: ['bull:mail'] });
    await bench.seen('bull:mail', ({ counts }) => counts.completed === 400);
    await use(bench);
    await bench.stop();
  },
});

const trim = { action: 'queue.trim-events', queues: ['bull:mail'], args: { keep: 0 } };
const clean = {
  action: 'queue.clean-finished',
  queues: ['bull:mail'],
  args: { state: 'completed', keep: 10 },
};
const raise = (maxBytes: number) => ({ action: 'redis.raise-maxmemory', queues: [], args: { maxBytes } });

const steps = (...of: readonly object[]): Partial<ActionRequest> => ({ args: { steps: of } });

it('what another console has just done is known to this one, and its own is known once', async ({
  world,
  bench,
}) => {
  const other = await startBench(world.redis, { queues: ['bull:mail'] });
  try {
    await bench.pullOne('queue.trim-events', trim);
    const done = { action: 'queue.trim-events', queue: 'bull:mail', args: { keep: 0 }, isChange: true };
    for (const { watch } of [other, bench]) {
      const following = followAudit({ watch, audit: bench.audit, now: Date.now }, (error) => {
        throw error;
      });
      await following.run();
      await until('it is in the Snapshot', () => (watch.snapshot('default')?.acted ?? []).length > 0);
      expect(watch.snapshot('default')?.acted).toMatchObject([done]);
      expect(watch.snapshot('default')?.actedAtMs).toBeGreaterThan(0);
    }
  } finally {
    await other.stop();
  }
});

describe('several actions as one', () => {
  it('are shown before, each by itself, with what all of them free, and change nothing by that', async ({
    world,
    bench,
  }) => {
    const outcome = await bench.pullOne('sequence', { ...steps(trim, clean), dryRun: true });
    expect(outcome.preview?.steps).toMatchObject([
      { action: 'queue.trim-events', title: 'Trim events', status: 'planned', isReversible: false },
      { action: 'queue.clean-finished', status: 'planned' },
    ]);
    const freed = outcome.preview?.steps?.map(({ predictedFreedBytes }) => predictedFreedBytes ?? 0) ?? [];
    expect(outcome.preview?.predictedFreedBytes).toBe((freed[0] ?? 0) + (freed[1] ?? 0));
    expect(freed[1]).toBeGreaterThan(3.5 * MB);
    expect(await world.redis.client.zcard('bull:mail:completed')).toBe(400);
    expect(bench.audit.records).toEqual([]);
  });

  it('are done in order, each with what it brought and an audit record of its own', async ({ bench }) => {
    const outcome = await bench.pullOne('sequence', {
      ...steps(trim, clean, raise(700 * MB)),
      reason: 'full',
    });
    expect(outcome.status).toBe('applied');
    expect(outcome.steps?.map(({ status }) => status)).toEqual(['done', 'done', 'done']);
    expect(outcome.steps?.[1]?.freedBytes).toBeGreaterThan(3.5 * MB);
    expect(outcome.freedBytes).toBe(
      (outcome.steps?.[0]?.freedBytes ?? 0) + (outcome.steps?.[1]?.freedBytes ?? 0),
    );
    expect(outcome.steps?.[2]?.roomBytes).toBeGreaterThan(600 * MB);
    expect(bench.audit.records.map(({ action, reason, status }) => [action, reason, status])).toEqual([
      ['queue.trim-events', 'full', 'applied'],
      ['queue.clean-finished', 'full', 'applied'],
      ['redis.raise-maxmemory', 'full', 'applied'],
    ]);
    expect(outcome.steps?.flatMap(({ auditIds }) => auditIds)).toEqual(
      bench.audit.records.map(({ id }) => id),
    );
  });

  it('end when there is room enough, and say what was not needed', async ({ world, bench }) => {
    const used = async () => Number(/used_memory:(\d+)/.exec(await world.redis.client.info('memory'))?.[1]);
    await world.redis.client.config('SET', 'maxmemory', String((await used()) - MB));
    await until('it is full', () => bench.watch.snapshot('default')?.nodes[0]?.isFull ?? false);
    const outcome = await bench.pullOne('sequence', {
      args: { steps: [clean, raise(300 * MB)], roomBytes: MB },
    });
    expect(outcome.steps?.map(({ status }) => status)).toEqual(['done', 'not-needed']);
    expect(outcome.summary).toContain('Raise maxmemory: not needed.');
    expect(outcome.fields).toMatchObject([{ label: 'free under maxmemory', before: /none, .* over/ }]);
    expect(outcome.aim).toMatchObject({ summary: expect.stringMatching(/^Writes are accepted: /) });
  });

  it('leave out what only makes more room, and do what comes after it', async ({ world, bench }) => {
    const { client } = world.redis;
    await until('it has been read', () => (bench.watch.snapshot('default')?.nodes[0]?.maxBytes ?? 0) > 0);
    const pause = { action: 'queue.pause', queues: ['bull:mail'], args: {} };
    const args = { steps: [clean, trim, pause], roomBytes: MB };
    const outcome = await bench.pullOne('sequence', { args });
    expect(outcome.steps?.map(({ status }) => status)).toEqual(['done', 'not-needed', 'done']);
    expect(await client.xlen('bull:mail:events')).toBeGreaterThan(2_000);
    expect(await client.hget('bull:mail:meta', 'concurrency')).toBe('0');
  });

  it('end at the first that fails; what was done before stays, and is reported', async ({ world, bench }) => {
    await world.redis.client.call('ACL', 'SETUSER', 'default', '-config|set');
    const outcome = await bench.pullOne('sequence', steps(clean, raise(700 * MB), trim));
    await world.redis.client.call('ACL', 'SETUSER', 'default', '+@all');
    expect(outcome.status).toBe('unverified');
    expect(outcome.steps?.map(({ status }) => status)).toEqual(['done', 'failed', 'not-reached']);
    expect(outcome.summary).toMatch(/Trim events: not reached\. .*What was done before it stays\.$/);
    expect(bench.audit.records.map(({ status }) => status)).toEqual(['applied', 'failed']);
  });

  it('are refused as a whole where one makes no sense, or would be refused now', async ({ bench }) => {
    const bad = { action: 'queue.trim-events', queues: ['bull:mail'], args: { keep: -1 } };
    await expect(bench.pull('sequence', steps(clean, bad))).rejects.toThrow(
      /steps\.1.*keep: must be 0 or more/,
    );
    const inItself = { action: 'sequence', queues: [], args: { steps: [clean] } };
    await expect(bench.pull('sequence', steps(inItself))).rejects.toThrow(
      /is not an action that can be a step/,
    );
    const tooLow = await bench.pullOne('sequence', steps(clean, raise(MB)));
    expect(tooLow).toMatchObject({ status: 'refused', summary: expect.stringContaining('maxBytes') });
    expect(bench.audit.records.filter(({ status }) => status === 'applied')).toEqual([]);
  });

  it('need the strictest role of their steps', async ({ bench }) => {
    const operator = { name: 'otto', role: 'operator' } as const;
    await expect(bench.pull('sequence', steps(trim, raise(700 * MB)), operator)).rejects.toThrow(
      /sequence needs the role admin, and otto is operator/,
    );
    expect(bench.audit.records).toMatchObject([{ action: 'sequence', status: 'refused', actor: 'otto' }]);
    expect((await bench.pullOne('sequence', steps(trim), operator)).status).toBe('applied');
  });

  it('are taken back together, as far as each can be, the last first', async ({ world, bench }) => {
    const park = { action: 'queue.park', queues: ['bull:mail'], args: { jobType: 'send' } };
    const outcome = await bench.pullOne('sequence', steps(clean, raise(700 * MB), park));
    expect(await world.redis.client.llen('bull:mail:wait')).toBe(0);
    expect(outcome.undo?.args.steps).toMatchObject([
      { action: 'queue.unpark', queues: ['bull:mail'] },
      { action: 'redis.raise-maxmemory', args: { maxBytes: 600 * MB } },
    ]);
    // Auto-throttle looks at the first of them, and goes on once they have run well.
    const worker = await startWorker({ version: 6, port: world.redis.port, queue: 'mail', jobMs: 1 });
    world.endLater(() => worker.stop());
    const back = await bench.pullOne('sequence', { args: outcome.undo?.args });
    expect(back.steps?.map(({ status }) => status)).toEqual(['done', 'done']);
    await until('all are back', () => worker.finished.length === 500, { withinMs: 60_000 });
    expect(new Set(worker.finished).size).toBe(500);
  });
});
