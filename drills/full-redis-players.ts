import { Queue } from 'bullmq';
import type { ProducerPlan } from './children/producer.js';
import { inMegabytes, MB, usedBytes, waitingIn } from './own-redis.js';
import type { Player, World } from './world.js';

export const ANALYTICS = 'analytics';
export const API = 'api-requests';

/** Waiting jobs of both queues and memory, in words. */
export async function backlogs(world: World): Promise<string> {
  const { redis } = world;
  const used = inMegabytes(await usedBytes(redis));
  return `${used} used; waiting: ${await waitingIn(redis, ANALYTICS)} analytics, ${await waitingIn(redis, API)} API`;
}

/** The stock pause, as an application or another dashboard would call it; what it was refused with, or null. */
export async function stockPause(world: World): Promise<string | null> {
  const queue = new Queue(ANALYTICS, {
    connection: { host: '127.0.0.1', port: world.redis.port, maxRetriesPerRequest: 1 },
    skipMetasUpdate: true,
  });
  queue.on('error', () => undefined);
  try {
    await queue.pause();
    await queue.resume();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await queue.close().catch(() => undefined);
  }
}

/** Whether Redis takes a write that adds memory. Leaves nothing behind. */
export async function takesWrites(world: World): Promise<boolean> {
  const key = 'drill-probe';
  try {
    await world.redis.client.set(key, '1', 'PX', 1_000);
    return true;
  } catch {
    return false;
  }
}

/**
 * Finished jobs and events that the API keeps: more jobs than it completes until Redis is full, so that each of them takes
 * it further over its limit, and with the events a good part of this small Redis, where both then stay.
 */
export const API_KEEPS = { jobs: 1_600, events: 4_000 };

export const BATCH_SIZE = 20;
export const BATCH_WAIT_SECONDS = 10;
/** As on any day before: two batches of the few that come wait for their timer. */
const CALM_MS = 24_000;
/** Jobs that this world's Redis takes a second until it is full: 20 s for each 64 MB. */
const SURGE_PER_SECOND_PER_MB = 36;

/**
 * The worker process of the application: it answers API requests, and passes analytics on in batches.
 * @param resultChars of each answer, which Redis keeps with the completed job and once more with its event.
 */
export function startWorker(world: World, resultChars: number): Promise<Player> {
  return world.work('worker', {
    labels: { release: '41' },
    batch: { size: BATCH_SIZE, waitMs: BATCH_WAIT_SECONDS * 1000 },
    works: [
      { queue: ANALYTICS, name: ANALYTICS, concurrency: 5, isBatched: true },
      { queue: API, name: API, concurrency: 4, runMs: 100, resultChars },
    ],
  });
}

/** Analytics jobs: few as on any day, then a surge. @param jobs after which it is over, if not before */
export function analyticsProducer(limitBytes: number, afterMs = CALM_MS, jobs?: number): ProducerPlan {
  const perSecond = Math.round((limitBytes / MB) * SURGE_PER_SECOND_PER_MB);
  return {
    ...{ queue: ANALYTICS, jobName: 'track', dataChars: 500, options: { removeOnComplete: true } },
    // Below what the workers complete, so that the backlog falls once the surge is over.
    perSecond: 0.4,
    surge: { afterMs, perSecond, ...(jobs === undefined ? {} : { jobs }) },
  };
}

/**
 * More than the workers can do during the surge, so that they are busy when Redis fills. Busy workers go on while it is
 * full, and each result they store takes Redis further over its limit: from then on it refuses steadily.
 */
export const API_PRODUCER: ProducerPlan = {
  queue: API,
  jobName: 'request',
  dataChars: 200,
  options: { removeOnComplete: { count: API_KEEPS.jobs } },
  eventsKept: API_KEEPS.events,
  perSecond: 20,
  surge: { afterMs: CALM_MS, perSecond: 60 },
  isOneByOne: true,
};
