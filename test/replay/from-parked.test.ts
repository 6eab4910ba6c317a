import { afterAll, test as base, beforeAll, describe, expect } from 'vitest';
import { type OwnRedis, overfill } from '../../drills/own-redis.js';
import { addBallast, lift } from '../support/action-bench.js';
import { startWorker } from '../support/bullmq-process.js';
import { type BothVersions, openBoth } from '../support/bullmq-queues.js';
import type { Answer, RunningConsole } from '../support/console.js';
import { pictureOf } from '../support/queue-picture.js';
import { type ReplayBench, startReplayBench } from '../support/replay-bench.js';
import { until } from '../support/until.js';

/** A machine that others use may take its time. */
const SLOWLY = { withinMs: 60_000 };
let bench: ReplayBench;
let redis: OwnRedis;
let console_: RunningConsole;

beforeAll(async () => {
  bench = await startReplayBench();
  ({ redis, console: console_ } = bench);
  await addBallast(redis);
});
afterAll(() => bench?.stop());

/** A queue of its own for each test, so that they wait side by side. */
interface Own {
  readonly name: string;
  readonly id: string;
  readonly queues: BothVersions;
  /** Parks what the queue holds, and gives the parking once it is done. */
  park(): Promise<Answer['body']>;
  /** Asks for a replay of what is parked of the queue. */
  ask(body: object, query?: string): Promise<Answer>;
  begin(body?: object): Promise<Answer['body']>;
}

const it = base.extend<{ readonly own: Own }>({
  own: async ({ task: _task }, use) => {
    const name = await bench.nextQueue();
    const id = `bull:${name}`;
    const queues = openBoth(redis.port, name);
    const ask: Own['ask'] = (body, query = '') =>
      console_.ask('POST', `/api/v1/replays${query}`, {
        queues: [id],
        from: 'parked',
        ratePerSecond: 5_000,
        guard: false,
        reason: 'there is room',
        ...body,
      });
    await use({
      ...{ name, id, queues, ask },
      async park() {
        const answer = await console_.ask('POST', '/api/v1/parkings', {
          instance: 'default',
          queue: id,
          reason: 'room is needed',
        });
        expect(answer.status, answer.text).toBe(200);
        return until(
          'it is parked',
          async () => {
            const now = await parking(answer.body.parking.id);
            return now.state === 'done' ? now : null;
          },
          SLOWLY,
        );
      },
      async begin(body = {}) {
        const answer = await ask(body);
        expect(answer.status, answer.text).toBe(200);
        return answer.body;
      },
    });
    await queues.close();
  },
});

const parking = async (of: string) => (await console_.ask('GET', `/api/v1/parkings/${of}`)).body;
const replay = async (of: string) => (await console_.ask('GET', `/api/v1/replays/${of}`)).body;
const isDone = (of: string) =>
  until(
    'the replay is done',
    async () => {
      const now = await replay(of);
      expect(now.account.matched).toBe(now.account.moved + now.account.skipped + now.account.remaining);
      return now.state === 'done' ? now : null;
    },
    { withinMs: 60_000 },
  );
const exported = async (of: string) => {
  const answer = await fetch(`${console_.url}/api/v1/parkings/${of}.ndjson`);
  return (await answer.text())
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line).id as string);
};

describe.concurrent.each([5, 6] as const)('with jobs of BullMQ %i', (version) => {
  it('a job that a replay brings back from disk is as it was: fields, priority, due time and order', async ({
    own: { begin, id, park, queues },
  }) => {
    const add = version === 5 ? queues.v5 : queues.v6;
    for (let i = 0; i < 240; i++)
      await add.add('track', { i, text: 'ä'.repeat(i % 20) }, { attempts: 3, removeOnFail: 5 });
    for (let i = 0; i < 20; i++) await add.add('bill', { i }, { priority: 1 + (i % 4) });
    for (let i = 0; i < 20; i++) await add.add('later', { i }, { delay: 3_600_000 + i * 10, attempts: 2 });
    for (const jobId of ['a b', 'Ünï…🎉', "it's", 'line\nbreak', '__proto__', '%00'])
      await add.add(jobId, { jobId }, { jobId: `job ${jobId}` });
    const before = await pictureOf(redis.client, id);
    const parked = await park();
    expect(parked.parked).toBe(286);
    expect(await redis.client.exists(`${id}:wait`, `${id}:delayed`, `${id}:prioritized`)).toBe(0);
    const done = await isDone((await begin()).id);
    expect(done.account).toMatchObject({ matched: 286, moved: 286, skipped: 0, remaining: 0 });
    expect(done.isRangeCovered).toBe(true);
    expect(await pictureOf(redis.client, id)).toEqual(before);
    expect(await parking(parked.id)).toMatchObject({ restored: 286, remaining: 0 });
    await until('the disk lets go of what Redis has kept', async () => {
      const held = await redis.client.hkeys(`${id}:spillway:parked`);
      return held.every((field) => !field.startsWith('r') && !field.startsWith('p'));
    });
  });
});

