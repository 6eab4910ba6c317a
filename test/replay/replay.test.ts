import { afterAll, test as base, beforeAll, describe, expect } from 'vitest';
import { type OwnRedis, overfill } from '../../drills/own-redis.js';
import { lift } from '../support/action-bench.js';
import { startWorker } from '../support/bullmq-process.js';
import type { RunningConsole } from '../support/console.js';
import { addEnded } from '../support/failed-jobs.js';
import { type ReplayBench, startReplayBench } from '../support/replay-bench.js';
import { until } from '../support/until.js';

let bench: ReplayBench;
let redis: OwnRedis;
let console_: RunningConsole;

beforeAll(async () => {
  bench = await startReplayBench();
  ({ redis, console: console_ } = bench);
});
afterAll(() => bench?.stop());

/** A queue of its own for each test, so that they wait side by side. */
interface Own {
  readonly name: string;
  readonly id: string;
  begin(body: object): ReturnType<ReplayBench['begin']>;
  /** Ids of jobs that wait. */
  waiting(): Promise<string[]>;
}

const it = base.extend<{ readonly own: Own }>({
  own: async ({ task: _task }, use) => {
    const name = await bench.nextQueue();
    const id = `bull:${name}`;
    await use({
      ...{ name, id },
      begin: (body) => bench.begin({ queues: [id], ...body }),
      waiting: () => redis.client.lrange(`${id}:wait`, 0, -1),
    });
  },
});

const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `j${String(from + i).padStart(5, '0')}`);

const replay = async (of: string) => (await console_.ask('GET', `/api/v1/replays/${of}`)).body;
const isDone = (of: string) => bench.isDone(of);

describe.concurrent('the guard', () => {
  it('backs off while jobs that are added now would wait too long, and recovers', async ({
    own: { begin, id, name },
  }) => {
    await addEnded(
      redis,
      id,
      ids(0, 10_000).map((job) => ({ id: job, data: { ms: 40 } })),
    );
    let worker = await startWorker({
      version: 6,
      port: redis.port,
      queue: name,
      options: { concurrency: 4 },
    });
    const begun = await begin({ guard: true, ratePerSecond: 400 });
    const slowed = await until('it is slowed', async () => {
      const now = await replay(begun.id);
      return now.pacePerSecond < 150 && now.account.moved > 20 && /would wait/.test(now.paceReason)
        ? now
        : null;
    });
    expect(slowed.state).toBe('running');
    await worker.stop();
    worker = await startWorker({ version: 6, port: redis.port, queue: name, options: { concurrency: 200 } });
    // The guard may go on slowing for some seconds after the workers are there: what counts is that it rises from its lowest.
    let lowest = slowed.pacePerSecond;
    await until(
      'it is faster again',
      async () => {
        const { pacePerSecond } = await replay(begun.id);
        lowest = Math.min(lowest, pacePerSecond);
        return pacePerSecond > lowest * 1.3;
      },
      { withinMs: 80_000 },
    );
    await console_.ask('PATCH', `/api/v1/replays/${begun.id}`, { state: 'aborted', reason: 'enough' });
    const ended = await replay(begun.id);
    expect(ended.account.moved + ended.account.remaining).toBe(10_000);
    await worker.stop();
  });

  it('stops a replay that only fails again after its first 20 jobs, and says so', async ({
    own: { begin, id, name },
  }) => {
    const worker = await startWorker({
      version: 6,
      port: redis.port,
      queue: name,
      jobMs: 1,
      options: { concurrency: 10 },
    });
    await addEnded(
      redis,
      id,
      ids(0, 500).map((job) => ({ id: job, attempts: 1, data: { fail: 'still broken' } })),
    );
    const begun = await begin({ guard: true });
    const paused = await until('it is paused', async () => {
      const now = await replay(begun.id);
      return now.state === 'paused' ? now : null;
    });
    expect(paused).toMatchObject({
      pausedBy: 'guard',
      account: { moved: 20, failedAgain: 20, remaining: 480 },
    });
    expect(paused.paceReason).toMatch(/20 of the last 20 replayed jobs failed again/);
    const { body } = await console_.ask('GET', '/api/v1/timeline');
    expect(JSON.stringify(body)).toContain('replay.guarded');
    await worker.stop();
  });
});

