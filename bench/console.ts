import { Queue } from 'bullmq';
import { type OwnRedis, startRedis } from '../drills/own-redis.js';
import { cleanFinished } from '../server/redis/relief.js';
import { besideThePeer } from './beside-bull-board.js';
import { manyQueueRows } from './many-queues.js';
import { seedFailed } from './replay-stall.js';
import type { Row, Say } from './row.js';
import {
  copyQueues,
  medianOf,
  quantile,
  redisCost,
  type Served,
  seesQueues,
  startConsole,
  waitFor,
} from './world.js';

/** What a person waits for an action, and what the largest cleaning costs Redis a call. */
async function actionRows(isQuick: boolean, say: Say): Promise<readonly Row[]> {
  say('actions on a healthy and on a full Redis');
  return [...(await latencyRows(isQuick)), await cleanRow(isQuick, say)];
}

/** PATCH of global concurrency from request to answer, which comes after the read-back from Redis. */
async function latencyRows(isQuick: boolean): Promise<readonly Row[]> {
  const redis = await startRedis();
  const queue = new Queue('actions', { connection: { port: redis.port } });
  await queue.addBulk(
    Array.from({ length: 5_000 }, (_, n) => ({ name: 'job', data: { n, pad: 'x'.repeat(200) } })),
  );
  const console_ = await startConsole(redis);
  try {
    await waitFor(() => seesQueues(console_, 1), 'the console sees the queue');
    const times = isQuick ? 10 : 100;
    const healthy = await pulls(console_, times);
    const used = Number(/used_memory:(\d+)/.exec(await redis.client.info('memory'))?.[1] ?? 0);
    await redis.client.config('SET', 'maxmemory', String(Math.floor(used * 0.8)));
    const stock = await queue.setGlobalConcurrency(3).then(
      () => 'went through',
      (error: unknown) =>
        error instanceof Error && error.message.includes('OOM') ? 'refused, OOM' : String(error),
    );
    const full = await pulls(console_, times);
    return [
      latencyRow('healthy', healthy, ''),
      latencyRow('full', full, `BullMQ's setGlobalConcurrency(): ${stock}`),
    ];
  } finally {
    await queue.close();
    await console_.stop();
    await redis.stop();
  }
}

function latencyRow(state: string, times: readonly number[], peerDetail: string): Row {
  return {
    id: `action.${state}`,
    what: `an action (global concurrency) on a ${state} Redis, request to answer, median of ${times.length}`,
    kind: 'time',
    unit: 'ms',
    value: medianOf(times),
    limit: 50,
    detail: `p99 ${quantile(times, 0.99).toFixed(1)} ms`,
    peerDetail,
  };
}

async function pulls(console_: Served, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const startedAt = performance.now();
    const response = await fetch(`${console_.url}/api/v1/instances/default/queues/actions`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ concurrency: 1 + (i % 7), reason: 'bench' }),
    });
    const body = await response.text();
    if (!response.ok) throw new Error(`the action answered ${response.status}: ${body.slice(0, 300)}`);
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Removes the oldest of many failed jobs, by turns with BullMQ's own clean() of as many. */
async function cleanRow(isQuick: boolean, say: Say): Promise<Row> {
  const failed = isQuick ? 100_000 : 1_000_000;
  const [turns, jobs] = [5, 5_000];
  say(`cleaning among ${failed} failed jobs`);
  const redis = await startRedis();
  const queue = new Queue('queue-0', { connection: { port: redis.port } });
  try {
    await seedFailed(redis, failed);
    const costs: number[] = [];
    const theirs: number[] = [];
    let calls = 0;
    const cpuMsFor = async (work: () => Promise<unknown>): Promise<number> => {
      const before = await redisCost(redis.client);
      await work();
      return (await redisCost(redis.client)).cpuMs - before.cpuMs;
    };
    for (let turn = 0; turn < turns; turn++) {
      const keep = (await redis.client.zcard('bull:queue-0:failed')) - jobs;
      const own = { client: redis.client, id: 'bull:queue-0', canFlagScripts: true };
      const callsBefore = await scriptCalls(redis);
      costs.push(await cpuMsFor(() => cleanFinished(own, { state: 'failed', untilMs: null, keep })));
      calls += (await scriptCalls(redis)) - callsBefore;
      theirs.push(
        await cpuMsFor(async () => {
          for (let done = 0; done < jobs; done += 500) await queue.clean(0, 500, 'failed');
        }),
      );
    }
    const jobsACall = (jobs * turns) / calls;
    const aCall = (cpuMs: number): number => (cpuMs * jobsACall) / jobs;
    return {
      id: 'clean-finished.redis-cpu',
      what: `Redis CPU of a call that cleans some of ${failed.toLocaleString('en')} failed jobs`,
      kind: 'cost',
      unit: 'ms',
      value: medianOf(costs.map(aCall)),
      limit: 5,
      repeats: costs.map(aCall),
      detail: `${jobsACall.toFixed(0)} jobs a call`,
      peerDetail: `BullMQ's clean() takes ${aCall(medianOf(theirs)).toFixed(2)} ms for as many`,
    };
  } finally {
    await queue.close();
    await redis.stop();
  }
}

async function scriptCalls(redis: OwnRedis): Promise<number> {
  const stats = await redis.client.info('commandstats');
  return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce(
    (sum, [, calls]) => sum + Number(calls),
    0,
  );
}

const JOBS = 50;

/** The console beside bull-board, what 1,000 and 10,000 queues cost, and its actions. */
export async function consoleRows(isQuick: boolean, say: Say): Promise<readonly Row[]> {
  const [queues, many] = isQuick ? [100, 500] : [1_000, 10_000];
  const redis = await startRedis();
  try {
    say(`seeding ${queues} queues of ${JOBS} jobs`);
    await copyQueues(redis, 0, queues, JOBS);
    return [
      ...(await besideThePeer(redis, queues, isQuick, say)),
      ...(await manyQueueRows(redis, queues, many, isQuick, say)),
      ...(await actionRows(isQuick, say)),
    ];
  } finally {
    await redis.stop();
  }
}
