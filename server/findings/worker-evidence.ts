import { about } from '../model/brief.js';
import { type Evidence, fact } from '../model/evidence.js';
import type { FindingRule, FoundNow, Remedy } from '../model/finding.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { plainName, queueName } from '../model/words.js';
import type { WorkerState } from '../model/worker.js';

const MAX_NAMED = 3;

type DescribeWorkers = (
  /** At least one, worst first. */
  found: readonly WorkerState[],
  queue: QueueState | null,
  snapshot: Snapshot,
  nowMs: number,
) => Omit<FoundNow, 'queue' | 'node' | 'worker'>;

/**
 * A rule's `detect` for workers that are like that: what several workers of one queue share is one finding, with their
 * names.
 */
export function forWorkers(
  isMeant: (worker: WorkerState) => boolean,
  describe: DescribeWorkers,
): FindingRule['detect'] {
  return (snapshot, nowMs) => {
    return [...groupByQueue(snapshot.workers.filter(isMeant))].map(([queueId, found]) => {
      const queue = snapshot.queues.find(({ id }) => id === queueId) ?? null;
      const [only] = found;
      return {
        queue: queueId,
        worker: found.length === 1 ? (only?.id ?? null) : null,
        ...describe(found, queue, snapshot, nowMs),
      };
    });
  };
}

/** "mailer@web-1", "mailer@web-1 and mailer@web-2", "a, b, c and 4 more". */
export function names(found: readonly WorkerState[]): string {
  const named = found.slice(0, MAX_NAMED).map(({ label }) => plainName(label));
  const more = found.length - named.length;
  if (more > 0) return `${named.join(', ')} and ${more} more`;
  return named.length === 1
    ? (named[0] ?? '')
    : `${named.slice(0, -1).join(', ')} and ${named[named.length - 1]}`;
}

export function placeName(queue: QueueState | null, queueId: string): string {
  return queue ? queueName(queue) : plainName(queueId);
}

/** Slots of the queue's workers that are left without these. */
export function slotsLeft(
  snapshot: Snapshot,
  queueId: string,
  without: readonly WorkerState[],
): { readonly slots: number; readonly workers: number } {
  const gone = new Set(without.map(({ id }) => id));
  const left = snapshot.workers.filter(
    (worker) =>
      worker.queueId === queueId &&
      worker.agent !== null &&
      worker.isConnected !== false &&
      !gone.has(worker.id),
  );
  return {
    slots: left.reduce((sum, worker) => sum + (worker.agent?.concurrency.now ?? 0), 0),
    workers: left.length,
  };
}

/** "left-3@vm of mail: hung", "mail: 3 workers hung". */
export function workersHeadline(
  found: readonly WorkerState[],
  queue: QueueState | null,
  are: string,
): { readonly headline: string; readonly what: string } {
  const place = placeName(queue, found[0]?.queueId ?? '');
  return found.length === 1
    ? about(`${names(found)} of ${place}`, are)
    : about(place, `${found.length} workers ${are}`);
}

/** The processes to restart, as they can be copied: "pid 4711 on web-1". */
export function processesOf(found: readonly WorkerState[]): string {
  const known = found.filter(({ pid }) => pid !== null);
  const named = known.slice(0, MAX_NAMED).map(({ pid, host }) => `pid ${pid} on ${plainName(host ?? '')}`);
  const more = known.length - named.length;
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Evidence of the worst as findings show it, behind how many there are. */
export function workerEvidence(found: readonly WorkerState[]): readonly Evidence[] {
  const [worst] = found;
  return [fact('workers', 'workers', found.length, 'count'), ...(worst?.evidence ?? [])];
}

/** An action for those of them that have the agent; none has: nothing. */
export function remedyFor(
  action: string,
  found: readonly WorkerState[],
  label: string,
  effect: string,
): readonly Remedy[] {
  const workers = found.filter(({ agent }) => agent !== null).map(({ id }) => id);
  return workers.length === 0 ? [] : [{ action, label, effect, queues: [], workers, args: {} }];
}

function groupByQueue(found: readonly WorkerState[]): ReadonlyMap<string, readonly WorkerState[]> {
  const groups = new Map<string, WorkerState[]>();
  for (const one of found) groups.set(one.queueId, [...(groups.get(one.queueId) ?? []), one]);
  return groups;
}
