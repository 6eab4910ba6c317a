import type { Thresholds } from './finding.js';
import { formatBytes, rowSeconds } from './format.js';
import type { QueueState, QueueVerdict, RedisNode, Snapshot } from './snapshot.js';
import type { WorkerState, WorkerVerdict } from './worker.js';

const NONE: readonly WorkerState[] = [];

const sorted = new WeakMap<readonly WorkerState[], ReadonlyMap<string, readonly WorkerState[]>>();

/** The workers of one queue. Asked for each of a thousand queues in one tick: sorted once a Snapshot. */
export function workersOf({ workers }: Pick<Snapshot, 'workers'>, queueId: string): readonly WorkerState[] {
  let byQueue = sorted.get(workers);
  if (!byQueue) {
    const groups = new Map<string, WorkerState[]>();
    for (const worker of workers) {
      const group = groups.get(worker.queueId);
      if (group) group.push(worker);
      else groups.set(worker.queueId, [worker]);
    }
    byQueue = groups;
    sorted.set(workers, byQueue);
  }
  return byQueue.get(queueId) ?? NONE;
}

/** Jobs that run may take long, so slots that are busy get this many times the grace period before a queue counts as stuck. */
const BUSY_TIMES = 3;
const BUSY_MIN_SECONDS = 60;
/** What a deploy or a burst left behind is worked off first. */
const LEAST_GROWING_SECONDS = 12;
/** A measured rate this close to the limit is held by it. */
const AT_LIMIT_RATIO = 0.9;
/** From here on most runs fail: jobs that leave this way are not done. */
const MOSTLY_FAILING_RATIO = 0.5;

/**
 * One verdict a queue, as a ladder of rules: a cause stands above its symptoms, so each queue has one finding about its
 * flow and not four. Pure. The watcher asks it once a tick and keeps what came of it, held against noise
 * (hold-verdict.ts), as `QueueState.verdict`: everybody else reads that.
 */
export function queueVerdict(
  queue: QueueState,
  snapshot: Snapshot,
  nowMs: number,
  thresholds: Thresholds,
): QueueVerdict {
  // 1. Stopped on purpose: whatever else is seen follows from it.
  if (queue.flow !== 'running') return queue.flow;
  // 2. Nothing waits: nothing can be wrong with the flow.
  //    Jobs may come and go between two looks: then the rate shows them, though no look has met one.
  if (queue.backlog <= 0 && queue.counts.active === 0 && !hasDepartures(queue)) return 'idle';
  if (queue.backlog <= 0) return withoutTrouble(queue);
  // 3. Somebody is there, and all who are are paused: it says so, whatever CLIENT LIST shows of their connections.
  const connected = connectedWorkers(queue, snapshot);
  if (connected.length > 0 && connected.every(isPaused)) return 'workers-paused';
  //    Nobody is there. Above memory: room alone does not help a queue without workers.
  if (queue.workers === 0 && connected.length === 0 && hasWaited(queue, nowMs, thresholds.stuckSeconds))
    return 'no-workers';
  const isMotionless = isWithoutDeparture(queue, nowMs, thresholds.stuckSeconds);
  // 4. A full Redis stops idle workers whatever cap or limit there is; above those, because loosening them would hurt now.
  if (isMotionless && isFull(snapshot)) return 'blocked-by-memory';
  // 5. Every allowed slot is in use. Above the rate limit: more starts per second do not help while no slot is free.
  if (isCapped(queue, thresholds)) return 'capped';
  // 6. Above stuck: a queue that is let through once an hour stands still most of the time, and rightly so.
  if (isRateLimited(queue, thresholds)) return 'rate-limited';
  // 7. None of the known causes, and nothing moves.
  if (isMotionless && isBeyondGrace(queue, nowMs, thresholds)) return 'stuck';
  // 8. It moves, and its workers say that they do what they can. Above growing: it says why.
  if (queue.backlog >= thresholds.backlogMinJobs && isOverloaded(queue, snapshot)) return 'overloaded';
  // 9. It moves, but not fast enough. Last: every rule above makes a queue grow as well.
  //    While workers are away for a moment, as in a deploy, rule 3 is to come.
  const isGrowing = queue.rates?.isGrowing === true && queue.backlog >= thresholds.backlogMinJobs;
  if (isGrowing && queue.workers !== 0 && hasWaited(queue, nowMs, LEAST_GROWING_SECONDS)) return 'growing';
  return withoutTrouble(queue);
}

/** Nothing holds the queue up that is known by now. It only flows where jobs are seen to leave, done, by workers that are there. */
function withoutTrouble(queue: QueueState): QueueVerdict {
  if (isMostlyFailing(queue)) return 'failing';
  if (queue.backlog > 0 && queue.workers === 0) return 'waiting';
  if (hasDepartures(queue)) return 'flowing';
  return queue.counts.active > 0 ? 'running' : 'waiting';
}

