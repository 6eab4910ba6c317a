import type { FindingRule, FoundNow, Thresholds } from '../model/finding.js';
import type { JobTypeState } from '../model/job-type.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';

/** Of one queue the worst types speak for the others. */
const MAX_OF_A_QUEUE = 5;

/** A rule's `detect` for job types: one finding a type, at most five a queue, the highest ranks. */
export function forTypes(
  describe: (
    type: JobTypeState,
    queue: QueueState,
    snapshot: Snapshot,
    nowMs: number,
    thresholds: Thresholds,
  ) => Omit<FoundNow, 'queue' | 'node' | 'jobType'> | null,
): FindingRule['detect'] {
  return (snapshot, nowMs, thresholds) => {
    const found: (FoundNow & { readonly jobType: string })[] = [];
    for (const queue of snapshot.queues) {
      if (queue.types.length === 0) continue;
      const ofQueue: (FoundNow & { readonly jobType: string })[] = [];
      for (const type of queue.types) {
        const described = describe(type, queue, snapshot, nowMs, thresholds);
        if (described) ofQueue.push({ ...described, queue: queue.id, node: null, jobType: type.name });
      }
      if (ofQueue.length === 0) continue;
      // By name where they are equal, or the five would change from tick to tick.
      ofQueue.sort((a, b) => b.rank - a.rank || (a.jobType < b.jobType ? -1 : 1));
      for (const one of ofQueue.slice(0, MAX_OF_A_QUEUE)) found.push(one);
    }
    return found;
  };
}
