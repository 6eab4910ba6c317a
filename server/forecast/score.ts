import type { Plan, PlanChange } from '../model/plan.js';
import { median } from '../model/theil-sen.js';
import { settingsAfter } from './capacity.js';
import type { PlanBasis } from './plan-basis.js';

/** What was forecast, as it is kept to be held against what happens. */
export interface Prediction {
  readonly madeAtMs: number;
  readonly instance: string;
  /** Queue id. */
  readonly queue: string;
  readonly change: PlanChange;
  /** Jobs that waited. */
  readonly backlog: number;
  /** Arrivals that it counted on. */
  readonly arrivalsPerSecond: number;
  /** null: never. */
  readonly drainSeconds: number | null;
  readonly drainRange: readonly [number | null, number | null];
}

/** The queue as it is seen later. */
export interface Seen {
  readonly atMs: number;
  readonly backlog: number;
  /** Mean since the prediction was made. */
  readonly arrivalsPerSecond: number;
  /** Settings are others than those that the prediction was made for. */
  readonly areSettingsChanged: boolean;
  /** Since it was looked at before; null: not since the console started. */
  readonly unseenSeconds: number | null;
}

/** `not-watched`: it drained while the console did not look, so when is not known. */
export type VoidReason = 'settings-changed' | 'arrivals-changed' | 'not-watched';

export type ForecastVerdict =
  | { readonly status: 'open' }
  /** It says nothing of the model, as what it rested on did not stay. */
  | { readonly status: 'void'; readonly reason: VoidReason }
  | {
      readonly status: 'settled';
      /** Until it was drained; null: it was not, in the time in which it should have been or, if forecast, never. */
      readonly actualSeconds: number | null;
      /** |forecast − actual| / actual; where it has not drained, by the time that has passed. */
      readonly errorRatio: number;
      readonly isInsideRange: boolean;
    };

/** How good predictions have been. */
export interface Score {
  readonly count: number;
  /** null: none is settled. */
  readonly medianErrorRatio: number | null;
  readonly insideRangeRatio: number | null;
}

/** So little left of a backlog is none: in a queue in use there is always a job or two. */
const DRAINED_RATIO = 0.01;
const DRAINED_JOBS = 2;
/** Arrivals that differ by more are not those that were counted on. */
const ARRIVALS_RATIO = 0.5;
/** But only where the difference matters: this share of the rate at which the backlog was to shrink. */
const ARRIVALS_MATTER_RATIO = 0.05;
/** Not drained after so many times the forecast time, or the end of its range, it is settled as wrong. */
const OVERDUE = 3;
/** "Never" is believed after this long. */
const NEVER_SECONDS = 3600;
/** Times are seen a second apart. */
const LEAST_SECONDS = 1;

/** Looked at less often than this, it is not known when it drained. */
const MAX_UNSEEN_SECONDS = 3;
const MAX_UNSEEN_RATIO = 0.05;

/** Holds a prediction against what is seen. Pure. */
export function judgePrediction(prediction: Prediction, seen: Seen): ForecastVerdict {
  if (seen.areSettingsChanged) return { status: 'void', reason: 'settings-changed' };
  const passedSeconds = Math.max(0, (seen.atMs - prediction.madeAtMs) / 1000);
  if (haveArrivalsChanged(prediction, seen, passedSeconds))
    return { status: 'void', reason: 'arrivals-changed' };
  const isDrained = seen.backlog <= Math.max(DRAINED_JOBS, prediction.backlog * DRAINED_RATIO);
  if (!isDrained) return notDrained(prediction, passedSeconds);
  const mostUnseen = Math.max(MAX_UNSEEN_SECONDS, MAX_UNSEEN_RATIO * passedSeconds);
  if (seen.unseenSeconds === null || seen.unseenSeconds > mostUnseen)
    return { status: 'void', reason: 'not-watched' };
  return drained(prediction, passedSeconds);
}

function drained(prediction: Prediction, actualSeconds: number): ForecastVerdict {
  const { drainSeconds, drainRange } = prediction;
  const [low, high] = drainRange;
  return {
    status: 'settled',
    actualSeconds,
    errorRatio:
      drainSeconds === null
        ? 1
        : Math.abs(drainSeconds - actualSeconds) / Math.max(LEAST_SECONDS, actualSeconds),
    // A second of slack at either end, as that is how often it is looked at.
    isInsideRange:
      low !== null &&
      actualSeconds >= low - LEAST_SECONDS &&
      (high === null || actualSeconds <= high + LEAST_SECONDS),
  };
}

function notDrained({ drainSeconds, drainRange }: Prediction, passedSeconds: number): ForecastVerdict {
  const [, high] = drainRange;
  if (drainSeconds === null) {
    if (passedSeconds < NEVER_SECONDS) return { status: 'open' };
    return { status: 'settled', actualSeconds: null, errorRatio: 0, isInsideRange: high === null };
  }
  const dueSeconds = OVERDUE * Math.max(LEAST_SECONDS, drainSeconds, high ?? 0);
  if (passedSeconds <= Math.max(dueSeconds, 10 * LEAST_SECONDS)) return { status: 'open' };
  return {
    status: 'settled',
    actualSeconds: null,
    errorRatio: (passedSeconds - drainSeconds) / passedSeconds,
    isInsideRange: high === null,
  };
}

function haveArrivalsChanged(
  prediction: Prediction,
  { arrivalsPerSecond }: Seen,
  passedSeconds: number,
): boolean {
  const expected = prediction.arrivalsPerSecond;
  const difference = Math.abs(arrivalsPerSecond - expected);
  const { drainSeconds, backlog } = prediction;
  const netPerSecond = drainSeconds !== null && drainSeconds > 0 ? backlog / drainSeconds : 0;
  // Chance moves a short count by its square root; three of those are no chance.
  const byChance =
    passedSeconds > 0 ? 3 * Math.sqrt(Math.max(expected, 1 / passedSeconds) / passedSeconds) : 0;
  return (
    difference > ARRIVALS_RATIO * expected &&
    difference > ARRIVALS_MATTER_RATIO * netPerSecond &&
    difference > byChance
  );
}

/** Score of settled predictions; open and void ones are not counted. Pure. */
export function scoreOf(
  settled: readonly { readonly errorRatio: number; readonly isInsideRange: boolean }[],
): Score {
  if (settled.length === 0) return { count: 0, medianErrorRatio: null, insideRangeRatio: null };
  return {
    count: settled.length,
    medianErrorRatio: median(settled.map(({ errorRatio }) => errorRatio)),
    insideRangeRatio: settled.filter(({ isInsideRange }) => isInsideRange).length / settled.length,
  };
}

/** Fewer jobs than this are gone by chance. */
const LEAST_JOBS = 10;
/** Queues are seen once a second, so of a shorter time nobody can say whether it was right. */
const LEAST_DRAIN_SECONDS = 2;
/** Slots that differ by less are the same: workers refuse, or have an override of their own. */
const SLOTS_RATIO = 0.1;

/**
 * What was forecast, with all settings that it rests on named in its change, so that another process can see later
 * whether they stayed. Pure.
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
  if (plan.drainSeconds === null || plan.drainSeconds < LEAST_DRAIN_SECONDS || backlog < LEAST_JOBS)
    return null;
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
  const isEstimate = workers.unattachedSlots > 0 || workers.withAgent === 0;
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
