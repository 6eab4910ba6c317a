import type { JobTypeState } from '../watch/job-type-state.js';
import type { QueueState, Snapshot } from '../watch/snapshot.js';
import type { WorkerState } from '../watch/worker-state.js';

/** A wait that is felt, and so many times what it was before. */
const LEAST_WAIT_MS = 150;
const TIMES_BEFORE = 4;
/** Runs that take so many times what they did: what they call is taken by somebody else. */
const TIMES_RUN = 2;
const LEAST_RUN_ADDED_MS = 20;
/** A queue that keeps so much of the shared processes busy is the one that takes it. */
const SOURCE_SHARE = 0.5;
const VICTIM_SHARE = 0.34;
/** An event loop that comes so late holds up everything in its process. */
const LATE_LOOP_MS = 40;

/** Who is held up, and how it shows. */
export interface Victim {
  readonly queue: QueueState;
  readonly type: string;
  readonly waitMs: number;
  readonly usualWaitMs: number;
  readonly runMs: number | null;
  readonly usualRunMs: number | null;
}

export interface NoisyNeighbour {
  readonly source: QueueState;
  readonly victims: readonly Victim[];
  /** Share of the busy slots of the shared processes that the source holds, 0..1. */
  readonly shareOfSlots: number;
  readonly processes: number;
  /** What they share that gives out: `event-loop` where loops come late, else `calls`: what both call takes longer. */
  readonly through: 'event-loop' | 'calls';
  readonly loopDelayP99Ms: number;
}

/**
 * Queues that hold up others which share their worker processes: jobs of the others wait (or run) several times as long as
 * before, while one queue with a backlog keeps most of the busy slots of those processes. Only the agent shows who shares a
 * process. A queue whose own arrivals fill its own slots at its usual run time is not held up by anybody: its runs are as
 * long as ever.
 */
export function findNoisyNeighbours(snapshot: Snapshot): readonly NoisyNeighbour[] {
  const attached = snapshot.workers.filter((worker) => worker.agent !== null && worker.isConnected !== false);
  const queueOf = new Map(snapshot.queues.map((queue) => [queue.id, queue]));
  const byProcess = groupByProcess(attached);
  const neighbours = new Map<string, Set<string>>();
  for (const workers of byProcess.values()) {
    const ids = new Set(workers.map(({ queueId }) => queueId));
    for (const id of ids) neighbours.set(id, new Set([...(neighbours.get(id) ?? []), ...ids]));
  }
  const found: NoisyNeighbour[] = [];
  for (const [id, others] of neighbours) {
    const source = queueOf.get(id);
    if (!source || others.size < 2 || source.backlog === 0) continue;
    const shared = [...byProcess.values()].filter((workers) => isShared(workers, id)).flat();
    const busyOf = (queueId: string): number => busySlots(shared, queueId);
    const busy = shared.reduce((sum, { agent }) => sum + (agent?.running ?? 0), 0);
    const share = busy > 0 ? busyOf(id) / busy : 0;
    if (share < SOURCE_SHARE) continue;
    const victims = [...others]
      .filter((other) => other !== id && busyOf(other) <= VICTIM_SHARE * busy)
      .flatMap((other) => victimOf(queueOf.get(other)) ?? []);
    if (victims.length === 0) continue;
    const loopDelayP99Ms = Math.max(...shared.map(({ agent }) => agent?.loopDelayP99Ms ?? 0));
    found.push({
      source,
      victims: [...victims].sort((a, b) => b.waitMs - a.waitMs),
      shareOfSlots: share,
      processes: new Set(shared.map(({ agent }) => agent?.agentId)).size,
      through: loopDelayP99Ms >= LATE_LOOP_MS ? 'event-loop' : 'calls',
      loopDelayP99Ms,
    });
  }
  return found;
}

function groupByProcess(workers: readonly WorkerState[]): ReadonlyMap<string, readonly WorkerState[]> {
  const groups = new Map<string, WorkerState[]>();
  for (const worker of workers) {
    const id = worker.agent?.agentId ?? '';
    const group = groups.get(id);
    if (group) group.push(worker);
    else groups.set(id, [worker]);
  }
  return groups;
}

function isShared(workers: readonly WorkerState[], queueId: string): boolean {
  return (
    workers.some((worker) => worker.queueId === queueId) &&
    workers.some((worker) => worker.queueId !== queueId)
  );
}

function busySlots(workers: readonly WorkerState[], queueId: string): number {
  return workers
    .filter((worker) => worker.queueId === queueId)
    .reduce((sum, { agent }) => sum + (agent?.running ?? 0), 0);
}

/** The type of a queue that is held up most; null: none is. */
function victimOf(queue: QueueState | undefined): Victim | null {
  if (queue?.flow !== 'running') return null;
  const held = queue.types.flatMap((type) => heldUp(queue, type) ?? []);
  return held.sort((a, b) => b.waitMs - a.waitMs)[0] ?? null;
}

function heldUp(queue: QueueState, type: JobTypeState): Victim | null {
  const [wait, run] = [nowAndBefore(type.waitTrend), nowAndBefore(type.runTrend)];
  if (!wait || wait.nowMs < Math.max(LEAST_WAIT_MS, TIMES_BEFORE * wait.beforeMs)) return null;
  const isSlower =
    run !== null && run.nowMs >= TIMES_RUN * run.beforeMs && run.nowMs - run.beforeMs >= LEAST_RUN_ADDED_MS;
  const hasFreeSlots = queue.counts.active < queue.backlog && (queue.workers ?? 0) > queue.counts.active;
  if (!isSlower && !hasFreeSlots) return null;
  return {
    queue,
    type: type.name,
    waitMs: wait.nowMs,
    usualWaitMs: wait.beforeMs,
    runMs: run?.nowMs ?? null,
    usualRunMs: run?.beforeMs ?? null,
  };
}

/** The last span against the quietest fifth of those before: what it is like when all is well. */
function nowAndBefore(
  trend: readonly (number | null)[],
): { readonly nowMs: number; readonly beforeMs: number } | null {
  const known = trend.flatMap((median) => median ?? []);
  const now = known[known.length - 1];
  const before = known.slice(0, -1).sort((a, b) => a - b);
  const quiet = before[Math.floor(before.length / 5)];
  return now === undefined || quiet === undefined ? null : { nowMs: now, beforeMs: quiet };
}
