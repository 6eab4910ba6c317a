import type { JobTypeState } from './job-type.js';
import type { QueueState, Snapshot } from './snapshot.js';
import type { WorkerState } from './worker.js';

/** A wait that is felt, and so many times what it was before. */
const LEAST_WAIT_MS = 150;
const TIMES_BEFORE = 6;
/** Runs that take so many times what they did: what they call is taken by somebody else. */
const TIMES_RUN = 2;
const LEAST_RUN_ADDED_MS = 20;
/** A queue that keeps so much of the shared processes busy is the one that takes it. */
const SOURCE_SHARE = 0.5;
const VICTIM_SHARE = 0.34;
/** …all the time: its own slots are busy, and so much waits that they stay so. */
const FULL_RATIO = 0.8;
const LEAST_BACKLOG_MS = 5_000;
const LEAST_DRAIN_SECONDS = 20;
/** An event loop that comes so late holds up everything in its process. */
const LATE_LOOP_MS = 60;
/** Spans of the trend, of 10 s each: now is one of the last so many, and so many before it make what is usual. */
const LATELY = 2;
const LEAST_BEFORE = 2;

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
    if (!source || others.size < 2 || !isLasting(source, snapshot.atMs)) continue;
    const shared = [...byProcess.values()].filter((workers) => isShared(workers, id)).flat();
    const loopDelayP99Ms = Math.max(0, ...shared.map(({ agent }) => agent?.loopDelayP99Ms ?? 0));
    const isLate = loopDelayP99Ms >= LATE_LOOP_MS;
    const busyOf = (queueId: string): number => busySlots(shared, queueId);
    const busy = shared.reduce((sum, { agent }) => sum + (agent?.running ?? 0), 0);
    const share = busy > 0 ? busyOf(id) / busy : 0;
    // Who has slots to spare takes nothing from anybody: then all of them are slow, the source as well.
    if (share < SOURCE_SHARE || !isAtItsSlots(shared, source)) continue;
    const victims = [...others]
      .filter((other) => other !== id && busyOf(other) <= VICTIM_SHARE * busy)
      .flatMap((other) => victimOf(queueOf.get(other), hasFreeSlots(shared, other), isLate) ?? []);
    if (victims.length === 0) continue;
    found.push({
      source,
      victims: [...victims].sort((a, b) => b.waitMs - a.waitMs),
      shareOfSlots: share,
      processes: new Set(shared.map(({ agent }) => agent?.agentId)).size,
      through: isLate ? 'event-loop' : 'calls',
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

/** A burst that is through in a moment is what queues are for. */
function isLasting({ backlog, backlogSinceMs, drainSeconds }: QueueState, nowMs: number): boolean {
  if (backlog === 0 || backlogSinceMs === null || nowMs - backlogSinceMs < LEAST_BACKLOG_MS) return false;
  return drainSeconds === null || drainSeconds > LEAST_DRAIN_SECONDS;
}

function isAtItsSlots(workers: readonly WorkerState[], { id, backlog }: QueueState): boolean {
  const slots = workers
    .filter(({ queueId }) => queueId === id)
    .reduce((sum, { agent }) => sum + (agent?.concurrency.now ?? 0), 0);
  return backlog >= slots && busySlots(workers, id) >= FULL_RATIO * slots;
}

function hasFreeSlots(workers: readonly WorkerState[], queueId: string): boolean {
  return workers.some(
    ({ queueId: id, agent }) => id === queueId && agent !== null && agent.running < agent.concurrency.now,
  );
}

/** The type of a queue that is held up most; null: none is. */
function victimOf(queue: QueueState | undefined, hasFree: boolean, isLate: boolean): Victim | null {
  // Those that a person or a limit holds back wait for that.
  if (queue?.flow !== 'running' || queue.rateLimitedForMs > 0) return null;
  const held = queue.types.flatMap((type) => heldUp(queue, type, hasFree && isLate) ?? []);
  return held.sort((a, b) => b.waitMs - a.waitMs)[0] ?? null;
}

/**
 * Its jobs wait far longer than they did, and for a reason that lies with the others: its runs are slower too, or it has
 * free slots and the loop does not come round to fill them. Own slots full at the usual run time: its own surge.
 */
function heldUp(queue: QueueState, type: JobTypeState, isLoopWhy: boolean): Victim | null {
  const [wait, run] = [nowAndBefore(type.waitTrend), nowAndBefore(type.runTrend)];
  if (!wait || wait.nowMs < Math.max(LEAST_WAIT_MS, TIMES_BEFORE * wait.beforeMs)) return null;
  const isSlower =
    run !== null && run.nowMs >= TIMES_RUN * run.beforeMs && run.nowMs - run.beforeMs >= LEAST_RUN_ADDED_MS;
  if (!isSlower && !isLoopWhy) return null;
  return {
    queue,
    type: type.name,
    waitMs: wait.nowMs,
    usualWaitMs: wait.beforeMs,
    runMs: run?.nowMs ?? null,
    usualRunMs: run?.beforeMs ?? null,
  };
}

/**
 * The last span against the quietest fifth of those before: what it is like when all is well. null where too few spans say
 * what is usual, or where nothing ended lately: an old number is not how it is now.
 */
function nowAndBefore(
  trend: readonly (number | null)[],
): { readonly nowMs: number; readonly beforeMs: number } | null {
  const lately = trend.slice(-LATELY).findLastIndex((median) => median !== null);
  if (lately < 0) return null;
  const at = Math.max(0, trend.length - LATELY) + lately;
  const before = trend
    .slice(0, at)
    .flatMap((median) => median ?? [])
    .sort((a, b) => a - b);
  const [now, quiet] = [trend[at] ?? null, before[Math.floor(before.length / 5)]];
  if (now === null || quiet === undefined || before.length < LEAST_BEFORE) return null;
  return { nowMs: now, beforeMs: quiet };
}
