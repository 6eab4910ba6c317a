import { Job, Queue } from 'bullmq';
import type { RedisLink } from './link.js';

export type JobAction = 'retry' | 'remove' | 'promote';

export interface JobFacts {
  readonly name: string;
  readonly state: string;
  readonly attemptsMade: number;
  readonly hasChildren: boolean;
  readonly parentKey: string | null;
}

/**
 * State of a job by BullMQ's own reading; null where there is no such job. The Queue is opened with skipMetasUpdate:
 * an observer that opens it otherwise overwrites the application's meta.version and maxLenEvents.
 */
export async function readJobFacts(
  link: RedisLink,
  queueId: string,
  jobId: string,
): Promise<JobFacts | null> {
  return withQueue(link, queueId, async (queue) => {
    const job = await Job.fromId(queue, jobId);
    if (!job) return null;
    const state = await job.getState();
    const counts = await job.getDependenciesCount();
    return {
      name: job.name,
      state,
      attemptsMade: job.attemptsMade,
      hasChildren: (counts.unprocessed ?? 0) + (counts.processed ?? 0) > 0,
      parentKey: job.parentKey ?? null,
    };
  });
}

/** Retry a failed or completed job, remove one, or promote a delayed one. Throws what BullMQ says. */
export async function actOnJob(
  link: RedisLink,
  queueId: string,
  jobId: string,
  action: JobAction,
): Promise<void> {
  await withQueue(link, queueId, async (queue) => {
    const job = await Job.fromId(queue, jobId);
    if (!job) throw new Error(`job ${jobId} is gone`);
    if (action === 'remove') await job.remove();
    else if (action === 'promote') await job.promote();
    else await job.retry((await job.isCompleted()) ? 'completed' : 'failed', { resetAttemptsMade: true });
  });
}

async function withQueue<T>(link: RedisLink, queueId: string, use: (queue: Queue) => Promise<T>): Promise<T> {
  const at = queueId.lastIndexOf(':');
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
