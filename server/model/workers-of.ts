import type { Snapshot } from './snapshot.js';
import type { WorkerState } from './worker.js';

export const NONE: readonly WorkerState[] = [];

export const sorted = new WeakMap<readonly WorkerState[], ReadonlyMap<string, readonly WorkerState[]>>();

/** The workers of one queue. Asked for each of a thousand queues in one tick: sorted once a Snapshot. */
export function workersOf({ workers }: Pick<Snapshot, 'workers'>, queueId: string): readonly WorkerState[] {
  let byQueue = sorted.get(workers);
  if (!byQueue) {
    const groups = new Map<string, WorkerState[]>();
    for (const worker of workers) {
      const group = groups.get(worker.queueId);
      if (group) group.push(worker);
      else groups.set(worker.queueId, [worker]);
    }
    byQueue = groups;
    sorted.set(workers, byQueue);
  }
  return byQueue.get(queueId) ?? NONE;
}
