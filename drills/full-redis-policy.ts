import { ANALYTICS, inMegabytes, MB } from './full-redis-look.js';
import { analyticsProducer, apiProducer, limitOf, startWorker } from './full-redis-players.js';
import { type PolicyStage, resolveByPolicy } from './full-redis-policy-resolve.js';
import type { Drill } from './scenario.js';
import { waitFor } from './wait-for.js';

/** Until the console knows both types of jobs and what they weigh. */
const CALM_MS = 4_000;
/** Small: what fills this Redis is what waits, however long the drill takes. */
const RESULT_LETTERS = 100;
/** A good megabyte of jobs for each of maxmemory: without the policy it would be full. */
const SURGE_JOBS_PER_MB = 1_000;

/** incidents.md, 1, with the least important jobs parked before memory runs out. */
export const fullRedisPolicy: Drill = {
  name: 'full-redis-policy',
  about:
    'the same surge with the spillway policy on: analytics jobs are parked and come back, the API never notices',
  maxmemoryBytes: 64 * MB,
  spillway: {
    mode: 'on',
    highRatio: 0.7,
    lowRatio: 0.5,
    restorePerSecond: 2_000,
    rules: [{ queue: ANALYTICS, jobType: '*', priority: 1 }],
  },
  alerts: {
    expected: [
      {
        rule: 'redis-filling',
        from: 'the surge begins',
        noticedWithinSeconds: 30,
        until: 'the surge is over',
        overWithinSeconds: 30,
      },
    ],
  },
  guide: [
    'At 70% of memory analytics jobs are parked until it is at 50%: look at the page of the queue, and at the timeline.',
    'The API adds its jobs all the time.',
    'Raise the concurrency of the analytics workers: they catch up, and what is parked comes back by itself.',
  ],
  start: async (world, account) => {
    account.moment('the surge begins');
    const { port } = world.redis;
    const limitBytes = await limitOf(world);
    await startWorker(world, RESULT_LETTERS);
    const surgeJobs = Math.round((limitBytes / MB) * SURGE_JOBS_PER_MB);
    const surge = { ...analyticsProducer(port, limitBytes), calmMs: CALM_MS, surgeJobs };
    const stage: PolicyStage = {
      world,
      account,
      limitBytes,
      surgeJobs,
      analytics: await world.play('producer', 'analytics producer', surge),
      // What its workers can do, so that all its memory is of use.
      api: await world.play('producer', 'API server', { ...apiProducer(port), surgeJobs: 0 }),
    };
    account.note('producers and workers run', `maxmemory ${await inMegabytes(world, 'maxmemory')}`);
    return {
      develop: async () => undefined,
      follow: async () => {
        await waitFor(() => false, Number.POSITIVE_INFINITY);
      },
      resolve: (api, alerts) => resolveByPolicy(stage, api, alerts),
    };
  },
};
