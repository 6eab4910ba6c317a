import { type Api, type ApiPlan, checkForecast } from './api.js';
import { ANALYTICS } from './full-redis-players.js';
import { inMegabytes, MB, usedBytes, waitingIn } from './own-redis.js';
import type { DrillStage } from './run.js';
import { waitFor } from './wait-for.js';

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
export async function drainBacklog({ world, activity }: DrillStage, api: Api, jobs: number): Promise<void> {
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
