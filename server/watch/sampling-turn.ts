import type { QueueState } from './snapshot.js';

/** A queue is not sampled again before this, however large. */
const LEAST_AGE_MS = 4_000;

/**
 * Whose memory is sampled next: what has waited longest, weighted by how many jobs it holds, so that what fills Redis
 * is known to the second and the small ones are known at all. Empty queues come rarely.
 */
export function nextToSample(
  queues: readonly QueueState[],
  nowMs: number,
  most: number,
): readonly QueueState[] {
  const urgent = queues.flatMap((queue) => {
    const ageMs = nowMs - (queue.memory?.readAtMs ?? 0);
    if (queue.memory && ageMs < LEAST_AGE_MS) return [];
    const jobs = queue.unfinished + queue.counts.completed + queue.counts.failed + queue.eventsLength / 10;
    return [{ queue, urgency: queue.memory ? (ageMs / 1000) * (1 + jobs) : Number.POSITIVE_INFINITY, jobs }];
  });
  return urgent
    .sort((a, b) => (a.urgency === b.urgency ? b.jobs - a.jobs : b.urgency - a.urgency))
    .slice(0, most)
    .map((entry) => entry.queue);
}