describe.concurrent('a replay takes exactly what was asked for', () => {
  it('of the types, the error, the time, the attempts and the data that were named, and none else', async ({
    own: { begin, id, waiting },
  }) => {
    const at = Date.now() - 100_000;
    const all = ids(0, 3_000).map((job, i) => ({
      id: job,
      name: i % 2 === 0 ? 'send' : 'bill',
      error: i % 3 === 0 ? 'connect ECONNREFUSED 10.0.0.1' : 'no such user',
      finishedAtMs: at + i,
      attempts: (i % 4) + 1,
      data: { customer: { id: i % 5 } },
    }));
    await addEnded(redis, id, all);
    const body = {
      filter: {
        jobTypes: ['send'],
        errorText: 'ECONNREFUSED',
        fromMs: at + 600,
        toMs: at + 2_399,
        attemptsMin: 2,
        attemptsMax: 3,
        dataField: { path: 'customer.id', equals: 2 },
      },
    };
    const wanted = all
      .filter((_, i) => i % 6 === 0 && i >= 600 && i <= 2_399 && i % 4 >= 1 && i % 4 <= 2 && i % 5 === 2)
      .map((job) => job.id);
    expect(wanted.length).toBeGreaterThan(20);
    const dry = await console_.ask('POST', '/api/v1/replays?dryRun=true', {
      queues: [id],
      reason: 'look',
      ...body,
    });
    expect(dry.body).toMatchObject({ matched: wanted.length, isComplete: true });
    expect(dry.body.byType).toEqual([{ name: 'send', jobs: wanted.length }]);
    expect(await redis.client.zcard(`${id}:failed`)).toBe(3_000);

    const done = await isDone((await begin(body)).id);
    // Workers take from the right end: what failed first is taken first.
    expect((await waiting()).reverse()).toEqual(wanted);
    expect(done.account).toMatchObject({
      matched: wanted.length,
      moved: wanted.length,
      remaining: 0,
      skipped: 0,
    });
    expect(done.isRangeCovered).toBe(true);
    const fields = await redis.client.hgetall(`${id}:${wanted[0]}`);
    expect(Object.keys(fields).sort()).toEqual(
      ['data', 'delay', 'name', 'opts', 'priority', 'spillway.replay', 'stacktrace', 'timestamp'].sort(),
    );
  });

  it('in order when thousands ended in one millisecond, newest first too', async ({
    own: { begin, id, waiting },
  }) => {
    await addEnded(
      redis,
      id,
      ids(0, 4_500).map((job) => ({ id: job, finishedAtMs: 1_000 })),
    );
    // Every third stays, so that the window has to get past those that don't leave.
    const odd = { filter: { jobTypes: ['send'] }, order: 'newest' };
    for (const job of ids(0, 4_500).filter((_, i) => i % 3 === 0))
      await redis.client.hset(`${id}:${job}`, 'name', 'other');
    const done = await isDone((await begin(odd)).id);
    expect(done.account).toMatchObject({ matched: 3_000, moved: 3_000 });
    expect((await waiting()).reverse()).toEqual(
      ids(0, 4_500)
        .filter((_, i) => i % 3 !== 0)
        .reverse(),
    );
  });

  it('with priority, LIFO and BullMQ 5’s paused list as BullMQ would, and flow parents left with the reason', async ({
    own: { begin, id, waiting },
  }) => {
    await addEnded(redis, id, [
      { id: 'p', priority: 7 },
      { id: 'l', lifo: true },
      { id: 'n' },
      { id: 'parent' },
      { id: 'x' },
    ]);
    await redis.client.sadd(`${id}:parent:dependencies`, 'bull:other:1');
    await redis.client.del(`${id}:x`);
    const done = await isDone((await begin({})).id);
    expect(await waiting()).toEqual(['n', 'l']);
    expect(await redis.client.zrange(`${id}:prioritized`, '0', '-1')).toEqual(['p']);
    expect(done.account).toMatchObject({
      matched: 5,
      moved: 3,
      skippedBecause: { 'flow-parent': 1, 'job-missing': 1 },
      remaining: 0,
    });
    await redis.client.hset(`${id}:meta`, 'paused', '1', 'version', 'bullmq:5.81.5');
    await addEnded(redis, id, [{ id: 'v5' }]);
    await isDone((await begin({ filter: { jobTypes: ['send'] } })).id);
    expect(await redis.client.lrange(`${id}:paused`, 0, -1)).toEqual(['v5']);
    expect(await redis.client.zscore(`${id}:failed`, 'parent')).not.toBeNull();
  });
});