it.concurrent('takes the types, attempts and data that were named, newest first, and a dry run reports them by type', async ({
  own: { ask, begin, id, park, queues },
}) => {
  await queues.v6.addBulk(
    Array.from({ length: 900 }, (_, i) => ({
      name: ['track', 'bill', 'mail'][i % 3] ?? '',
      data: { customer: { id: i % 4 } },
      opts: { jobId: `m${i}` },
    })),
  );
  for (const i of [0, 12, 24]) await redis.client.hset(`${id}:m${i}`, 'atm', 2);
  await park();
  const dry = await ask({}, '?dryRun=true');
  expect(dry.body).toMatchObject({ matched: 900, isComplete: true });
  expect(dry.body.byType).toEqual(['bill', 'mail', 'track'].map((type) => ({ name: type, jobs: 300 })));
  expect(dry.body.sample).toHaveLength(20);
  const filter = {
    jobTypes: ['track'],
    attemptsMin: 2,
    attemptsMax: 2,
    dataField: { path: 'customer.id', equals: 0 },
  };
  expect((await ask({ filter }, '?dryRun=true')).body).toMatchObject({
    matched: 3,
    byType: [{ name: 'track', jobs: 3 }],
  });
  const done = await isDone((await begin({ filter, order: 'newest' })).id);
  expect(done.account).toMatchObject({ matched: 3, moved: 3 });
  // Workers take from the right end.
  expect((await redis.client.lrange(`${id}:wait`, 0, -1)).reverse()).toEqual(['m24', 'm12', 'm0']);
});

it.concurrent('a time range is of when the parking began, and what is parked after the replay began is not its', async ({
  own: { begin, id, park, queues },
}) => {
  await queues.v6.add('a', {}, { jobId: 'first' });
  const first = await park();
  await queues.v6.add('a', {}, { jobId: 'second' });
  await park();
  const atMs = Date.parse(first.startedAt);
  const done = await isDone((await begin({ filter: { fromMs: atMs, toMs: atMs } })).id);
  expect(done.account).toMatchObject({ matched: 1, moved: 1 });
  expect(await redis.client.lrange(`${id}:wait`, 0, -1)).toEqual(['first']);
});

it.concurrent('a job whose id is in Redis again is skipped and counted, and stays on disk for an export', async ({
  own: { begin, park, queues },
}) => {
  for (const jobId of ['one', 'two', 'three']) await queues.v6.add('send', { v: 1 }, { jobId });
  const parked = await park();
  await queues.v6.add('send', { v: 2 }, { jobId: 'two' });
  const done = await isDone((await begin()).id);
  expect(done.account).toMatchObject({ moved: 2, skipped: 1, skippedBecause: { 'id-in-redis': 1 } });
  expect((await queues.v6.getJob('two'))?.data).toEqual({ v: 2 });
  expect(await parking(parked.id)).toMatchObject({ restored: 2, existed: 0, remaining: 1 });
  expect(await exported(parked.id)).toEqual(['two']);
});

it.concurrent('what makes no sense for parked jobs is refused, naming the field', async ({
  own: { ask },
}) => {
  const refused = await ask({ filter: { errorText: 'ECONN' } });
  expect(refused.status).toBe(422);
  expect(refused.text).toMatch(/filter\.errorText: parked jobs have not run/);
  expect((await ask({ filter: { errorText: 'ECONN' } }, '?dryRun=true')).status).toBe(422);
  const wrong = await ask({ from: 'disk' });
  expect(wrong.status).toBe(422);
  expect(wrong.text).toMatch(/from.*must be failed, completed or parked/);
});

