import { parseArgs } from 'node:util';
import { resolveFailedDeploy } from './failed-deploy-resolve.js';
import { checkFailing, deploy, keepSteady, startMonitors, TRUTH } from './failed-deploy-world.js';
import { fullRedis } from './full-redis.js';
import {
  ANALYTICS,
  analyticsProducer,
  apiProducer,
  inMegabytes,
  limitOf,
  MB,
  startWorker,
} from './full-redis-players.js';
import { type PolicyStage, resolveByPolicy } from './full-redis-policy-resolve.js';
import { noisyNeighbour } from './noisy-neighbour.js';
import { overloadedLayer } from './overloaded-layer.js';
import { runDrill } from './run.js';
import type { Drill } from './scenario.js';
import { silentSubscriber } from './silent-subscriber.js';
import { waitFor } from './wait-for.js';

/** Until the console knows both types of jobs and what they weigh. */
const CALM_MS = 4_000;
/** Small: what fills this Redis is what waits, however long the drill takes. */
const RESULT_LETTERS = 100;
/** A good megabyte of jobs for each of maxmemory: without the policy it would be full. */
const SURGE_JOBS_PER_MB = 1_000;

/** incidents.md, 1, with the least important jobs parked before memory runs out. */
const fullRedisPolicy: Drill = {
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

const FLUSH_MISSING = 'flush-missing';

/** incidents.md, 5: a deploy makes runs of one type fail, for what the release before left in a cache. */
const failedDeploy: Drill = {
  name: 'failed-deploy',
  about:
    'a deploy, marked on the timeline, makes nine of ten jobs of one type fail; another type stops coming',
  maxmemoryBytes: 128 * MB,
  alerts: {
    // By itself the console does not wake anybody for a habit of a few minutes; who knows that it is one says so.
    rules: [
      {
        id: FLUSH_MISSING,
        name: 'Caches are not flushed',
        severity: 'warning',
        scope: { queue: `bull:${TRUTH.queue}`, type: TRUTH.absent },
        condition: { kind: 'finding', code: 'jobtype.absent', leastSeverity: 'info' },
        forSeconds: 3,
        keepFiringSeconds: 3,
      },
    ],
    expected: [
      {
        rule: 'type-failing',
        queue: TRUTH.queue,
        type: TRUTH.failing,
        from: 'the deploy',
        noticedWithinSeconds: 15,
        until: 'the fix',
        overWithinSeconds: 20,
      },
      {
        rule: FLUSH_MISSING,
        queue: TRUTH.queue,
        type: TRUTH.absent,
        from: 'the deploy',
        noticedWithinSeconds: 25,
      },
    ],
  },
  guide: [
    'After 12 s release 2.7.0 is deployed; its marker is on the timeline (Workers, below).',
    `Which type fails, since when, with what error, and what happened just before? (It is ${TRUTH.failing}.)`,
    'And which type that came regularly comes no more?',
  ],
  start: async (world, account) => {
    const stage = await startMonitors(world, account);
    return {
      async develop(api) {
        await keepSteady(stage);
        await deploy(stage, api);
      },
      async follow() {
        await checkFailing(stage);
        await waitFor(() => false, Number.POSITIVE_INFINITY);
      },
      resolve: (api, alerts) => resolveFailedDeploy(stage, api, alerts),
    };
  },
};

/** The incidents that can be backtested. Adding a drill is one file and one line here. */
const DRILLS: readonly Drill[] = [
  fullRedis,
  fullRedisPolicy,
  overloadedLayer,
  noisyNeighbour,
  silentSubscriber,
  failedDeploy,
];

/** The drill of that name, or null. */
function findDrill(name: string): Drill | null {
  return DRILLS.find((drill) => drill.name === name) ?? null;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    auto: { type: 'boolean', default: false },
    port: { type: 'string', default: '3000' },
    maxmemory: { type: 'string' },
    jobs: { type: 'string' },
  },
});
const drill = findDrill(positionals[0] ?? '');

if (!drill) {
  console.error('npm run drill <name> -- [--auto] [--port 3000] [--maxmemory MEGABYTES] [--jobs COUNT]\n');
  for (const { name, about } of DRILLS) console.error(`  ${name.padEnd(18)}${about}`);
  process.exitCode = 2;
} else {
  const megabytes = Number(values.maxmemory);
  const jobs = Number(values.jobs);
  const account = await runDrill(drill, {
    isAuto: values.auto,
    port: Number(values.port) || 3000,
    ...(megabytes > 0 ? { maxmemoryBytes: megabytes * 1024 * 1024 } : {}),
    ...(jobs > 0 ? { jobs } : {}),
    print: console.log,
  });
  const failures = account.failures().length;
  if (values.auto)
    console.log(failures === 0 ? '\nResolved; every check holds.' : `\n${failures} checks failed.`);
  // What the incident was still waiting for when it was asked to end must not keep the process.
  process.exit(failures === 0 ? 0 : 1);
}
