import type { Plan, PlanChange } from '../model/plan.js';
import type { PlanBasis } from './input-of.js';
import type { Prediction } from './score.js';
import { settingsAfter } from './settings.js';

/** Fewer jobs than this are gone by chance. */
const LEAST_JOBS = 10;
/** Queues are seen once a second, so a shorter time can't be told right or wrong. */
const LEAST_SECONDS = 2;
/** Slots that differ by less are the same: workers refuse, or have an order of their own. */
const SLOTS_RATIO = 0.1;

/**
 * What was forecast, with all settings that it rests on named in its change, so that it can be told later, by another
 * process, whether they stayed. Pure.
 * @returns null: no drain time was forecast that what happens could be held against.
 */
export function predictionOf(
  instance: string,
  basis: PlanBasis,
  change: PlanChange,
  plan: Plan,
  madeAtMs: number,
): Prediction | null {
  const { input, queue } = basis;
  const backlog = input.types.reduce((sum, type) => sum + type.waiting, 0);
  if (plan.drainSeconds === null || plan.drainSeconds < LEAST_SECONDS || backlog < LEAST_JOBS) return null;
  const { slots, globalConcurrency, rateLimit, isPaused } = settingsAfter(input, change);
  const arrivals = input.types.reduce((sum, type) => sum + type.arrivalsPerSecond, 0);
  return {
    madeAtMs,
    instance,
    queue: queue.id,
    change: { ...change, concurrency: slots, globalConcurrency, rateLimit, pauseQueue: isPaused },
    backlog,
    arrivalsPerSecond: change.pauseArrivals ? 0 : arrivals,
    drainSeconds: plan.drainSeconds,
    drainRange: plan.drainRange,
  };
}

/** Does the queue still run with what a prediction rests on? Slots that are only estimated say nothing. Pure. */
export function areSettingsAs(
  { change }: Pick<Prediction, 'change'>,
  { input, workers }: PlanBasis,
): boolean {
  const isEstimate = workers.unattachedSlots > 0 || workers.told === 0;
  const slots = change.concurrency ?? input.slots;
  const limit = change.rateLimit === undefined ? input.rateLimit : change.rateLimit;
  return (
    (isEstimate || Math.abs(slots - input.slots) <= SLOTS_RATIO * Math.max(slots, input.slots)) &&
    (change.globalConcurrency === undefined || change.globalConcurrency === input.globalConcurrency) &&
    limit?.max === input.rateLimit?.max &&
    limit?.durationMs === input.rateLimit?.durationMs &&
    (change.pauseQueue ?? input.isPaused) === input.isPaused
  );
}
