import { type CanaryAsk, CanaryRefused, type CanaryResult } from '../model/job-view.js';
import type { RedisClient } from './connect.js';
import { withQueue } from './job-changes.js';
import type { RedisLink } from './link.js';
import { readControl } from './queue-control.js';

const LOOK_EVERY_MS = 50;
/** A canary that was with a worker when time was up is cleared away when it ends, for this long. */
const CLEAR_FOR_MS = 10 * 60_000;
const CLEAR_EVERY_MS = 5_000;

/**
 * Adds a job by BullMQ's own `Queue.add`, as users' producers do (no script of ours that a full Redis would let through),
 * waits for a worker to end it, and removes it.
 * @throws CanaryRefused for a queue that is paused, by Spillway or its application and for a Redis that refuses the add; what the network says.
 */
export async function sendCanary(link: RedisLink, queueId: string, ask: CanaryAsk): Promise<CanaryResult> {
  const { client } = link;
  await refuseWherePaused(link, queueId);
  const calledAtMs = ask.now();
  await addCanary(link, queueId, ask);
  const acceptedAtMs = ask.now();
  const end = await untilEnded(client, queueId, ask, calledAtMs + ask.timeoutMs);
  const totalMs = ask.now() - calledAtMs;
  const waitingJobs = end.stage === 'waiting' ? await client.llen(`${queueId}:wait`).catch(() => null) : null;
  const isRemoved = await removeCanary(link, queueId, ask.jobId);
  if (!isRemoved) clearLater(link, queueId, ask);
  const { jobId, jobType } = ask;
  return { jobId, jobType, ...end, acceptedAtMs, totalMs, waitingJobs, isRemoved };
}

async function refuseWherePaused(link: RedisLink, queueId: string): Promise<void> {
  const control = await readControl({
    client: link.client,
    canFlagScripts: link.capabilities?.canFlagScripts ?? false,
    id: queueId,
  });
  if (control.pauseRecord !== null && control.concurrency === 0)
    throw new CanaryRefused(
      `${queueId} is paused by Spillway: no worker would take a canary job; resume it first`,
    );
  if (control.isPausedByApplication)
    throw new CanaryRefused(`${queueId} is paused by the application: no worker would take a canary job`);
  if (control.concurrency === 0)
    throw new CanaryRefused(`${queueId} has a global concurrency of 0: no worker would take a canary job`);
}

async function addCanary(link: RedisLink, queueId: string, { jobId, jobType }: CanaryAsk): Promise<void> {
  try {
    await withQueue(link, queueId, (queue) =>
      queue.add(
        jobType,
        { canary: true },
        // Kept when it ends, as the end is what is looked for. Never by age or count: BullMQ would then also remove what
        // users keep in this queue.
        { jobId, attempts: 1, removeOnComplete: false, removeOnFail: false },
      ),
    );
  } catch (error) {
    const text = error instanceof Error ? error.message : '';
    if (/\bOOM\b/.test(text))
      throw new CanaryRefused(
        `Redis is full and refuses the add, as it refuses those of your producers: make room first`,
      );
    if (/READONLY/.test(text))
      throw new CanaryRefused('this Redis is a read-only replica and refuses the add');
    if (/NOPERM/.test(text))
      throw new CanaryRefused("Redis does not permit the console's user to add jobs (ACL)");
    throw error;
  }
}

type End = Pick<CanaryResult, 'stage' | 'startedAtMs' | 'finishedAtMs' | 'failedReason'>;

async function untilEnded(
  client: RedisClient,
  queueId: string,
  { jobId, now }: CanaryAsk,
  deadlineMs: number,
): Promise<End> {
  for (;;) {
    const [timestamp, processedOn, finishedOn, failedReason] = await client.hmget(
      `${queueId}:${jobId}`,
      'timestamp',
      'processedOn',
      'finishedOn',
      'failedReason',
    );
    if (timestamp == null)
      throw new CanaryRefused('the canary was removed by somebody else before it had ended');
    const startedAtMs = processedOn == null ? null : Number(processedOn);
    const finishedAtMs = finishedOn == null ? null : Number(finishedOn);
    if (finishedAtMs !== null) {
      const stage = failedReason == null ? 'completed' : 'failed';
      return { stage, startedAtMs, finishedAtMs, failedReason: failedReason ?? null };
    }
    if (now() >= deadlineMs) {
      const stage = startedAtMs === null ? 'waiting' : 'active';
      return { stage, startedAtMs, finishedAtMs, failedReason: null };
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** @returns false: a worker has it, so that it can't be removed yet. */
async function removeCanary(link: RedisLink, queueId: string, jobId: string): Promise<boolean> {
  try {
    await withQueue(link, queueId, (queue) => queue.remove(jobId));
    return (await link.client.exists(`${queueId}:${jobId}`)) === 0;
  } catch {
    return false;
  }
}

function clearLater(link: RedisLink, queueId: string, { jobId, now }: CanaryAsk): void {
  const untilMs = now() + CLEAR_FOR_MS;
  const timer = setInterval(() => {
    if (now() > untilMs) clearInterval(timer);
    else
      void removeCanary(link, queueId, jobId).then((isRemoved) => {
        if (isRemoved) clearInterval(timer);
      });
  }, CLEAR_EVERY_MS);
  timer.unref();
}
