import { type BeaconAsk, type BeaconResult, sendBeacon } from '../redis/beacon.js';
import { BeaconRefused } from './beacon-refused.js';
import { JobsUnavailable } from './jobs.js';
import type { Watch } from './watch.js';

/** Sends a beacon through a queue of an instance. @throws BeaconRefused, JobsUnavailable */
export async function probeQueue(
  watch: Watch,
  instance: string,
  queueId: string,
  ask: BeaconAsk,
): Promise<BeaconResult> {
  const link = watch.link(instance);
  if (!link) throw new JobsUnavailable(instance, new Error('no such instance'));
  try {
    return await sendBeacon(link, queueId, ask);
  } catch (error) {
    if (error instanceof BeaconRefused) throw error;
    throw new JobsUnavailable(instance, error);
  }
}
