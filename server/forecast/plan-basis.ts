import { formatCount } from '../model/format.js';
import type { PlanInput } from '../model/plan.js';
import { positive } from '../model/plan.js';
import { workersOf } from '../model/queue-verdict.js';
import type { RateWindow } from '../model/rate-limit.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import type { AgentFacts, WorkerState } from '../model/worker.js';
import { planMemory, type TypeLoads, typeLoads } from './type-loads.js';

/** A worker whose agent reports its slots. */
export type PlannedWorker = WorkerState & { readonly agent: AgentFacts };

/** Who takes the jobs of a queue, as far as it is known. */
export interface AbleWorkers {
  readonly attached: readonly PlannedWorker[];
  /** Workers that have the agent, whether they take jobs or not. */
  readonly withAgent: number;
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
 * @param secondsPerJob Mean run time, for workers whose slots nobody reports; null: not known.
 */
function ableWorkers(snapshot: Snapshot, queue: QueueState, secondsPerJob: number | null): AbleWorkers {
  const workers = workersOf(snapshot, queue.id);
  const withAgent = workers.filter(isAttached);
  const attached = withAgent.filter(
    (worker) => worker.verdict !== 'crashed' && worker.verdict !== 'stuck' && isOpen(worker),
  );
  const listed = workers.length > 0 ? workers.length - withAgent.length : positive(queue.workers);
  const running = withAgent.reduce((sum, { agent }) => sum + positive(agent.running), 0);
  // Little's law: jobs in hand of those without an agent are what is active, or what leaves times how long it takes.
  const busyByFlow =
    withAgent.length === 0 ? Math.ceil(positive(queue.rates?.departuresPerSecond) * (secondsPerJob ?? 0)) : 0;
  const busy = Math.max(0, positive(queue.counts.active) - running, busyByFlow);
  // Where nobody may list clients, jobs that run or leave show that somebody takes them. Of workers that reported
  // themselves the rest of what is active is jobs of the dead.
  const isSeen = listed > 0 || (queue.workers === null && withAgent.length === 0 && busy > 0);
  const unattachedProcesses = isSeen ? Math.max(1, listed) : 0;
  const unattachedSlots = isSeen ? Math.max(unattachedProcesses, busy) : 0;
  const slots =
    attached.reduce((sum, { agent }) => sum + positive(agent.concurrency.now), 0) + unattachedSlots;
  const processes = new Set(attached.map(({ agent }) => agent.agentId)).size + unattachedProcesses;
  const changedAtMs = Math.max(0, ...withAgent.map(changeOf));
  return {
    attached,
    withAgent: withAgent.length,
    changedAtMs,
    unattachedSlots,
    unattachedProcesses,
    slots,
    processes,
  };
}

/** A crash is as late as its last sign of life, a hang as the last job that ended. */
function changeOf({ verdict, firstSeenAtMs, lastSeenAtMs, agent }: PlannedWorker): number {
  if (verdict === 'crashed') return lastSeenAtMs;
  return verdict === 'stuck' ? (agent.lastFinishedAtMs ?? firstSeenAtMs) : firstSeenAtMs;
}

function isAttached(worker: WorkerState): worker is PlannedWorker {
  return worker.agent !== null;
}

function isOpen({ agent, isConnected }: PlannedWorker): boolean {
  const isPaused = agent.paused === 'order' || agent.paused === 'application';
  return isConnected !== false && !agent.isClosing && !isPaused;
}

/** A window that was seen must be this much longer than the limit's own to be another one. */
const LONGER = 1.05;

/**
 * The limit that counts when the queue's global one is `limit`: `max` is the global one where set, else the workers';
 * `duration` is a worker's own where it has one, else the global one (facts.md, rate limit). null: none. Pure.
 */
function effectiveRateLimit(
  limit: RateWindow | null,
  queue: QueueState,
  attached: readonly PlannedWorker[],
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

/** From the mean to the 90th percentile of a normal distribution. */
const TO_P90 = 1.282;
/** What agents say of their last seconds. */
const AGENT_WINDOW_SECONDS = 5;
/** A window cuts a wave of batches anywhere: evenly spread over one wave, its p10 and p90 lie 0.4 of it off the mean. */
const WAVE_RATIO = 0.4;
/** Less is no rate. */
const LEAST_SECONDS = 0.5;
/** One job in thirty years: what is below is left over from a subtraction, and an error by its size would be boundless. */
const LEAST_PER_SECOND = 1e-9;

/**
 * What leaves at the present settings, with how well that is known: a Poisson count over the window, or for batches that
 * end together a wave more or less. Rates that were taken partly under other settings, or while nothing waited, say
 * nothing; then what agents finished in the last seconds counts, where all workers have one. Pure.
 * @returns null: not measured at these settings.
 */
function measuredFlow(queue: QueueState, workers: AbleWorkers, nowMs: number): PlanInput['measured'] {
  const { rates } = queue;
  const windowSeconds = (rates?.windowMs ?? 0) / 1000;
  const waves = queue.types.some(({ batchWait }) => batchWait?.isStarved === true) ? workers.slots : 0;
  if (rates && windowSeconds >= LEAST_SECONDS && isSteadySince(queue, workers, nowMs - rates.windowMs))
    return withRange(rates.departuresPerSecond, windowSeconds, waves);
  const isToldByAll = workers.attached.length > 0 && workers.unattachedProcesses === 0;
  // A wave that comes every ten seconds is not in five of them.
  if (!isToldByAll || waves > 0 || !isSteadySince(queue, workers, nowMs - AGENT_WINDOW_SECONDS * 1000))
    return null;
  const finished = workers.attached.reduce(
    (sum, { agent }) => sum + agent.finishedPerSecond - agent.failedPerSecond,
    0,
  );
  return withRange(finished, AGENT_WINDOW_SECONDS, 0);
}

/** No setting was ordered since, no worker came or fell away, and if jobs wait they did all the time. */
function isSteadySince(
  { overrides, backlogSinceMs, pause }: QueueState,
  { changedAtMs }: AbleWorkers,
  sinceMs: number,
): boolean {
  if (changedAtMs > sinceMs) return false;
  const isBacklogOld = backlogSinceMs === null || backlogSinceMs <= sinceMs;
  return isBacklogOld && (pause?.atMs ?? 0) <= sinceMs && overrides.every(({ atMs }) => atMs <= sinceMs);
}

function withRange(perSecond: number, windowSeconds: number, waveJobs: number): PlanInput['measured'] {
  if (!Number.isFinite(perSecond)) return null;
  const departuresPerSecond = perSecond < LEAST_PER_SECOND ? 0 : perSecond;
  const off =
    waveJobs > 0
      ? (WAVE_RATIO * waveJobs) / windowSeconds
      : TO_P90 * Math.sqrt(departuresPerSecond / windowSeconds);
  return {
    departuresPerSecond,
    departuresRange: [Math.max(0, departuresPerSecond - off), departuresPerSecond + off],
  };
}

/** A queue as a plan sees it, and what of it is not known but taken to be so. */
export interface PlanBasis {
  readonly queue: QueueState;
  readonly workers: AbleWorkers;
  readonly input: PlanInput;
  /** Plain sentences; none where everything is measured. */
  readonly assumed: readonly string[];
}

/** An event loop later than this is busy all the time: more slots in the same process gain nothing. */
const SATURATED_MS = 200;
const SATURATED_RATIO = 0.95;
/** Cores that a process uses at the least when it is its own work that makes it late, as of `host.starved`. */
const OWN_WORK_RATIO = 0.3;
/** Where next to nothing leaves, Little's law says nothing any more. */
const LONGEST_SECONDS = 86_400;
const TREND_SECONDS = 5;

/**
 * What is known of a queue, as the planner takes it. Without the agent slots are those that are seen to be busy, run
 * times those of retained jobs or, by Little's law, what runs over what leaves. Pure; no number in it is NaN.
 * @returns null: there is no such queue.
 */
export function planBasisOf(snapshot: Snapshot, queueId: string): PlanBasis | null {
  const queue = snapshot.queues.find(({ id }) => id === queueId);
  if (!queue) return null;
  const workers = ableWorkers(snapshot, queue, meanRunSeconds(queue));
  const loads = typeLoads(queue, busySeconds(queue, workers));
  const memory = planMemory(snapshot, queue);
  const isPausedBySpillway = queue.flow === 'paused-by-spillway';
  const input: PlanInput = {
    types: loads.types,
    processes: workers.processes,
    slots: workers.slots,
    globalConcurrency: isPausedBySpillway ? (queue.pause?.formerConcurrency ?? null) : queue.concurrency,
    rateLimit: effectiveRateLimit(queue.rateLimit, queue, workers.attached),
    isPaused: queue.flow !== 'running',
    measured: measuredFlow(queue, workers, snapshot.atMs),
    memory,
    redisCpuRatio: Math.min(1, Math.max(0, ...snapshot.nodes.map(({ cpuRatio }) => positive(cpuRatio)))),
    loopUtilisation: loopsOf(workers),
  };
  return { queue, workers, input, assumed: assumptions(snapshot, input, workers, loads) };
}

function assumptions(
  snapshot: Snapshot,
  input: PlanInput,
  { attached, unattachedSlots }: AbleWorkers,
  { types, knownRatio }: TypeLoads,
): readonly string[] {
  const said: string[] = [];
  if (unattachedSlots > 0) {
    const who = attached.length === 0 ? 'No worker has the agent' : 'Some workers have no agent';
    const slots = unattachedSlots === 1 ? '1 slot is' : `${formatCount(unattachedSlots)} slots are`;
    said.push(`${who}: ${slots} assumed for ${attached.length === 0 ? 'them' : 'those'}, by what runs.`);
  }
  if (types.length > 0 && knownRatio < 0.5)
    said.push('Run times are not known yet: a second is assumed, give or take a factor of ten.');
  if (types.length > 0 && input.slots > 0 && input.measured === null)
    said.push('What leaves at the present settings is not measured yet.');
  if (types.some(({ batch }) => batch !== null && batch.batchSize === null))
    said.push('How many requests a batch holds was not seen yet.');
  if (snapshot.nodes.length > 1) said.push('Memory of a cluster is not forecast.');
  else if (input.memory && types.length > 0 && types.every(({ bytesPerJob }) => bytesPerJob === 0))
    said.push('Sizes of jobs are not sampled yet: memory is taken to stay.');
  return said;
}

/** By the runs that were seen, weighed by how many; null: none was. */
function meanRunSeconds({ types }: QueueState): number | null {
  const runs = types
    .flatMap(({ run }) => run ?? [])
    .filter(({ meanMs, count }) => positive(meanMs * count) > 0);
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  return count > 0 ? runs.reduce((sum, run) => sum + run.meanMs * run.count, 0) / count / 1000 : null;
}

/** Little's law, for types of which no run was seen: busy slots over what leaves; null: nothing does. */
function busySeconds(queue: QueueState, workers: AbleWorkers): number | null {
  const mean = meanRunSeconds(queue);
  if (mean !== null) return mean;
  const byAgents = finishedSeconds(workers);
  if (byAgents !== null) return byAgents;
  const leaving = positive(queue.rates?.departuresPerSecond);
  const busy = Math.min(positive(queue.counts.active), workers.slots || positive(queue.counts.active));
  return leaving > 0 && busy > 0 ? Math.min(LONGEST_SECONDS, busy / leaving) : null;
}

/** The same, by what agents say of their last seconds: running jobs over jobs that end. */
function finishedSeconds({ attached }: AbleWorkers): number | null {
  const finished = attached.reduce((sum, { agent }) => sum + positive(agent.finishedPerSecond), 0);
  // Over the same seconds as what has finished, else a start would look like slow jobs.
  const running = attached.reduce((sum, { agent }) => {
    const trend = agent.runningTrend.slice(-TREND_SECONDS);
    return (
      sum +
      (trend.length === 0 ? positive(agent.running) : trend.reduce((all, one) => all + one, 0) / trend.length)
    );
  }, 0);
  return finished > 0 && running > 0 ? Math.min(LONGEST_SECONDS, running / finished) : null;
}

/**
 * Agents report how late event loops are, not how busy: late ones are busy, of others nothing is known. One that is late
 * while its process uses little CPU waits for its host to have some: that says nothing of what more slots would do.
 */
function loopsOf({ attached }: AbleWorkers): number | null {
  const late = attached.filter(({ agent }) => isSaturated(agent));
  return attached.length > 0 && late.length * 2 > attached.length ? SATURATED_RATIO : null;
}

/** Is an event loop late by its own work, so that more slots in its process gain nothing? */
export function isSaturated({ loopDelayP99Ms, delay }: AgentFacts): boolean {
  return loopDelayP99Ms > SATURATED_MS && (delay === null || delay.cpuRatio >= OWN_WORK_RATIO);
}
