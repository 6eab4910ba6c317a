import type { WorkerState } from './worker.js';

/** Busy share that leaves room for variance (algorithms.md c). */
const UTILISATION = 0.8;

interface CapacityInput {
  readonly backlog: number;
  readonly arrivalsPerSecond: number;
  readonly withinSeconds: number;
  /** Workers that would share the work. */
  readonly workers: readonly WorkerState[];
}

type Capacity =
  /** `slots` over all workers; `secondsPerJob`: how long a slot is busy with one job now. */
  | { readonly slots: number; readonly perWorker: number; readonly secondsPerJob: number }
  | { readonly why: string };

/**
 * Slots that drain a backlog within a time: N = (λ + backlog / T) · S / ρ, with S from Little's law as it is now (busy
 * slots / jobs finished a second), which counts failures and retries in. An upper bound where S falls as slots are added
 * (a client that batches); too low where what the jobs call gets slower. Pure.
 */
export function slotsToDrain({
  backlog,
  arrivalsPerSecond,
  withinSeconds,
  workers,
}: CapacityInput): Capacity {
  const agents = workers.flatMap(({ agent }) => agent ?? []);
  if (agents.length === 0) return { why: 'no worker with the agent is there to measure' };
  if (backlog <= 0) return { why: 'nothing waits' };
  const busy = agents.reduce((sum, agent) => sum + mean(agent.runningTrend.slice(-5), agent.running), 0);
  const finished = agents.reduce((sum, agent) => sum + agent.finishedPerSecond, 0);
  const secondsPerJob = finished > 0 && busy > 0 ? busy / finished : usualSeconds(workers);
  if (secondsPerJob === null)
    return { why: 'no job has finished yet, so how long one takes is not known: set a number' };
  const slots = Math.ceil(((arrivalsPerSecond + backlog / withinSeconds) * secondsPerJob) / UTILISATION);
  return { slots, perWorker: Math.max(1, Math.ceil(slots / agents.length)), secondsPerJob };
}

/** Where nothing finishes just now: the median of what workers say is usual, by how often it was seen. */
function usualSeconds(workers: readonly WorkerState[]): number | null {
  const runs = workers.flatMap(({ agent }) => agent?.types.flatMap(({ run }) => run ?? []) ?? []);
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  return count === 0 ? null : runs.reduce((sum, run) => sum + run.p50Ms * run.count, 0) / count / 1000;
}

function mean(values: readonly number[], fallback: number): number {
  return values.length === 0 ? fallback : values.reduce((sum, value) => sum + value, 0) / values.length;
}
