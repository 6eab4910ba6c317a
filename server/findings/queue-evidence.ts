import type { QueueState, Snapshot } from '../watch/snapshot.js';
import type { Evidence, FindingRule, FoundNow, Thresholds } from './finding.js';
import { oldestWaitingSeconds, type QueueVerdict, queueVerdict } from './verdict.js';

/** What every finding about a queue's flow shows, as far as it is known. */
export function flowEvidence(queue: QueueState, nowMs: number): readonly Evidence[] {
  const evidence: Evidence[] = [
    { label: 'waiting', value: queue.backlog, unit: 'jobs' },
    { label: 'active', value: queue.counts.active, unit: 'jobs' },
  ];
  const oldest = oldestWaitingSeconds(queue, nowMs);
  if (oldest !== null) evidence.push({ label: 'oldest has waited', value: oldest, unit: 'seconds' });
  if (queue.rates) {
    evidence.push({ label: 'arriving', value: queue.rates.arrivalsPerSecond, unit: 'jobs/s' });
    evidence.push({ label: 'leaving', value: queue.rates.departuresPerSecond, unit: 'jobs/s' });
  }
  if (queue.workers !== null) evidence.push({ label: 'workers', value: queue.workers, unit: 'count' });
  return evidence;
}

export type Describe = (
  queue: QueueState,
  snapshot: Snapshot,
  nowMs: number,
  thresholds: Thresholds,
) => Omit<FoundNow, 'queue' | 'node'>;

/** A rule's `detect` for queues whose verdict is one of `verdicts`. */
export function forVerdict(verdicts: readonly QueueVerdict[], describe: Describe): FindingRule['detect'] {
  return (snapshot, nowMs, thresholds) =>
    snapshot.queues
      .filter((queue) => verdicts.includes(queueVerdict(queue, snapshot, nowMs, thresholds)))
      .map((queue) => ({ queue: queue.id, node: null, ...describe(queue, snapshot, nowMs, thresholds) }));
}
