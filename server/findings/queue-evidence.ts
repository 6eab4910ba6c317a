import { type Evidence, fact } from '../model/evidence.js';
import type { FindingRule, FindingSubject, FoundNow, Thresholds } from '../model/finding.js';
import { formatDuration, formatRatio } from '../model/format.js';
import type { JobTypeState } from '../model/job-type.js';
import { isFull, waitedSeconds } from '../model/queue-verdict.js';
import type { QueueState, QueueVerdict, Snapshot } from '../model/snapshot.js';
import { plainName } from '../model/words.js';

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
        if (described) ofQueue.push({ ...described, queue: queue.id, jobType: type.name });
      }
      if (ofQueue.length === 0) continue;
      // By name where they are equal, or the five would change from tick to tick.
      ofQueue.sort((a, b) => b.rank - a.rank || (a.jobType < b.jobType ? -1 : 1));
      for (const one of ofQueue.slice(0, MAX_OF_A_QUEUE)) found.push(one);
    }
    return found;
  };
}

/** A type that holds less of its queue's busy slots is not why the queue falls behind. */
const MAIN_SHARE = 0.5;

/** Does a type keep at least half of its queue's busy slots? By the jobs in hand, else by finished runs × their time. */
export function holdsMostSlots(type: JobTypeState, queue: QueueState): boolean {
  const busy = type.active?.value ?? type.effectiveConcurrency ?? 0;
  return queue.counts.active > 0 && busy >= queue.counts.active * MAIN_SHARE;
}

/** "Most of the work is digest: 80% of what is pending, 8 s a run.", for findings about a queue's flow; empty: no type stands out. */
interface MainWork {
  readonly words: string;
  /** The types that the words name. */
  readonly accountsFor: readonly FindingSubject[];
}

/** What sets the time that a queue needs to drain. */
export function mainWork(queue: QueueState): MainWork {
  const [most] = queue.types
    .flatMap(({ name, slow, run }) =>
      slow?.code === 'drain' && run ? [{ name, share: slow.shareOfWork, run }] : [],
    )
    // By name where they are equal, or another would be named from tick to tick.
    .sort((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1));
  if (!most) return { words: '', accountsFor: [] };
  return {
    words: `Most of the work is ${plainName(most.name)}: ${formatRatio(most.share)} of what is pending, ${formatDuration(most.run.p50Ms / 1000)} a run.`,
    accountsFor: [{ queue: queue.id, jobType: most.name }],
  };
}

/** What every finding about a queue's flow shows, as far as it is known. */
export function flowEvidence(queue: QueueState, snapshot: Snapshot): readonly Evidence[] {
  const evidence: Evidence[] = [fact('waiting', 'waiting', queue.backlog, 'jobs')];
  const oldest = waitedSeconds(queue, snapshot);
  if (oldest !== null) evidence.push(fact('oldest-waited', 'oldest waiting', oldest, 'seconds'));
  if (queue.rates) {
    evidence.push(fact('arriving', 'added', queue.rates.arrivalsPerSecond, 'jobs/s'));
    evidence.push(fact('leaving', 'processed', queue.rates.departuresPerSecond, 'jobs/s'));
  }
  evidence.push(fact('active', 'active', queue.counts.active, 'jobs'));
  if (queue.workers !== null) evidence.push(fact('workers', 'workers', queue.workers, 'count'));
  return evidence;
}

type Describe = (
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
      const found = { queue: queue.id, ...describe(queue, snapshot, nowMs, thresholds) };
      if (queues.length >= MANY) described.set(queue, { atMs: nowMs, isFull: full, found });
      return found;
    });
  };
}
