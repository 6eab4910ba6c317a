import { isSettling } from '../model/sight.js';
import type { Snapshot } from '../model/snapshot.js';
import type { SeenWorker, WorkerState } from '../model/worker.js';
import { holdOutlier, holdWorkerVerdict } from './hold-worker-verdict.js';
import { judgeWorker } from './judge-worker.js';
import { findOutliers } from './outlier.js';

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
