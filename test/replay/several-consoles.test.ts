import { Queue } from 'bullmq';
import { expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { startWorker } from '../support/bullmq-process.js';
import type { RunningConsole } from '../support/console.js';
import { addEnded } from '../support/failed-jobs.js';
import { newPostgresStore } from '../support/postgres.js';
import { startTwoConsoles, type TwoConsoles } from '../support/two-consoles.js';
import { until } from '../support/until.js';

const STORES = [
  ['in a directory', async () => null],
  ['on PostgreSQL', async () => (await newPostgresStore()).url],
] as const;
const JOBS = 1_200;
const PATIENT = { withinMs: 60_000 };

interface Pair {
  readonly redis: OwnRedis;
  readonly consoles: TwoConsoles;
}

/** A queue, and two consoles for it alone: most of the time here is waiting, so the tests wait side by side, the longest first. */
async function withPair(
  name: string,
  storeUrl: string | null,
  test: (pair: Pair) => Promise<void>,
): Promise<void> {
  const redis = await startRedis();
  try {
    const queue = new Queue(name, { connection: { port: redis.port } });
    await queue.add('live', {}, { jobId: 'live' });
    await queue.remove('live');
    await queue.close();
    const consoles = await startTwoConsoles(redis.url, [`bull:${name}`], storeUrl);
    await test({ redis, consoles }).finally(() => consoles.stop());
  } finally {
    await redis.stop();
  }
}

const ids = Array.from({ length: JOBS }, (_, i) => `j${String(i).padStart(5, '0')}`);
const replayOn = async (one: RunningConsole, id: string) =>
  (await one.ask('GET', `/api/v1/replays/${id}`)).body;

async function begin(redis: OwnRedis, one: RunningConsole, name: string) {
  await addEnded(
    redis,
    `bull:${name}`,
    ids.map((id) => ({ id })),
  );
  return until(
    'a replay is begun',
    async () => {
      const answer = await one.ask('POST', '/api/v1/replays', {
        queues: [`bull:${name}`],
        ratePerSecond: 150,
        batchSize: 20,
        guard: false,
        reason: 'the fix is out',
      });
      return answer.status === 200 ? answer.body : null;
    },
    PATIENT,
  );
}

const hasMoved = (one: RunningConsole, id: string, least: number) =>
  until(
    `${least} are moved`,
    async () => {
      const now = await replayOn(one, id);
      return now.account.moved >= least ? now : null;
    },
    PATIENT,
  );
const isTakenUp = (one: RunningConsole, id: string, waits = PATIENT) =>
  until(
    'it is run there',
    async () => {
      const now = await replayOn(one, id);
      return now.paceReason.includes('another console') ? null : now;
    },
    waits,
  );
/** Nothing more is to be seen of how it goes on. */
const hurry = async (one: RunningConsole, id: string) =>
  expect((await one.ask('PATCH', `/api/v1/replays/${id}`, { ratePerSecond: 5_000 })).status).toBe(200);
const isDone = (one: RunningConsole, id: string) =>
  until(
    'it is done',
    async () => ((await replayOn(one, id)).state === 'done' ? replayOn(one, id) : null),
    PATIENT,
  );

it.concurrent(
  'what both consoles notice stands on the timeline once, also where the one that records it is killed just then',
  () =>
    withPair('noticed', null, async ({ redis, consoles }) => {
      const entries = async (
        one: RunningConsole,
        kind: string,
      ): Promise<readonly { kind: string; text: string }[]> => {
        const { body } = await one.ask('GET', '/api/v1/timeline?limit=500');
        return body.entries.filter((entry: { kind: string }) => entry.kind === kind);
      };
      const [first, second] = [await consoles.holder(), await consoles.other()];
      const queue = new Queue('noticed', { connection: { port: redis.port } });
      await queue.addBulk(ids.map((jobId) => ({ name: 'send', data: {}, opts: { jobId } })));
      await queue.close();
      for (const one of [first, second])
        await until(
          'it is found',
          async () =>
            (await one.ask('GET', '/api/v1/findings')).body.findings.some(
              ({ code, queue }: { code: string; queue: string }) =>
                code === 'queue.no-workers' && queue === 'bull:noticed',
            ),
          PATIENT,
        );
      // The kill brings another: jobs of this queue were lost.
      const aboutQueue = async () =>
        (await entries(second, 'finding.began')).filter(({ text }) => /^noticed: .*no workers/i.test(text));
      await until('it is reported', async () => (await aboutQueue()).length > 0, PATIENT);
      await redis.kill();
      await first.signal('SIGKILL');
      await until(
        'it is reported',
        async () => (await entries(second, 'redis.unreachable')).length > 0,
        PATIENT,
      );
      await redis.restart();
      const third = await consoles.replace(first);
      await until('it is reported', async () => (await entries(third, 'redis.back')).length > 0, PATIENT);
      expect(await entries(second, 'redis.unreachable')).toHaveLength(1);
      expect(await entries(second, 'redis.back')).toHaveLength(1);
      expect(await aboutQueue()).toHaveLength(1);
      // Each console for itself: two of the beginning, and one in the place of that which was killed.
      expect(await entries(second, 'console.started')).toHaveLength(3);
    }),
  200_000,
);

it.concurrent.each(STORES)(
  'a console that was suspended in the midst of a replay does nothing more of it when it wakes (%s)',
  async (_, storeUrl) =>
    withPair('slept', await storeUrl(), async ({ redis, consoles }) => {
      const worker = await startWorker({
        version: 6,
        port: redis.port,
        queue: 'slept',
        jobMs: 0,
        options: { concurrency: 50 },
      });
      const [first, second] = [await consoles.holder(), await consoles.other()];
      const { id } = await begin(redis, first, 'slept');
      await hasMoved(second, id, 100);
      const takenUp = await until(
        'the other goes on with it',
        async () => {
          process.kill(first.pid, 'SIGSTOP');
          const now = await isTakenUp(second, id, { withinMs: 20_000 }).catch(() => null);
          // In the midst of a write it holds the lock of the file, so that nobody can go on: then another moment is tried.
          if (!now) process.kill(first.pid, 'SIGCONT');
          return now;
        },
        { withinMs: 120_000, everyMs: 237 },
      );
      await hasMoved(second, id, takenUp.account.moved + 50);
      process.kill(first.pid, 'SIGCONT');
      await until(
        'it says who runs it',
        async () => (await replayOn(first, id)).paceReason.includes('another console'),
        PATIENT,
      );
      await hurry(second, id);
      const done = await isDone(second, id);
      expect(done.account).toMatchObject({ matched: JOBS, moved: JOBS, remaining: 0 });
      expect((await isDone(first, id)).account).toMatchObject({ moved: JOBS });
      await until('all have run', () => worker.finished.length >= JOBS, PATIENT);
      expect(worker.started.map(({ jobId }) => jobId).sort()).toEqual(ids);
      await worker.stop();
    }),
  200_000,
);

it.concurrent.each(STORES)(
  'a replay begun on one console is run once, is shown and ordered about on the other, and outlives a kill (%s)',
  async (_, storeUrl) =>
    withPair('killed', await storeUrl(), async ({ redis, consoles }) => {
      const worker = await startWorker({
        version: 6,
        port: redis.port,
        queue: 'killed',
        jobMs: 0,
        options: { concurrency: 50 },
      });
      const [first, second] = [await consoles.holder(), await consoles.other()];
      const { id } = await begin(redis, second, 'killed');
      await hasMoved(first, id, 100);
      const seen = await hasMoved(second, id, 100);
      expect(seen).toMatchObject({ state: 'running' });
      expect(seen.paceReason).toMatch(/^Run by another console \(process \d+ on .+\)\.$/);
      expect((await replayOn(first, id)).paceReason).not.toContain('another console');
      expect((await second.ask('GET', '/replays')).text).toContain('Run by another console');

      const order = (state: string) =>
        second.ask('PATCH', `/api/v1/replays/${id}`, { state, reason: 'from here' });
      expect((await order('paused')).body).toMatchObject({ state: 'paused' });
      expect(await replayOn(first, id)).toMatchObject({ state: 'paused' });
      expect((await order('running')).body).toMatchObject({ state: 'running' });
      const refused = await second.ask('DELETE', `/api/v1/replays/${id}`);
      expect([refused.status, refused.body.detail]).toEqual([
        409,
        'this replay is under way: abort it first',
      ]);

      await first.signal('SIGKILL');
      const killedAtMs = Date.now();
      const takenUp = await isTakenUp(second, id);
      await hasMoved(second, id, takenUp.account.moved + 100);
      expect(Date.now() - killedAtMs).toBeLessThan(15_000);
      await hurry(second, id);
      const done = await isDone(second, id);
      expect(done.account).toMatchObject({ matched: JOBS, moved: JOBS, remaining: 0 });
      await until('all have run', () => worker.finished.length >= JOBS, PATIENT);
      expect(worker.started.map(({ jobId }) => jobId).sort()).toEqual(ids);
      await worker.stop();
    }),
  200_000,
);

it.concurrent(
  'jobs that are parked and brought back on the console that does not move them go through the one that does',
  () =>
    withPair('parked', null, async ({ redis, consoles }) => {
      const queue = new Queue('parked', { connection: { port: redis.port } });
      await queue.addBulk(ids.map((jobId) => ({ name: 'send', data: {}, opts: { jobId } })));
      const [first, second] = [await consoles.holder(), await consoles.other()];
      const parking = await until(
        'it is begun',
        async () => {
          const answer = await second.ask('POST', '/api/v1/parkings', {
            instance: 'default',
            queue: 'bull:parked',
            reason: 'make room',
          });
          return answer.status === 200 ? answer.body.parking : null;
        },
        PATIENT,
      );
      const parkingOn = async (one: RunningConsole) =>
        (await one.ask('GET', `/api/v1/parkings/${parking.id}`)).body;
      await until('all are parked', async () => (await parkingOn(second)).remaining === JOBS, PATIENT);
      expect(await queue.count()).toBe(0);

      const back = await second.ask('POST', `/api/v1/parkings/${parking.id}/restore`, {
        ratePerSecond: 200,
        guard: false,
        reason: 'there is room',
      });
      expect(back.status, back.text).toBe(200);
      await until('some are back', async () => (await parkingOn(second)).restored > 100, PATIENT);
      expect((await parkingOn(second)).paceReason).toContain('Run by another console');
      await first.signal('SIGKILL');
      await until('all are back', async () => (await parkingOn(second)).state === 'done', PATIENT);
      expect(await parkingOn(second)).toMatchObject({
        parked: JOBS,
        restored: JOBS,
        existed: 0,
        remaining: 0,
      });
      expect((await redis.client.lrange('bull:parked:wait', 0, -1)).sort()).toEqual(ids);
      await queue.close();
    }),
  200_000,
);
