import { createRequire } from 'node:module';
import Bull4 from 'bull';
import { Queue, Relay } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

/** It brings no types of its own. */
const Bull3: typeof Bull4 = createRequire(import.meta.url)('bull-v3');
let redis: OwnRedis;
let console_: RunningConsole;
const closing: (() => Promise<unknown>)[] = [];
const path = (name: string): string => `/api/v1/instances/default/queues/${name}`;
const read = async (name: string) => (await console_.ask('GET', path(name))).body;

/** 1 active, 2 completed, 3 failed, 4 waiting or paused, 5 delayed. */
async function fill(queue: Bull4.Queue): Promise<void> {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  closing.unshift(async () => release());
  queue.process('work', 1, async (job) => {
    if (job.data.ends === 'late') await held;
    if (job.data.ends === 'badly') throw new Error('it failed');
  });
  for (const ends of ['well', 'well', 'badly', 'badly', 'badly', 'late']) await queue.add('work', { ends });
  await until(
    'all but one have ended',
    async () => (await queue.getJobCounts()).active === 1 && (await queue.getFailedCount()) === 3,
  );
  for (let i = 0; i < 4; i += 1) await queue.add('work', { ends: 'well' });
  for (let i = 0; i < 5; i += 1) await queue.add('work', { ends: 'well' }, { delay: 600_000 });
}

beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  const options = { redis: { port: redis.port, host: '127.0.0.1' } };
  const bulls = [new Bull3('three', options), new Bull4('four', options), new Bull4('held', options)];
  const mail = new Queue('mail', { connection: { port: redis.port } });
  closing.push(...bulls.map((queue) => () => queue.close(true)), () => mail.close());
  await mail.add('send', {});
  const lost = new Queue('lost', { connection: { port: redis.port } });
  await lost.add('send', {});
  // As BullMQ Pro leaves a queue with groups; it can't be had here, so its documented keys stand in for it.
  const pro = new Queue('grouped', { connection: { port: redis.port } });
  await pro.add('send', {});
  await redis.client.hset('bull:grouped:meta', 'version', 'bullmq-pro:7.46.3');
  await redis.client.zadd('bull:grouped:groups', 1, 'a', 2, 'b');
  const relay = new Relay({ connection: { port: redis.port }, namespace: 'fleet' });
  closing.push(
    () => pro.close(),
    () => lost.close(),
    () => relay.close(),
  );
  await relay.subscribe('news.>', () => undefined);
  await relay.publish('news.first', { text: 'x'.repeat(5_000) }, { retain: 600_000 });
  await redis.client.set('app:users:id', '7');
  await redis.client.hset('app:users:meta', 'some', 'thing');
  await redis.client.rpush('app:users:wait', 'x'.repeat(2_000));
  const [three, four, paused] = bulls as [Bull4.Queue, Bull4.Queue, Bull4.Queue];
  await Promise.all([fill(three), fill(four), paused.add('work', {}).then(() => paused.pause())]);
  console_ = await startConsole({ redisUrl: redis.url });
  await until('all are found', async () => {
    const { body } = await console_.ask('GET', '/api/v1/instances/default/queues');
    return body.queues.length === 6;
  });
}, 60_000);
afterAll(async () => {
  for (const close of closing) await close();
  await console_?.stop();
  await redis?.stop();
});

