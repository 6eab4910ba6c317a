import type { ProblemOf } from '../../findings/trouble.js';
import { troubleOf } from '../../findings/trouble.js';
import type { QueueListQuery, QueueSort } from '../../model/queue-sort.js';
import { drainSecondsOf } from '../../model/queue-verdict.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';

/** Queues of one instance that a search matches, in order. Ties stand by id, so that rows don't jump. Pure. */
export function listQueues(
  snapshot: Snapshot,
  query: QueueListQuery,
  nowMs: number,
  problemOf: ProblemOf,
): readonly QueueState[] {
  const wanted = query.search.trim().toLowerCase();
  const found =
    wanted === ''
      ? snapshot.queues
      : snapshot.queues.filter((queue) => queue.id.toLowerCase().includes(wanted));
  if (query.sort === 'name') return [...found].sort(byId);
  return found
    .map((queue) => ({ queue, weight: weightOf(queue, query.sort, snapshot, nowMs, problemOf) }))
    .sort((a, b) => b.weight - a.weight || byId(a.queue, b.queue))
    .map(({ queue }) => queue);
}

function byId(a: QueueState, b: QueueState): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** What a queue weighs in that order: larger comes first. Comparable between instances. Pure. */
export function weightOf(
  queue: QueueState,
  sort: QueueSort,
  snapshot: Snapshot,
  nowMs: number,
  problemOf: ProblemOf,
): number {
  switch (sort) {
    case 'trouble':
      return troubleOf(queue, problemOf(snapshot.instance, queue.id));
    case 'backlog':
      return queue.backlog;
    case 'oldest':
      return queue.oldestWaitingAtMs === null ? 0 : nowMs - queue.oldestWaitingAtMs;
    case 'arrivals':
      return queue.rates?.arrivalsPerSecond ?? 0;
    case 'departures':
      return queue.rates?.departuresPerSecond ?? 0;
    case 'drain':
      // Never is worse than any time; two nevers stand by id.
      return Math.min(drainSecondsOf(queue) ?? 0, Number.MAX_SAFE_INTEGER);
    case 'memory':
      return queue.memory?.totalBytes ?? 0;
    case 'failed':
      return queue.counts.failed;
    case 'name':
      return 0;
  }
}
