import type { Evidence, FindingRule, FoundNow, Thresholds } from '../model/finding.js';
import { isFull, waitedSeconds } from '../model/queue-verdict.js';
import type { QueueState, QueueVerdict, Snapshot } from '../model/snapshot.js';

/** What every finding about a queue's flow shows, as far as it is known. */
export function flowEvidence(queue: QueueState, snapshot: Snapshot): readonly Evidence[] {
  const evidence: Evidence[] = [
    { label: 'waiting', value: queue.backlog, unit: 'jobs' },
    { label: 'active', value: queue.counts.active, unit: 'jobs' },
  ];
  const oldest = waitedSeconds(queue, snapshot);
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

/** From so many queues in one trouble on, what was found of a queue is used again until it is read anew. */
const MANY = 100;
const USED_AGAIN_MS = 10_000;

/**
 * A rule's `detect` for queues whose verdict is one of `verdicts`. Of very many the few that are named count, and the
 * others by their sums: then a queue is not described anew at every tick, but when it was read or after 10 s.
 */
export function forVerdict(verdicts: readonly QueueVerdict[], describe: Describe): FindingRule['detect'] {
  const described = new WeakMap<QueueState, { atMs: number; isFull: boolean; found: FoundNow }>();
  return (snapshot, nowMs, thresholds) => {
    const queues = snapshot.queues.filter(({ verdict }) => verdicts.includes(verdict));
    const full = isFull(snapshot);
    return queues.map((queue) => {
      const known = queues.length < MANY ? undefined : described.get(queue);
      if (known && known.isFull === full && Math.abs(nowMs - known.atMs) < USED_AGAIN_MS) return known.found;
      const found = { queue: queue.id, node: null, ...describe(queue, snapshot, nowMs, thresholds) };
      if (queues.length >= MANY) described.set(queue, { atMs: nowMs, isFull: full, found });
      return found;
    });
  };
}