/** A type of it fails more than before, and that is most of what ends in the queue. */
function isMostlyFailing({ types }: QueueState): boolean {
  if (!types.some(({ failing }) => failing !== null)) return false;
  const [failed, completed] = [sumOf(types, 'failedPerSecond'), sumOf(types, 'completedPerSecond')];
  return failed > 0 && failed >= (failed + completed) * MOSTLY_FAILING_RATIO;
}

function sumOf(types: QueueState['types'], rate: 'failedPerSecond' | 'completedPerSecond'): number {
  return types.reduce((sum, type) => sum + (type[rate] ?? 0), 0);
}

/** Most of the workers that can tell have all slots busy and finish, and the queue does not get shorter in time. */
function isOverloaded(queue: QueueState, snapshot: Snapshot): boolean {
  const saying = workersOf(snapshot, queue.id).filter(
    ({ agent, verdict }) => agent !== null && verdict !== 'crashed' && verdict !== 'paused',
  );
  const overloaded = saying.filter(({ verdict }) => verdict === 'overloaded').length;
  return overloaded > 0 && overloaded * 2 >= saying.length;
}

/** Verdicts under which a queue that does not get shorter is no trouble by now. */
const WITHOUT_TROUBLE: ReadonlySet<QueueVerdict> = new Set(['idle', 'flowing', 'running', 'waiting']);

/**
 * Seconds until a queue is empty as it may be said: Infinity ("never") only where its verdict is a trouble too, else such
 * rates are noise, or too young. null: nothing to drain, or not known.
 */
export function drainSecondsOf({ drainSeconds, verdict }: QueueState): number | null {
  return drainSeconds === Number.POSITIVE_INFINITY && WITHOUT_TROUBLE.has(verdict) ? null : drainSeconds;
}

/** Workers of a queue that are there, by CLIENT LIST or by what their agents say: not those that are gone or closing. */
export function connectedWorkers(queue: QueueState, snapshot: Snapshot): readonly WorkerState[] {
  return workersOf(snapshot, queue.id).filter(
    ({ verdict, isConnected, agent }) =>
      verdict !== 'crashed' && isConnected !== false && agent?.isClosing !== true,
  );
}

/**
 * Jobs that run, and how many may at once by what all workers of the queue say.
 * @returns all: null where the agent is not in every worker that is there, so that nobody knows.
 */
export function slotsOf(
  queue: QueueState,
  snapshot: Snapshot,
): { readonly busy: number; readonly all: number | null } {
  const connected = connectedWorkers(queue, snapshot);
  const agents = connected.flatMap(({ agent }) => agent ?? []);
  const isWhole = agents.length === connected.length && agents.length >= (queue.workers ?? 0);
  const all = agents.reduce((sum, { concurrency }) => sum + concurrency.now, 0);
  const busy = queue.counts.active;
  return { busy, all: isWhole && (agents.length > 0 || queue.workers === 0) ? all : null };
}

const TROUBLED: ReadonlySet<WorkerVerdict> = new Set(['crashed', 'stuck', 'silent', 'blocked']);

/** Workers of a queue of which the agent tells that they are in trouble, of all that are known; known: null, nobody can count them. */
export function troubledWorkers(
  queue: QueueState,
  snapshot: Snapshot,
): { readonly troubled: number; readonly known: number | null } {
  const judged = workersOf(snapshot, queue.id).filter(({ agent }) => agent !== null);
  const troubled = judged.filter(({ verdict }) => TROUBLED.has(verdict)).length;
  const known = Math.max(judged.length, queue.workers ?? 0);
  return { troubled, known: queue.workers === null && known === 0 ? null : known };
}

function isPaused({ agent, verdict }: WorkerState): boolean {
  const isOnPurpose = agent?.paused === 'order' || agent?.paused === 'application';
  return isOnPurpose && (verdict === 'paused' || verdict === 'draining');
}

/** Is any node over its limit? In a Cluster it is not known here which node holds a queue, so any counts. */
export function isFull(snapshot: Snapshot): boolean {
  return snapshot.nodes.some((node) => node.isFull);
}

/** The node that is nearest to its limit: it speaks for a Cluster. */
export function fullestNode(snapshot: Snapshot): RedisNode | null {
  return snapshot.nodes.reduce<RedisNode | null>(
    (worst, node) => (worst === null || (node.usedRatio ?? 0) > (worst.usedRatio ?? 0) ? node : worst),
    null,
  );
}

/** What the fullest node holds against its limit now, and once `addedBytes` more are in it; null: it has no limit. */
export interface MemoryAfter {
  readonly usedBytes: number;
  readonly afterBytes: number;
  readonly limitBytes: number;
}

export function memoryAfter(snapshot: Snapshot, addedBytes: number): MemoryAfter | null {
  const node = fullestNode(snapshot);
  if (!node?.limit) return null;
  const usedBytes = node.countedBytes;
  return { usedBytes, afterBytes: usedBytes + addedBytes, limitBytes: node.limit.bytes };
}

