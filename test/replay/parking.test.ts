import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, overfill, startRedis, usedBytes } from '../../drills/own-redis.js';
import { lift } from '../support/action-bench.js';
import { startWorker } from '../support/bullmq-process.js';
import { type BothVersions, openBoth } from '../support/bullmq-queues.js';
import { type ParkingBench, parkRequest, startParking } from '../support/parking-bench.js';
import { pictureOf } from '../support/queue-picture.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let bench: ParkingBench;
let made = 0;
const opened: BothVersions[] = [];

beforeAll(async () => {
  redis = await startRedis();
  bench = await startParking({ port: redis.port });
});
afterAll(async () => {
  await bench?.stop();
  await Promise.all(opened.map((queues) => queues.close()));
  await redis?.stop();
});

function aQueue(name = `mail-${++made}`, prefix = 'bull') {
  const both = openBoth(redis.port, name, prefix);
  opened.push(both);
  return { id: `${prefix}:${name}`, name, ...both };
}

const HOSTILE = [
  'a b',
  'Ünï…🎉',
  '{"x":1}',
  "it's; DROP TABLE parking",
  'line\nbreak',
  '-1',
  'id',
  '__proto__',
  '%00',
];

describe.each([5, 6] as const)('with jobs of BullMQ %i', (version) => {
  it('a parked job comes back as it was: fields, priority, due time and order', async () => {
    const queue = aQueue();
    const add = version === 5 ? queue.v5 : queue.v6;
    for (let i = 0; i < 40; i++)
      await add.add('track', { i, text: 'ä'.repeat(i) }, { attempts: 3, removeOnFail: 5 });
    for (let i = 0; i < 20; i++) await add.add('bill', { i }, { priority: 1 + (i % 4) });
    for (let i = 0; i < 20; i++) await add.add('later', { i }, { delay: 3_600_000 + i * 10, attempts: 2 });
    for (const jobId of HOSTILE)
      await add.add(jobId, { jobId }, { jobId: `job ${jobId.replaceAll(':', '')}` });
    const before = await pictureOf(redis.client, queue.id);
    const parked = await bench.park(queue.id);
    expect(parked).toMatchObject({
      state: 'done',
      parked: 80 + HOSTILE.length,
      remaining: 80 + HOSTILE.length,
    });
    expect(parked.freedBytes).toBeGreaterThan(80 * 100);
    expect(Object.keys((await pictureOf(redis.client, queue.id)).jobs)).toEqual([]);
    const back = await bench.restore(parked.id);
    expect(back).toMatchObject({ state: 'done', restored: 80 + HOSTILE.length, existed: 0, remaining: 0 });
    expect(await pictureOf(redis.client, queue.id)).toEqual(before);
  });

  it('brought back, workers that were idle run them at once, those that are due with them', async () => {
    const queue = aQueue();
    const add = version === 5 ? queue.v5 : queue.v6;
    await add.addBulk(
      Array.from({ length: 30 }, (_, i) => ({ name: 'send', data: { i }, opts: { jobId: `w${i}` } })),
    );
    await add.add('due', {}, { delay: 300, jobId: 'due' });
    await add.add('vip', {}, { priority: 2, jobId: 'vip' });
    const parked = await bench.park(queue.id);
    expect(parked.parked).toBe(32);
    const worker = await startWorker({
      version,
      port: redis.port,
      queue: queue.name,
      options: { concurrency: 5 },
    });
    const startedAtMs = Date.now();
    await bench.restore(parked.id);
    await until('all have run', () => worker.finished.length === 32, { everyMs: 25 });
    expect(Date.now() - startedAtMs).toBeLessThan(3_000);
    expect(new Set(worker.finished).size).toBe(32);
    await worker.stop();
  });
});

it('a queue that BullMQ 5 has paused gets its jobs back where its resume looks for them', async () => {
  const queue = aQueue();
  await queue.v5.addBulk(Array.from({ length: 10 }, (_, i) => ({ name: 'send', data: { i } })));
  await queue.v5.pause();
  const before = await pictureOf(redis.client, queue.id);
  expect(before.paused.length).toBe(10);
  const parked = await bench.park(queue.id);
  expect(parked.parked).toBe(10);
  await bench.restore(parked.id);
  expect(await pictureOf(redis.client, queue.id)).toEqual(before);
  await queue.v5.resume();
  expect(await queue.v5.getWaitingCount()).toBe(10);
});

