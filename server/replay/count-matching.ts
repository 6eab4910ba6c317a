import type { RedisClient } from '../redis/connect.js';
import type { ParkedSource } from './parked-source.js';
import { countRange } from './read-window.js';
import { isOnlyTime } from './replay-filter.js';
import type { ReplayRecord } from './replay-record.js';
import { selectionOf } from './replay-source.js';
import { QueueSweep, sweepOf } from './sweep-queues.js';

const MAX_A_STEP = 1_000;

/**
 * Jobs that match. By Redis' own count where only the time is asked for, else each is looked into.
 * @returns null when it was stopped before its end.
 */
export async function countMatching(
  client: RedisClient,
  record: Pick<ReplayRecord, 'spec' | 'cutoffMs' | 'queues'>,
  shouldStop: () => boolean,
): Promise<number | null> {
  let matching = 0;
  if (isOnlyTime(record.spec.filter)) {
    for (const queue of record.queues) matching += await countRange(client, sweepOf(record, queue));
    return matching;
  }
  const sweep = new QueueSweep(record, {}, shouldStop);
  while (true) {
    const found = await sweep.next(client, MAX_A_STEP);
    if (shouldStop()) return null;
    if (!found) return matching;
    matching += found.jobs.length;
  }
}

/** The same for jobs on disk. */
export async function countParked(
  parked: ParkedSource | null,
  record: Parameters<typeof selectionOf>[0],
  shouldStop: () => boolean,
): Promise<number | null> {
  const found = await parked?.look(selectionOf(record), shouldStop);
  if (shouldStop()) return null;
  return found?.matched ?? 0;
}