/** "23 MB → about 64 MB of 64 MB" */
export function memoryAfterInWords({ usedBytes, afterBytes, limitBytes }: MemoryAfter): string {
  return `${formatBytes(usedBytes)} → about ${formatBytes(afterBytes)} of ${formatBytes(limitBytes)}`;
}

/** Why it is too much; null: it fits. */
export function tooMuchInWords({ afterBytes, limitBytes }: MemoryAfter): string | null {
  return afterBytes <= limitBytes
    ? null
    : `Not all fits: Redis would hold about ${formatBytes(afterBytes)} of ${formatBytes(limitBytes)}. Make room first, or bring back fewer.`;
}

/** Seconds since a job last left, as far as the console has watched. */
export function secondsWithoutDeparture(queue: QueueState, nowMs: number): number {
  return Math.max(0, nowMs - Math.max(queue.lastDepartureAtMs ?? 0, queue.firstSeenAtMs)) / 1000;
}

/** Age of the oldest waiting job in seconds; null where it isn't known. */
export function oldestWaitingSeconds(queue: QueueState, nowMs: number): number | null {
  return queue.oldestWaitingAtMs === null ? null : Math.max(0, nowMs - queue.oldestWaitingAtMs) / 1000;
}

/** Age of the oldest waiting job as of the Snapshot, rounded: one number for cards, rows and pages. null: not known. */
export function waitedSeconds(queue: QueueState, { atMs }: Pick<Snapshot, 'atMs'>): number | null {
  const seconds = oldestWaitingSeconds(queue, atMs);
  return seconds === null ? null : rowSeconds(seconds);
}

function hasDepartures(queue: QueueState): boolean {
  return (queue.rates?.departuresPerSecond ?? 0) > 0;
}

function hasWaited(queue: QueueState, nowMs: number, seconds: number): boolean {
  // The age of the oldest is read a little later than that jobs wait: a deploy would look like an hour without workers.
  // And a job that came back to the queue keeps the time at which it was added, but has not waited since then: where the
  // console has seen the queue without backlog, none has waited longer than the backlog is there.
  const seenMs = queue.backlogSinceMs ?? queue.firstSeenAtMs;
  const isSeenEmpty = seenMs > queue.firstSeenAtMs;
  const sinceMs = isSeenEmpty
    ? Math.max(queue.oldestWaitingAtMs ?? 0, seenMs)
    : (queue.oldestWaitingAtMs ?? seenMs);
  return nowMs - sinceMs >= seconds * 1000;
}

/**
 * Jobs wait, and none has left for `seconds`. The oldest must have waited that long too, or a job that has just come to
 * an idle queue would look stuck; and the last reads must all have seen a backlog, or one delayed job falling due would.
 */
function isWithoutDeparture(queue: QueueState, nowMs: number, seconds: number): boolean {
  if (secondsWithoutDeparture(queue, nowMs) < seconds || !hasWaited(queue, nowMs, seconds)) return false;
  return queue.depthTrend.length < 3 || queue.depthTrend.slice(-3).every((depth) => depth > 0);
}

function isBeyondGrace(queue: QueueState, nowMs: number, thresholds: Thresholds): boolean {
  if (queue.counts.active === 0) return true;
  const graceSeconds = Math.max(BUSY_MIN_SECONDS, BUSY_TIMES * thresholds.stuckSeconds);
  return secondsWithoutDeparture(queue, nowMs) >= graceSeconds;
}

/** Enough waits, or ever more does: a full set of slots with three jobs behind it is a queue at work. */
function isPressed(queue: QueueState, thresholds: Thresholds): boolean {
  return queue.backlog >= thresholds.backlogMinJobs || queue.rates?.isGrowing === true;
}

function isCapped(queue: QueueState, thresholds: Thresholds): boolean {
  if (queue.concurrency === null) return false;
  if (queue.concurrency <= 0) return true;
  return queue.counts.active >= queue.concurrency && isPressed(queue, thresholds);
}

function isRateLimited(queue: QueueState, thresholds: Thresholds): boolean {
  if (!isPressed(queue, thresholds)) return false;
  if (queue.rateLimitedForMs > 0) return true;
  const allowed = allowedPerSecond(queue);
  const leaving = queue.rates?.departuresPerSecond ?? 0;
  return allowed !== null && allowed > 0 && leaving >= allowed * AT_LIMIT_RATIO;
}

/**
 * Jobs per second that the global rate limit lets start; null without one. A worker's own duration wins over the
 * global one (measured with BullMQ 6.7), so a longer window seen in Redis is the one that counts.
 */
export function allowedPerSecond(queue: QueueState): number | null {
  if (queue.rateLimit === null) return null;
  const windowMs = Math.max(queue.rateLimit.durationMs, queue.observedLimiterMs);
  return windowMs > 0 ? (queue.rateLimit.max * 1000) / windowMs : null;
}