describe.each([
  ['three', 'Bull 3'],
  ['four', 'Bull 4'],
])('a queue of %s', (name) => {
  it('is named as such, and its jobs are counted', async () => {
    expect(
      await until('it is read', async () => (await read(name)).counts.completed === 2 && read(name)),
    ).toMatchObject({
      kind: 'bull',
      flow: 'running',
      counts: { waiting: 4, active: 1, completed: 2, failed: 3, delayed: 5 },
      bullmqVersion: null,
    });
    const page = await console_.ask('GET', `/i/default/q/bull%3A${name}`, undefined, { accept: 'text/html' });
    expect(page.text).toContain(
      'This is a queue of Bull, not of BullMQ: it is counted, and no action is taken on it.',
    );
    expect(page.text).toContain('It is not judged: only queues of BullMQ are.');
    expect(page.text).not.toContain('action=queue.pause');
  });

  it('is changed by no action: the server refuses, with the reason', async () => {
    const before = await redis.client.keys(`bull:${name}:*`);
    const why = /is a queue of Bull, not of BullMQ/;
    const tried = [
      await console_.ask('PATCH', path(name), { concurrency: 1, reason: 'try' }),
      await console_.ask('PATCH', path(name), { paused: true, reason: 'try' }),
      await console_.ask('POST', `${path(name)}/canary`, { reason: 'try' }),
      await console_.ask('POST', '/api/v1/parkings', {
        instance: 'default',
        queue: name,
        states: ['waiting'],
        reason: 'try',
      }),
      await console_.ask('POST', '/api/v1/replays', {
        instance: 'default',
        queues: [name],
        from: 'failed',
        ratePerSecond: 1,
        reason: 'try',
      }),
      await console_.ask('POST', '/api/v1/instances/default/relief', {
        action: 'clean-finished',
        match: name,
        state: 'failed',
        reason: 'try',
      }),
    ];
    for (const { text } of tried) expect(text).toMatch(why);
    expect((await redis.client.keys(`bull:${name}:*`)).sort()).toEqual(before.sort());
  });
});

it('tells a queue that Bull has paused, and nothing that only looks like one', async () => {
  expect(await read('held')).toMatchObject({ kind: 'bull', flow: 'paused', counts: { waiting: 1 } });
  expect(await read('mail')).toMatchObject({ kind: 'bullmq', groups: null });
  const { body } = await console_.ask('GET', '/api/v1/instances/default/queues');
  expect(body.queues.map(({ name }: { name: string }) => name).sort()).toEqual([
    'four',
    'grouped',
    'held',
    'lost',
    'mail',
    'three',
  ]);
  const page = await console_.ask('GET', '/queues', undefined, { accept: 'text/html' });
  expect(page.text.match(/>\s*counted only\s*</g)?.length).toBeGreaterThanOrEqual(3);
});

it('takes a queue of BullMQ that loses its meta hash, or all it held, for none of Bull', async () => {
  await redis.client.del('bull:lost:meta');
  await until('that is seen', async () => (await read('lost')).bullmqVersion === null);
  expect((await read('lost')).kind).toBe('bullmq');
  const held = await redis.client.keys('bull:lost:*');
  await redis.client.del(held);
  await redis.client.hset('bull:lost:meta', 'concurrency', '5');
  await until('that is seen', async () => (await read('lost')).counts.waiting === 0);
  expect((await read('lost')).kind).toBe('bullmq');
});

it('names a queue with groups of BullMQ Pro, and says that the jobs in them are not counted', async () => {
  const grouped = await until('its groups are read', async () => {
    const queue = await read('grouped');
    return queue.kind === 'bullmq-pro' && queue;
  });
  expect(grouped).toMatchObject({ groups: 2, counts: { waiting: 1 } });
  const { text } = await console_.ask('PATCH', path('grouped'), { paused: true, reason: 'try' });
  expect(text).toContain('is a queue with groups of BullMQ Pro');
});

it('counts no key of Bull or the Relay among those of no queue, and says what the Relay holds', async () => {
  const relay = await until('the Relay is met', async () => {
    const { body } = await console_.ask('GET', '/api/v1/instances/default/memory');
    return body.nodes[0].relay?.bytes > 5_000 && body.nodes[0].relay;
  });
  expect(relay).toMatchObject({ namespaces: 1, keys: (await redis.client.keys('bull::relay:*')).length });
  const page = await console_.ask('GET', '/i/default/memory', undefined, { accept: 'text/html' });
  expect(page.text).toContain('BullMQ Relay');
  const foreign = await until('keys are looked at', async () => {
    const { body } = await console_.ask('GET', '/api/v1/instances/default/memory');
    return body.nodes?.[0]?.foreign ?? body.foreign;
  });
  expect(JSON.stringify(foreign)).not.toContain('bull:');
});
