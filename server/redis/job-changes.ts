import type { Queue } from 'bullmq';
import { readTypes } from './job-facts.js';
import type { RedisLink } from './link.js';
import { stateOf } from './read-jobs.js';

export type JobChange = 'retry' | 'remove' | 'promote';

export interface JobToChange {
  /** Its type: BullMQ's own calls for a job use its id alone. */
  readonly name: string;
  readonly state: string;
  /** Children that the job still waits for. */
  readonly openChildren: number;
  readonly parentKey: string | null;
  readonly isLifo: boolean;
  /** The application has paused the queue in the way of BullMQ 5: jobs are kept in `paused`, and `wait` may be laid over. */
  readonly isPausedByV5: boolean;
}

/** Loaded when it is first used: it takes 25 MB, and a console that only looks needs none of it. */
const bullmq = () => import('bullmq');

/** Options larger than this are not fetched to find out that a job is LIFO. */
const MAX_OPTS_BYTES = 64 * 1024;

/** What acting on a job needs to know, without its data; null where there is no such job. */
export async function readJobFacts(
  link: RedisLink,
  queueId: string,
  jobId: string,
): Promise<JobToChange | null> {
  const { client } = link;
  const key = `${queueId}:${jobId}`;
  const [[type], values, optsBytes, openChildren, meta, legacyPaused, state] = await Promise.all([
    readTypes(client, [key]),
    client.hmget(key, 'timestamp', 'parentKey'),
    client.hstrlen(key, 'opts'),
    client.scard(`${key}:dependencies`),
    client.hmget(`${queueId}:meta`, 'paused', 'version'),
    client.llen(`${queueId}:paused`),
    stateOf(client, queueId, jobId),
  ]);
  const [timestamp, parentKey] = values;
  if (type == null && timestamp == null) return null;
  const opts = optsBytes <= MAX_OPTS_BYTES ? await client.hget(key, 'opts') : null;
  const [paused, version] = meta;
  return {
    name: type ?? '',
    state,
    openChildren,
    parentKey: parentKey ?? null,
    isLifo: isLifo(opts),
    isPausedByV5: legacyPaused > 0 || (paused != null && !/^bullmq:([6-9]|\d\d)/.test(version ?? '')),
  };
}

/**
 * Retries a failed or completed job with all its attempts, removes one, or promotes a delayed one, by BullMQ's own calls.
 * @throws what BullMQ or Redis says.
 */
export async function actOnJob(
  link: RedisLink,
  queueId: string,
  jobId: string,
  action: JobChange,
  job: JobToChange,
  removeChildren: boolean,
): Promise<void> {
  await withQueue(link, queueId, async (queue) => {
    if (action === 'remove') {
      if ((await queue.remove(jobId, { removeChildren })) !== 1)
        throw new Error(`Job ${jobId} is being processed, or a child of it is: wait until it has ended`);
      return;
    }
    const { Job } = await bullmq();
    // Not Job.fromId: that would fetch the data, which may be large, and nothing here needs it.
    const handle = new Job(queue, job.name, null, job.isLifo ? { lifo: true } : {}, jobId);
    if (action === 'promote') await handle.promote();
    else {
      const state = job.state === 'completed' ? 'completed' : 'failed';
      await handle.retry(state, { resetAttemptsMade: true, resetAttemptsStarted: true });
    }
  });
}

/**
 * Opened with skipMetasUpdate: an observer that opens a Queue otherwise overwrites the application's meta.version and
 * maxLenEvents. The connection is the link's and stays open.
 */
export async function withQueue<T>(
  link: RedisLink,
  queueId: string,
  use: (queue: Queue) => Promise<T>,
): Promise<T> {
  // BullMQ would wait for a connection for as long as it takes; an action says at once that there is none.
  if (link.client.status !== 'ready') throw new Error('Connection is closed.');
  const at = queueId.lastIndexOf(':');
  const { Queue } = await bullmq();
  const queue = new Queue(queueId.slice(at + 1), {
    prefix: queueId.slice(0, at),
    connection: link.bullmqConnection(),
    skipMetasUpdate: true,
    skipVersionCheck: true,
  });
  // Errors of the shared connection are kept by the link; an unhandled one here would end the process.
  queue.on('error', () => undefined);
  try {
    return await use(queue);
  } finally {
    await queue.close();
  }
}

function isLifo(opts: string | null): boolean {
  if (opts === null) return false;
  try {
    const parsed: unknown = JSON.parse(opts);
    return typeof parsed === 'object' && parsed !== null && Reflect.get(parsed, 'lifo') === true;
  } catch {
    // Not BullMQ's JSON: then the job goes to the end that all others go to.
    return false;
  }
}
