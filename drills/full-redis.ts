import { type Api, type ApiPlan, checkForecast } from './api.js';
import {
  ANALYTICS,
  API,
  API_PRODUCER,
  analyticsProducer,
  backlogs,
  startWorker,
  takesWrites,
} from './full-redis-players.js';
import { resolveFullRedis } from './full-redis-resolve.js';
import { inMegabytes, MB, maxmemoryOf, usedBytes, waitingIn } from './own-redis.js';
import { checkNothingLost, type Drill, type DrillStage } from './run.js';
import { sleep, waitFor } from './wait-for.js';
import type { World } from './world.js';

/** 94 MB of jobs [facts.md], and what is there already. */
const ROOM_BYTES = 512 * MB;
const SLOTS = 1_000;
const FEW_PER_SECOND = 100;
/** 100,000 within 30 s, of which the order and the first batches take some. */
const ORDERED_WITHIN_MS = 5_000;
const DRAINED_PER_MS = 4;
const REASON = 'drill full-redis: drain the analytics backlog';

/**
 * What ended the incident at Cypress: with a client that batches twenty requests or waits ten seconds, five slots
 * complete ten jobs in twenty seconds, whatever the work is. One order raises the concurrency of the running workers.
 */
async function drainBacklog({ world, activity }: DrillStage, api: Api, jobs: number): Promise<void> {
  const { redis } = world;
  const changeWorkers = (change: object) => api.changeWorkers(ANALYTICS, { ...change, reason: REASON });
  const withinMs = ORDERED_WITHIN_MS + jobs / DRAINED_PER_MS;
  await api.post('/instances/default/relief', {
    action: 'raise-maxmemory',
    maxBytes: ROOM_BYTES,
    reason: REASON,
  });
  // What the remedies before have raised: the backlog is to wait behind the slots that were deployed.
  await changeWorkers({ revert: true });
  await cleanFinished(api);
  const before = await usedBytes(redis);
  await world.fill('backlog', {
    ...{ queue: ANALYTICS, jobName: 'track', series: 'backlog', atOnce: jobs, dataChars: 300 },
    options: { removeOnComplete: true },
  });
  const peak = await usedBytes(redis);
  const waiting = await waitingIn(redis, ANALYTICS);
  activity.note(`${jobs} batched jobs wait behind 5 slots`, `${inMegabytes(peak)} used`);
  const plan = await planned(api, waiting);
  const askedAtMs = Date.now();
  const outcomes = await changeWorkers({ concurrency: SLOTS });
  const [outcome] = outcomes.outcomes;
  activity.check(
    'one order raises the concurrency of the running worker',
    outcomes.failed === 0 && outcomes.applied === 1,
    `${outcome?.summary ?? ''} ${outcome?.durationMs ?? 0} ms`,
  );
  const drained = `${jobs} batched jobs drain within ${withinMs / 1000} s of that request`;
  await activity.checkWithin(drained, askedAtMs + withinMs - Date.now(), async () => {
    const isDrained = (await waitingIn(redis, ANALYTICS)) < 100;
    return [isDrained, `${waiting} waited, ${secondsSince(askedAtMs).toFixed(1)} s`];
  });
  checkForecast(activity, 'the backlog', plan, secondsSince(askedAtMs));
  await cleanFinished(api);
  // Freed memory shows once the last jobs' buffers are gone as well.
  await activity.checkWithin(
    'Redis memory falls by at least 95% of what the backlog took',
    10_000,
    async () => {
      const now = await usedBytes(redis);
      const figures = `${inMegabytes(peak)} → ${inMegabytes(now)}, before the backlog ${inMegabytes(before)}`;
      return [(peak - now) / (peak - before) >= 0.95, figures];
    },
  );
  await changeWorkers({ revert: true });
}

/** What the console forecasts of the order, once it sees the backlog and that no more comes. */
async function planned(api: Api, waiting: number): Promise<ApiPlan> {
  const ask = (): Promise<ApiPlan> => api.plan(`bull:${ANALYTICS}`, `concurrency=${SLOTS}`);
  await waitFor(async () => {
    const { backlog, arrivalsPerSecond } = await ask();
    return backlog >= waiting * 0.99 && arrivalsPerSecond < FEW_PER_SECOND;
  }, 15_000);
  return ask();
}

/** What both queues keep of finished jobs grows all the time, and is not the backlog's: it is away at both looks. */
async function cleanFinished(api: Api): Promise<void> {
  const all = { match: '*', reason: REASON };
  await api.post('/instances/default/relief', { ...all, action: 'trim-events', keep: 100 });
  await api.post('/instances/default/relief', {
    ...all,
    action: 'clean-finished',
    state: 'completed',
    keep: 100,
  });
}

function secondsSince(atMs: number): number {
  return (Date.now() - atMs) / 1000;
}

