import { workersOf } from '../model/queue-verdict.js';
import type { RateWindow } from '../model/rate-limit.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import type { AgentFacts, WorkerState } from '../model/worker.js';

/** A worker whose agent tells its slots. */
export type AttachedWorker = WorkerState & { readonly agent: AgentFacts };

/** Who takes the jobs of a queue, as far as it can be told. */
export interface AbleWorkers {
  readonly attached: readonly AttachedWorker[];
  /** Workers that have the agent, whether they take jobs or not. */
  readonly told: number;
  /** Slots of workers that have no agent, by estimate; 0 where there are none. */
  readonly unattachedSlots: number;
  readonly unattachedProcesses: number;
  /** When the last of them came, or one that was among them fell away; 0: long ago. */
  readonly changedAtMs: number;
  /** Slots of all together; 0: nobody takes jobs. */
  readonly slots: number;
  readonly processes: number;
}

/**
 * Workers that take jobs now or would once the queue runs: not those that crashed, hang, are paused or closing. One that
 * backed off because Redis is full counts, as it comes back with room. Pure.
 * @param secondsPerJob Mean run time, for workers whose slots nobody tells; null: not known.
 */
export function ableWorkers(
  snapshot: Snapshot,
  queue: QueueState,
  secondsPerJob: number | null,
): AbleWorkers {
  const workers = workersOf(snapshot, queue.id);
  const told = workers.filter(isAttached);
  const attached = told.filter(
    (worker) => worker.verdict !== 'crashed' && worker.verdict !== 'stuck' && isOpen(worker),
  );
  const listed = workers.length > 0 ? workers.length - told.length : known(queue.workers);
  const running = told.reduce((sum, { agent }) => sum + known(agent.running), 0);
  // Little's law: jobs in hand of those that tell nothing are what is active, or what leaves times how long it takes.
  const busyByFlow =
    told.length === 0 ? Math.ceil(known(queue.rates?.departuresPerSecond) * (secondsPerJob ?? 0)) : 0;
  const busy = Math.max(0, known(queue.counts.active) - running, busyByFlow);
  // Where nobody may list clients, jobs that run or leave show that somebody takes them. Of workers that told of
  // themselves the rest of what is active is jobs of the dead.
  const isSeen = listed > 0 || (queue.workers === null && told.length === 0 && busy > 0);
  const unattachedProcesses = isSeen ? Math.max(1, listed) : 0;
  const unattachedSlots = isSeen ? Math.max(unattachedProcesses, busy) : 0;
  const slots = attached.reduce((sum, { agent }) => sum + known(agent.concurrency.now), 0) + unattachedSlots;
  const processes = new Set(attached.map(({ agent }) => agent.agentId)).size + unattachedProcesses;
  const changedAtMs = Math.max(0, ...told.map(changeOf));
  return { attached, told: told.length, changedAtMs, unattachedSlots, unattachedProcesses, slots, processes };
}

/** A crash is as late as its last sign of life, a hang as the last job that ended. */
function changeOf({ verdict, firstSeenAtMs, lastSeenAtMs, agent }: AttachedWorker): number {
  if (verdict === 'crashed') return lastSeenAtMs;
  return verdict === 'stuck' ? (agent.lastFinishedAtMs ?? firstSeenAtMs) : firstSeenAtMs;
}

function isAttached(worker: WorkerState): worker is AttachedWorker {
  return worker.agent !== null;
}

function isOpen({ agent, isConnected }: AttachedWorker): boolean {
  const isPaused = agent.paused === 'order' || agent.paused === 'application';
  return isConnected !== false && !agent.isClosing && !isPaused;
}

function known(value: number | null | undefined): number {
  return value != null && Number.isFinite(value) && value > 0 ? value : 0;
}

/** A window that was seen must be this much longer than the limit's own to be another one. */
const LONGER = 1.05;

/**
 * The limit that counts when the queue's global one is `limit`: `max` is the global one where set, else the workers';
 * `duration` is a worker's own where it has one, else the global one (facts.md, rate limit). null: none. Pure.
 */
export function effectiveRateLimit(
  limit: RateWindow | null,
  queue: QueueState,
  attached: readonly AttachedWorker[],
): RateWindow | null {
  const own = attached.flatMap(({ agent }) => agent.limiter.now ?? []).filter(isSane);
  const [first] = own;
  const max = limit ? limit.max : first?.max;
  if (max === undefined || !Number.isFinite(max)) return null;
  const durationMs = first?.durationMs ?? seenWindowMs(limit, queue) ?? limit?.durationMs;
  if (durationMs === undefined || !(durationMs > 0)) return null;
  // A max of 0 is no stop: one job passes each window.
  return { max: Math.max(1, max), durationMs };
}

/** The limit that would count once the queue's global one is `limit`; null: none. Pure. */
export function rateLimitAfter(
  limit: RateWindow | null,
  { queue, workers }: { readonly queue: QueueState; readonly workers: AbleWorkers },
): RateWindow | null {
  return effectiveRateLimit(limit, queue, workers.attached);
}

/** Without agents a worker's window shows in how long the limiter holds. */
function seenWindowMs(limit: RateWindow | null, queue: QueueState): number | null {
  const present = queue.rateLimit;
  if (!limit || !present) return null;
  return queue.observedLimiterMs > present.durationMs * LONGER ? queue.observedLimiterMs : null;
}

function isSane({ max, durationMs }: RateWindow): boolean {
  return max > 0 && durationMs > 0;
}