describe.concurrent('the account adds up by job id', () => {
  it.for([5, 6] as const)(
    'with workers of BullMQ %i, of which some fail again',
    async (version, { own: { begin, id, name } }) => {
      const worker = await startWorker({
        version,
        port: redis.port,
        queue: name,
        jobMs: 1,
        options: { concurrency: 20 },
      });
      await addEnded(
        redis,
        id,
        ids(0, 300).map((job, i) => ({
          id: job,
          attempts: 1,
          data: i % 3 === 0 ? { fail: 'still broken' } : {},
        })),
      );
      const begun = await begin({ ratePerSecond: 1_000 });
      const last = await until('all have ended', async () => {
        const now = await replay(begun.id);
        return now.state === 'done' && now.account.toRun === 0 ? now : null;
      });
      expect(last.account).toMatchObject({
        matched: 300,
        moved: 300,
        succeeded: 200,
        failedAgain: 100,
        gone: 0,
        remaining: 0,
      });
      expect(worker.started.map((start) => start.jobId).sort()).toEqual(ids(0, 300));
      const report = await console_.ask('GET', `/api/v1/replays/${begun.id}/report.md`);
      expect(report.text).toMatch(/\| — failed again \| 100 \|/);
      expect(report.text).toMatch(/The time range is covered/);
      await worker.stop();
    },
  );
});

// By itself: it counts what Redis was asked.
describe('its pace', () => {
  it('lets others at Redis between few jobs, where each holds it up', async ({ own: { begin, id } }) => {
    // Options that are long and have to be parsed: more than a millisecond each.
    const opts = { repeat: Array.from({ length: 20_000 }, (_, i) => ({ i })) };
    await addEnded(
      redis,
      id,
      ids(0, 200).map((job) => ({ id: job, lifo: true, opts })),
    );
    await redis.client.config('RESETSTAT');
    await isDone((await begin({})).id);
    const stats = await redis.client.info('commandstats');
    const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]);
    // Ten at first, then one at a time.
    expect(calls).toBeGreaterThan(100);
  });

  it('never has more in flight than is allowed', async ({ own: { begin, id, name } }) => {
    await addEnded(
      redis,
      id,
      ids(0, 60).map((job) => ({ id: job })),
    );
    const begun = await begin({ mostInFlight: 25 });
    await until('25 are moved', async () => (await replay(begun.id)).account.moved === 25);
    expect((await replay(begun.id)).paceReason).toMatch(/25 of at most 25 are in flight/);
    const worker = await startWorker({ version: 6, port: redis.port, queue: name, jobMs: 1 });
    const done = await isDone(begun.id);
    expect(done.account.moved).toBe(60);
    await worker.stop();
  });
});

// By itself: the Redis is everybody's.
it('a replay works while Redis refuses writes, and says what the guard does there', async ({
  own: { begin, id },
}) => {
  await addEnded(
    redis,
    id,
    ids(0, 500).map((job) => ({ id: job, error: 'x'.repeat(2_000) })),
  );
  await overfill(redis);
  try {
    const done = await isDone((await begin({})).id);
    expect(done.account.moved).toBe(500);
    await addEnded(redis, id, []);
  } finally {
    await lift(redis);
  }
});