it.concurrent('what Redis loses after a replay brought it back comes back once more, and is not taken for ended', async ({
  own: { begin, id, park, queues },
}) => {
  await queues.v6.addBulk(Array.from({ length: 250 }, (_, i) => ({ name: 'a', data: { i } })));
  const before = await pictureOf(redis.client, id);
  const parked = await park();
  const held = await redis.client.dumpBuffer(`${id}:spillway:parked`);
  const { id: of } = await begin();
  await until('all are back', async () => (await replay(of)).account.moved === 250, SLOWLY);
  // As if Redis had fallen back to the moment after they were parked.
  const ids = await redis.client.lrange(`${id}:wait`, 0, -1);
  await redis.client.del(`${id}:wait`, ...ids.map((job) => `${id}:${job}`), `${id}:spillway:parked`);
  await redis.client.call('RESTORE', `${id}:spillway:parked`, 0, held ?? '');
  await until('they are back once more', async () => (await queues.v6.getWaitingCount()) === 250, SLOWLY);
  const after = await pictureOf(redis.client, id);
  expect(after.jobs).toEqual(before.jobs);
  expect((await replay(of)).account).toMatchObject({ moved: 250, gone: 0, toRun: 250 });
  expect(await parking(parked.id)).toMatchObject({ restored: 250, remaining: 0, phase: 'park' });
});

it.concurrent('what comes of jobs that were brought back is reported, also of those that leave no trace', async ({
  own: { begin, name, park, queues },
}) => {
  await queues.v6.addBulk(
    Array.from({ length: 90 }, (_, i) => ({
      name: 'a',
      data: i % 3 === 0 ? { fail: 'broken' } : {},
      opts: { removeOnComplete: i % 3 === 1 },
    })),
  );
  await park();
  const worker = await startWorker({
    version: 6,
    port: redis.port,
    queue: name,
    options: { concurrency: 5 },
  });
  const { id: of } = await begin();
  const last = await until(
    'all have ended',
    async () => {
      const now = await replay(of);
      return now.state === 'done' && now.account.toRun === 0 ? now : null;
    },
    SLOWLY,
  );
  expect(last.account).toMatchObject({ succeeded: 30, failedAgain: 30, gone: 30 });
  expect(new Set(worker.finished).size).toBe(90);
  expect(worker.finished).toHaveLength(90);
  await worker.stop();
});

it.concurrent('paused, nothing more comes back until it is resumed', async ({
  own: { begin, park, queues },
}) => {
  await queues.v6.addBulk(Array.from({ length: 600 }, (_, i) => ({ name: 'a', data: { i } })));
  await park();
  const { id: of } = await begin({ ratePerSecond: 100 });
  await until('some are back', async () => (await queues.v6.getWaitingCount()) > 5);
  await console_.ask('PATCH', `/api/v1/replays/${of}`, { state: 'paused' });
  const stood = await queues.v6.getWaitingCount();
  expect((await replay(of)).account.moved).toBe(stood);
  await console_.ask('PATCH', `/api/v1/replays/${of}`, { state: 'running', ratePerSecond: 5_000 });
  const done = await isDone(of);
  expect(done.account).toMatchObject({ moved: 600, remaining: 0 });
  const order = (await queues.v6.getWaiting(0, -1)).map((job) => job.data.i);
  expect(order).toEqual(Array.from({ length: 600 }, (_, i) => i));
  expect(stood).toBeLessThan(600);
});

// By itself: the Redis is everybody's.
it('while Redis is full nothing is brought back, and the replay says why it waits', async ({
  own: { begin, park, queues },
}) => {
  await queues.v6.addBulk(
    Array.from({ length: 300 }, (_, i) => ({ name: 'a', data: { i, pad: 'x'.repeat(400) } })),
  );
  const parked = await park();
  await overfill(redis);
  try {
    const { id: of } = await begin();
    await until('it says why it waits', async () => /Redis is full/.test((await replay(of)).paceReason));
    expect(await queues.v6.getWaitingCount()).toBe(0);
    expect((await parking(parked.id)).remaining).toBe(300);
    await lift(redis);
    const done = await isDone(of);
    expect(done.account).toMatchObject({ moved: 300, skipped: 0 });
    expect(await queues.v6.getWaitingCount()).toBe(300);
  } finally {
    await lift(redis);
  }
});
