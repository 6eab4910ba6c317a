import type { Snapshot } from '../watch/snapshot.js';
import { judgeWorker } from './judge-worker.js';
import { findOutliers } from './outlier.js';
import { replacedWorkers } from './replaced-workers.js';
import type { WorkerJudgement } from './worker-verdict.js';

/** A judgement of the same Snapshot is used again for so long: pages, API and findings ask at nearly the same time. */
const REUSED_MS = 250;
const kept = new WeakMap<
  Snapshot,
  { readonly atMs: number; readonly judgements: readonly WorkerJudgement[] }
>();

/** Every worker of an instance with its verdict, in the Snapshot's order. Pure but for being remembered for a moment. */
export function judgeFleet(snapshot: Snapshot, nowMs: number): readonly WorkerJudgement[] {
  const known = kept.get(snapshot);
  if (known && Math.abs(nowMs - known.atMs) <= REUSED_MS) return known.judgements;
  const queues = new Map(snapshot.queues.map((queue) => [queue.id, queue]));
  const outliers = findOutliers(snapshot.workers);
  const replaced = replacedWorkers(snapshot.workers);
  const judgements = snapshot.workers.map((worker) => ({
    worker,
    ...judgeWorker(worker, {
      queue: queues.get(worker.queueId) ?? null,
      snapshot,
      nowMs,
      replacedBy: replaced.get(worker.id) ?? null,
    }),
    replacedBy: replaced.get(worker.id) ?? null,
    outlier: outliers.get(worker.id) ?? null,
    isFromOutside: worker.agent === null,
  }));
  kept.set(snapshot, { atMs: nowMs, judgements });
  return judgements;
}

/** The judgements of one queue's workers. */
export function judgeQueueWorkers(
  snapshot: Snapshot,
  queueId: string,
  nowMs: number,
): readonly WorkerJudgement[] {
  const all = judgeFleet(snapshot, nowMs);
  // Asked for each of a thousand queues in one tick: sorted once.
  let byQueue = sorted.get(all);
  if (!byQueue) {
    byQueue = grouped(all);
    sorted.set(all, byQueue);
  }
  return byQueue.get(queueId) ?? [];
}

const sorted = new WeakMap<readonly WorkerJudgement[], ReadonlyMap<string, readonly WorkerJudgement[]>>();

function grouped(all: readonly WorkerJudgement[]): ReadonlyMap<string, readonly WorkerJudgement[]> {
  const groups = new Map<string, WorkerJudgement[]>();
  for (const one of all) {
    const group = groups.get(one.worker.queueId);
    if (group) group.push(one);
    else groups.set(one.worker.queueId, [one]);
  }
  return groups;
}
