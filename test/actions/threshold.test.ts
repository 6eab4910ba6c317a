import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, overfill, startRedis } from '../../drills/own-redis.js';
import { MAX_TYPE_THRESHOLDS } from '../../server/watch/type-thresholds.js';
import { type ActionBench, addBallast, lift, startBench } from '../support/action-bench.js';
import { startWorker, type WorkerProcess } from '../support/bullmq-process.js';
import { until } from '../support/until.js';

const id = 'bull:mail';
let redis: OwnRedis;
let bench: ActionBench;
let queue: Queue;
let worker: WorkerProcess;

beforeAll(async () => {
  redis = await startRedis();
  bench = await startBench(redis, { queues: [id] });
  queue = new Queue('mail', { connection: { port: redis.port } });
  worker = await startWorker({ version: 6, port: redis.port, queue: 'mail', options: { concurrency: 5 } });
  await queue.addBulk(Array.from({ length: 20 }, () => ({ name: 'digest', data: { ms: 60 } })));
  await bench.seen(id, ({ types }) => types.some(({ run }) => (run?.count ?? 0) >= 20));
});
afterAll(async () => {
  await worker?.stop();
  await queue?.close();
  await bench?.stop();
  await redis?.stop();
});

const pull = (slowThresholdMs: number | null, over: { type?: string; dryRun?: boolean } = {}) =>
  bench.pullOne('jobtype.threshold', {
    queues: [id],
    args: { type: over.type ?? 'digest', slowThresholdMs },
    dryRun: over.dryRun ?? false,
  });
const isSlow = (type = 'digest') =>
  bench.seen(id, ({ types }) => types.some(({ name, slow }) => name === type && slow?.code === 'threshold'));

describe('the slow threshold of a job type', () => {
  it('says before what it will mean, and changes nothing in a dry run', async () => {
    const { preview } = await pull(20, { dryRun: true });
    expect(preview?.fields).toEqual([{ label: 'slow from', before: 'none', after: '20 ms' }]);
    expect(preview?.effects[0]).toMatch(/^It is slow by that now: 19 of 20 runs take up to \d+ ms/);
    expect((await pull(5_000, { dryRun: true })).preview?.effects[0]).toMatch(/^It is not slow by that now/);
    expect(bench.deps.typeThresholds.count).toBe(0);
    expect(bench.audit.records).toEqual([]);
  });

  it('is in force at the next judgement, audited, and taken back by its undo', async () => {
    const set = await pull(20);
    expect(set.status).toBe('applied');
    await isSlow();
    expect(bench.audit.records.at(-1)).toMatchObject({
      actor: 'olga',
      reason: 'drill',
      before: { 'slow from': 'none' },
      after: { 'slow from': '20 ms' },
    });
    expect((await pull(20)).status).toBe('unchanged');
    const changed = await pull(30);
    const { action = '', args, queues } = changed.undo ?? {};
    expect(args).toEqual({ type: 'digest', slowThresholdMs: 20 });
    expect((await bench.pullOne(action, { queues: queues ?? [], args })).fields).toEqual([
      { label: 'slow from', before: '30 ms', after: '20 ms' },
    ]);
    expect((await pull(null)).status).toBe('applied');
    await bench.seen(id, ({ types }) => types.every(({ slow }) => slow === null));
  });

  it('works while Redis is full, as Redis has no part in it', async () => {
    await addBallast(redis);
    await overfill(redis);
    expect((await pull(20)).status).toBe('applied');
    await lift(redis);
    expect((await pull(null)).status).toBe('applied');
  });

  it('can be set ahead for a type that was not seen, and the preview says that it was not', async () => {
    const { status, preview } = await pull(20, { type: 'Digest' });
    expect(status).toBe('applied');
    expect(preview?.warnings[0]?.text).toContain('No job of this type was seen');
  });

  it('is an operator’s, and what is none is refused with its field', async () => {
    await expect(
      bench.pull(
        'jobtype.threshold',
        { queues: [id], args: { type: 'digest', slowThresholdMs: 5 } },
        { role: 'viewer' },
      ),
    ).rejects.toThrow('needs the role operator');
    for (const [field, args] of [
      ['slowThresholdMs', { type: 'digest', slowThresholdMs: 0 }],
      ['slowThresholdMs', { type: 'digest', slowThresholdMs: 86_400_001 }],
      ['slowThresholdMs', { type: 'digest' }],
      ['type', { type: '', slowThresholdMs: 5 }],
      ['type', { type: '\ud800', slowThresholdMs: 5 }],
    ] as const)
      await expect(bench.pull('jobtype.threshold', { queues: [id], args }), field).rejects.toMatchObject({
        code: 'invalid',
        fields: [{ field }],
      });
  });

  it('is refused beyond 5,000, and says what to do', async () => {
    const { typeThresholds } = bench.deps;
    const by = { actor: 'ana', atMs: Date.now() };
    while (typeThresholds.count < MAX_TYPE_THRESHOLDS) {
      const first = typeThresholds.count;
      const types = Array.from(
        { length: Math.min(500, MAX_TYPE_THRESHOLDS - first) },
        (_, i) => `t${first + i}`,
      );
      await Promise.all(
        types.map((type) => typeThresholds.set({ instance: 'default', queue: 'bull:other', type }, 10, by)),
      );
    }
    // So many writes leave the watcher no time.
    await until('Redis is read again', () => bench.watch.snapshot('default')?.link.status === 'live');
    const { status, summary, preview } = await pull(20);
    expect([status, summary]).toEqual([
      'refused',
      expect.stringContaining('5,000 thresholds already: take some away'),
    ]);
    expect(preview?.warnings.at(-1)?.text).toContain('This will be refused');
    expect((await pull(20, { type: 'Digest' })).status).toBe('unchanged');
  });
});
