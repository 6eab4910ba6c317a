import type { Snapshot } from '../watch/snapshot.js';
import type { SeenWorker, WorkerState } from '../watch/worker-state.js';
import { holdOutlier, holdWorkerVerdict } from './hold-worker-verdict.js';
import { judgeWorker } from './judge-worker.js';
import { findOutliers } from './outlier.js';
import { isSettling } from './sight.js';

/**
 * Every worker of an instance with its verdict, in the order of `seen`. Pure.
 * @param before the same workers as they were judged last, for what has lasted since.
 */
export function judgeFleet(
  seen: readonly SeenWorker[],
  snapshot: Pick<Snapshot, 'queues' | 'nodes' | 'hearing' | 'link' | 'actedAtMs'>,
  nowMs: number,
  before: readonly WorkerState[] = [],
): readonly WorkerState[] {
  if (seen.length === 0) return [];
  const queues = new Map(snapshot.queues.map((queue) => [queue.id, queue]));
  const former = new Map(before.map((worker) => [worker.id, worker]));
  const outliers = findOutliers(seen);
  return seen.map((worker) => {
    const queue = queues.get(worker.queueId) ?? null;
    const judged = judgeWorker(worker, { queue, snapshot, nowMs });
    const last = former.get(worker.id);
    const isPressed = (queue?.backlog ?? 0) > 0 && !isSettling(snapshot, nowMs);
    return {
      ...worker,
      ...holdWorkerVerdict(last, judged, worker, isPressed || last?.verdict === 'silent', nowMs),
      ...holdOutlier(last, outliers.get(worker.id) ?? null, nowMs),
    };
  });
}

const NONE: readonly WorkerState[] = [];
const sorted = new WeakMap<readonly WorkerState[], ReadonlyMap<string, readonly WorkerState[]>>();

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
