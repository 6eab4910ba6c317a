import { type CanaryAsk, CanaryRefused, type CanaryResult } from '../model/canary.js';
import { sendCanary } from '../redis/canary.js';
import { JobsUnavailable } from './jobs.js';
import type { Watch } from './watch.js';

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