/** How long it may take until Redis refuses writes. */
const FULL_WITHIN_MS = 90_000;
/** Workers that were busy when Redis filled go on for this long before somebody restarts them. */
const RESTART_AFTER_MS = 4_000;
const STEADY_SECONDS = 3;
/** Results that take Redis further over its limit while it is full. */
const RESULT_CHARS = 4_000;
const BACKLOG_JOBS = 100_000;

/** incidents.md, 1: a surge of low-value analytics jobs fills the Redis that the API needs. */
export const fullRedis: Drill = {
  name: 'full-redis',
  about:
    'a surge of analytics jobs fills Redis; the API can no longer add its jobs, and restarted workers take none',
  maxmemoryBytes: 64 * MB,
  alerts: {
    expected: [
      {
        ...{ rule: 'redis-filling', from: 'work begins', noticedWithinSeconds: 30 },
        // What is kept of ended jobs grows at first too, to its bound, which may be taken for filling.
        ...{ until: 'Redis grows no more', overWithinSeconds: 20, atMost: 2 },
      },
      {
        ...{ rule: 'redis-full', from: 'Redis refuses writes', noticedWithinSeconds: 4 },
        ...{ until: 'there is room', overWithinSeconds: 5 },
      },
    ],
    delivered: 'redis-full',
    allowed: [
      {
        ...{ rule: 'queue-overloaded', or: 'queue-growing', queue: API },
        because: 'the API adds more than its workers do until the surge is over',
      },
      ...[
        { queue: API, type: 'request', because: 'they take a good part of this small Redis' },
        { queue: ANALYTICS, type: 'track', because: 'its jobs fill this Redis: that is the incident' },
      ].flatMap(({ queue, type, because }) => [
        { rule: 'memory', or: 'queue-memory', queue, because },
        { rule: 'job-type-memory', queue, type, because },
      ]),
      { rule: 'memory', because: 'and each of their results is in the events too' },
      { rule: 'redis-memory', because: 'just before it is full it is at 95%' },
      {
        ...{ rule: 'type-batch-wait', queue: ANALYTICS, type: 'track' },
        because: 'its client batches: that is the cause',
      },
    ],
  },
  guide: [
    'Within half a minute the band turns red and the finding "redis.full" heads the page.',
    'It names the job type, what its runs wait for, and what to set: try its remedies in their order.',
    'A stock queue.pause() is refused in this state; the actions of the console are not.',
    'The first button makes room and then raises the concurrency of the analytics workers: batches fill, and the backlog drains.',
  ],
  async start({ world, activity }, { jobs }) {
    activity.moment('work begins');
    const limitBytes = await maxmemoryOf(world.redis);
    await world.produce('analytics producer', analyticsProducer(limitBytes));
    await world.produce('API server', API_PRODUCER);
    let worker = await startWorker(world, RESULT_CHARS);
    let refusedAtMs = 0;
    activity.note('producers and workers run', `maxmemory ${inMegabytes(limitBytes)}`);
    return {
      async develop() {
        const isFull = await waitFor(() => world.ledger.refused(API) > 0, FULL_WITHIN_MS);
        if (!isFull) throw new Error(`Redis was not full within ${FULL_WITHIN_MS / 1000} s`);
        refusedAtMs = Date.now();
        activity.moment('Redis refuses writes');
        activity.note('Redis refuses writes: the API cannot add jobs', await backlogs(world));
        await sleep(RESTART_AFTER_MS);
        await worker.stop();
        worker = await startWorker(world, RESULT_CHARS);
        activity.note('workers restarted, as one would', await backlogs(world));
      },
      follow: () => follow({ world, activity }),
      async resolve(api, alerts) {
        await resolveFullRedis({ world, activity }, api, alerts, refusedAtMs);
        await drainBacklog({ world, activity }, api, jobs ?? BACKLOG_JOBS);
        await checkNothingLost({ world, activity }, [ANALYTICS, API]);
      },
    };
  },
};

async function follow({ world, activity }: DrillStage): Promise<never> {
  const { ledger } = world;
  for (let isTaken = true; ; isTaken = !isTaken) {
    const awaited = isTaken;
    // At the edge answers flip: noted is what held for some seconds.
    await waitFor(() => heldFor(world, awaited), Number.POSITIVE_INFINITY);
    activity.note(
      isTaken ? 'Redis takes writes again' : 'Redis refuses writes again',
      `${await backlogs(world)}; completed: ${ledger.completed(API)} API, ${ledger.completed(ANALYTICS)} analytics`,
    );
  }
}

async function heldFor(world: World, isTaken: boolean): Promise<boolean> {
  for (let asked = 0; asked < STEADY_SECONDS; asked += 1) {
    if ((await takesWrites(world)) !== isTaken) return false;
    await sleep(1_000);
  }
  return true;
}
