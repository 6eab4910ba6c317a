import type { JobTypeState } from '../watch/job-type-state.js';
import type { QueueState, Snapshot } from '../watch/snapshot.js';
import type { FindingRule, FoundNow, Thresholds } from './finding.js';

/** Of one queue the worst types speak for the others. */
const MOST_OF_A_QUEUE = 5;

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
  return (snapshot, nowMs, thresholds) =>
    snapshot.queues
      .filter(({ types }) => types.length > 0)
      .flatMap((queue) =>
        queue.types
          .flatMap((type) => {
            const found = describe(type, queue, snapshot, nowMs, thresholds);
            return found ? { ...found, queue: queue.id, node: null, jobType: type.name } : [];
          })
          // By name where they are equal, or the five would change from tick to tick.
          .sort((a, b) => b.rank - a.rank || (a.jobType < b.jobType ? -1 : 1))
          .slice(0, MOST_OF_A_QUEUE),
      );
}
