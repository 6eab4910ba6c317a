import type { PlanInput } from '../model/plan.js';
import type { QueueState } from '../model/snapshot.js';
import type { AbleWorkers } from './able-workers.js';

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
export function measuredFlow(queue: QueueState, workers: AbleWorkers, nowMs: number): PlanInput['measured'] {
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
