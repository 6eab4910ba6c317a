import { type CanaryAsk, CanaryRefused, type CanaryResult } from '../model/canary.js';
import type { JobDetail, JobPage, JobQuery } from '../model/job-view.js';
import { sendCanary } from '../redis/canary.js';
import { listJobs as listJobsIn } from '../redis/list-jobs.js';
import { readJob as readJobIn } from '../redis/read-job.js';
import type { Watch } from './watch.js';

/** Raised when the Redis that holds the jobs can't be asked now. */
export class JobsUnavailable extends Error {
  constructor(instance: string, cause: unknown) {
    super(
      `jobs of ${instance} can't be read now: ${cause instanceof Error ? cause.message : 'no connection'}`,
    );
    this.name = 'JobsUnavailable';
  }
}

/** One page of a queue's jobs, read from Redis on demand. @throws JobsUnavailable */
export async function listJobs(
  watch: Watch,
  instance: string,
  queueId: string,
  query: JobQuery,
): Promise<JobPage> {
  return reading(watch, instance, (link) => listJobsIn(link.client, queueId, query));
}

/** One job with all it holds; null where there is none. @throws JobsUnavailable */
export async function readJob(
  watch: Watch,
  instance: string,
  queueId: string,
  jobId: string,
): Promise<JobDetail | null> {
  return reading(watch, instance, (link) => readJobIn(link.client, queueId, jobId));
}

async function reading<T>(
  watch: Watch,
  instance: string,
  read: (link: NonNullable<ReturnType<Watch['link']>>) => Promise<T>,
): Promise<T> {
  const link = watch.link(instance);
  if (!link) throw new JobsUnavailable(instance, new Error('no such instance'));
  try {
    return await read(link);
  } catch (error) {
    throw new JobsUnavailable(instance, error);
  }
}

/** Sends a canary job through a queue of an instance. @throws CanaryRefused, JobsUnavailable */
export async function probeQueue(
  watch: Watch,
  instance: string,
  queueId: string,
  ask: CanaryAsk,
): Promise<CanaryResult> {
  const link = watch.link(instance);
  if (!link) throw new JobsUnavailable(instance, new Error('no such instance'));
  try {
    return await sendCanary(link, queueId, ask);
  } catch (error) {
    if (error instanceof CanaryRefused) throw error;
    throw new JobsUnavailable(instance, error);
  }
}