it('only jobs of the types asked for leave, and the others keep their order', async () => {
  const queue = aQueue();
  const names = ['track', 'bill', 'mail'];
  await queue.v6.addBulk(
    Array.from({ length: 1_800 }, (_, i) => ({ name: names[i % 3] ?? '', data: { i } })),
  );
  const before = await queue.v6.getWaiting(0, -1);
  const parked = await bench.park(queue.id, { jobTypes: ['track', 'mail'] });
  expect(parked).toMatchObject({ parked: 1_200, looked: 1_800, skipped: {} });
  expect(await bench.parkings.types(parked.id)).toMatchObject([{ jobs: 600 }, { jobs: 600 }]);
  const left = await queue.v6.getWaiting(0, -1);
  expect(left.map((job) => job.id)).toEqual(before.filter((job) => job.name === 'bill').map((job) => job.id));
});

it('takes no more than it was asked for, the oldest first', async () => {
  const queue = aQueue();
  await queue.v6.addBulk(
    Array.from({ length: 50 }, (_, i) => ({ name: 'a', data: { i }, opts: { jobId: `m${i}` } })),
  );
  expect((await bench.park(queue.id, { most: 20 })).parked).toBe(20);
  expect((await queue.v6.getWaiting(0, -1)).map((job) => job.id)).toEqual(
    Array.from({ length: 30 }, (_, i) => `m${i + 20}`),
  );
});

it('what would not come back as it was is left, and counted with the reason', async () => {
  const queue = aQueue();
  const { FlowProducer } = await import('bullmq');
  const flows = new FlowProducer({ connection: { port: redis.port, host: '127.0.0.1' } });
  await flows.add({
    name: 'parent',
    queueName: queue.name,
    children: [{ name: 'child', queueName: queue.name, data: {} }],
  });
  await flows.close();
  await queue.v6.add('once', {}, { deduplication: { id: 'd1' } });
  await queue.v6.upsertJobScheduler('hourly', { every: 3_600_000 }, { name: 'tick' });
  const logged = await queue.v6.add('chatty', {});
  await logged.log('said something');
  await queue.v6.add('plain', {});
  await redis.client.lpush(`${queue.id}:wait`, 'ghost');
  const estimate = await bench.parkings.estimate(parkRequest(queue.id));
  expect(estimate).toMatchObject({
    jobs: 1,
    isExact: true,
    skipped: { flow: 1, deduplicated: 1, scheduled: 1, 'has-logs': 1, 'no-data': 1 },
  });
  const parked = await bench.park(queue.id);
  expect(parked).toMatchObject({
    parked: 1,
    skipped: { flow: 1, deduplicated: 1, scheduled: 1, 'has-logs': 1, 'no-data': 1 },
  });
  expect(await logged.getState()).toBe('waiting');
});

it('a job whose id is in Redis again is not doubled', async () => {
  const queue = aQueue();
  await queue.v6.add('send', { v: 1 }, { jobId: 'one' });
  await queue.v6.add('send', { v: 1 }, { jobId: 'two' });
  const parked = await bench.park(queue.id);
  await queue.v6.add('send', { v: 2 }, { jobId: 'one' });
  expect(await bench.restore(parked.id)).toMatchObject({ restored: 1, existed: 1, remaining: 0 });
  expect((await queue.v6.getJob('one'))?.data).toEqual({ v: 2 });
  expect(await redis.client.lrange(`${queue.id}:wait`, 0, -1)).toEqual(['two', 'one']);
});

describe.each([true, false])(
  'while Redis refuses writes (scripts that can be flagged: %s)',
  (canFlagScripts) => {
    it('parks, frees what it says, and brings nothing back until there is room', async () => {
      const queue = aQueue();
      // Without a large value on the wire: its buffer would be freed meanwhile.
      await redis.client.setrange('ballast', 16 * 1024 * 1024, 'x');
      await queue.v6.addBulk(
        Array.from({ length: 5_000 }, (_, i) => ({ name: 'track', data: { i, pad: 'x'.repeat(400) } })),
      );
      const full = await startParking({ port: redis.port, canFlagScripts });
      try {
        await overfill(redis);
        await expect(queue.v6.add('more', {})).rejects.toThrow(/OOM/);
        const heldBefore = await usedBytes(redis);
        const parked = await full.park(queue.id);
        expect(parked).toMatchObject({ state: 'done', parked: 5_000 });
        const freed = heldBefore - (await usedBytes(redis));
        expect(parked.freedBytes).toBeGreaterThan(freed * 0.8);
        expect(parked.freedBytes).toBeLessThan(freed * 1.2);
        await overfill(redis);
        await full.parkings.restore(parked.id, { ratePerSecond: null, guard: false });
        await until('it says why it waits', async () =>
          /full/.test((await full.parkings.get(parked.id)).because ?? ''),
        );
        expect(await queue.v6.getWaitingCount()).toBe(0);
        await lift(redis);
        await until('all are back', async () => (await full.parkings.get(parked.id)).state === 'done');
        expect(await queue.v6.getWaitingCount()).toBe(5_000);
      } finally {
        await lift(redis);
        await redis.client.del('ballast');
        await full.stop();
      }
    });
  },
);
