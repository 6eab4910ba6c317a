import { Queue } from 'bullmq';
import { type OwnRedis, overfill, startRedis } from '../drills/own-redis.js';
import { cleanFinishedJobs } from '../server/redis/relief.js';
import type { RunningConsole } from '../test/support/console.js';
import { besideThePeer } from './beside-bull-board.js';
import { costOf } from './cost.js';
import { manyQueueRows } from './many-queues.js';
import { cost, medianOf, quantileOf, type Row, type Say, time } from './row.js';
import { addJobs, copyQueues, seedFailed } from './seed.js';
import { during, ordered, startSeeing } from './world.js';

const JOBS = 50;

/** The console beside bull-board, what 1,000 and 10,000 queues cost, and its actions. */
export async function consoleRows(isQuick: boolean, say: Say): Promise<readonly Row[]> {
  const [queues, many] = isQuick ? [100, 500] : [1_000, 10_000];
  const ofQueues = await during(startRedis(), async (redis) => {
    say(`seeding ${queues} queues of ${JOBS} jobs`);
    await copyQueues(redis, 0, queues, JOBS);
    return [
      ...(await besideThePeer(redis, queues, isQuick, say)),
      ...(await manyQueueRows(redis, queues, many, isQuick, say)),
    ];
  });
  say('actions on a healthy and on a full Redis');
  return [...ofQueues, ...(await latencyRows(isQuick ? 10 : 100)), await cleanRow(isQuick, say)];
}

/** What a person waits for an action: the answer comes after the read-back from Redis. */
function latencyRows(times: number): Promise<readonly Row[]> {
  return during(startRedis(), async (redis) => {
    await addJobs(redis, 'actions', 5_000, (n) => ({ n, pad: 'x'.repeat(200) }));
    return during(startSeeing(redis, 1), async (console_) => {
      const healthy = await actionTimes(console_, times);
      await overfill(redis);
      const queue = new Queue('actions', { connection: { port: redis.port } });
      const stock = await queue.setGlobalConcurrency(3).then(
        () => 'went through',
        (error: unknown) => (String(error).includes('OOM') ? 'refused, OOM' : String(error)),
      );
      await queue.close();
      const full = await actionTimes(console_, times);
      return [
        latencyRow('healthy', healthy, ''),
        latencyRow('full', full, `BullMQ's setGlobalConcurrency(): ${stock}`),
      ];
    });
  });
}

function latencyRow(state: string, times: readonly number[], peerDetail: string): Row {
  const what = `an action (global concurrency) on a ${state} Redis, request to answer, median of ${times.length}`;
  const detail = `p99 ${quantileOf(times, 0.99).toFixed(1)} ms`;
  return time(`action.${state}`, what, 'ms', medianOf(times), { limit: 50, detail, peerDetail });
}

async function actionTimes(console_: RunningConsole, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const startedAt = performance.now();
    await ordered(console_, 'PATCH', '/instances/default/queues/actions', { concurrency: 1 + (i % 7) });
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Removes the oldest of many failed jobs, by turns with BullMQ's own clean() of as many. */
function cleanRow(isQuick: boolean, say: Say): Promise<Row> {
  const failed = isQuick ? 100_000 : 1_000_000;
  const [turns, jobs] = [5, 5_000];
  say(`cleaning among ${failed} failed jobs`);
  return during(startRedis(), async (redis) => {
    await seedFailed(redis, failed);
    const queue = new Queue('queue-0', { connection: { port: redis.port } });
    const [ours, theirs]: [number[], number[]] = [[], []];
    let calls = 0;
    for (let turn = 0; turn < turns; turn++) {
      const keep = (await redis.client.zcard('bull:queue-0:failed')) - jobs;
      const own = { client: redis.client, id: 'bull:queue-0', canFlagScripts: true };
      const callsBefore = await scriptCalls(redis);
      const cleaned = await costOf(redis, () =>
        cleanFinishedJobs(own, { state: 'failed', untilMs: null, keep }),
      );
      ours.push(cleaned.redisCpuMs);
      calls += (await scriptCalls(redis)) - callsBefore;
      const clean = async (): Promise<void> => {
        for (let done = 0; done < jobs; done += 500) await queue.clean(0, 500, 'failed');
      };
      theirs.push((await costOf(redis, clean)).redisCpuMs);
    }
    await queue.close();
    const jobsACall = (jobs * turns) / calls;
    const aCall = (cpuMs: number): number => (cpuMs * jobsACall) / jobs;
    const what = `Redis CPU of a call that cleans some of ${failed.toLocaleString('en')} failed jobs`;
    return cost('clean-finished.redis-cpu', what, 'ms', ours.map(aCall), {
      limit: 5,
      detail: `${jobsACall.toFixed(0)} jobs a call`,
      peerDetail: `BullMQ's clean() takes ${aCall(medianOf(theirs)).toFixed(2)} ms for as many`,
    });
  });
}

async function scriptCalls({ client }: OwnRedis): Promise<number> {
  const stats = await client.info('commandstats');
  const calls = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].map(([, count]) => Number(count));
  return calls.reduce((sum, count) => sum + count, 0);
}
