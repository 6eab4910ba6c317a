import type { PlanInput } from '../model/plan.js';
import { type Mix, mixOf, P10_P90_DEVIATIONS } from './mix.js';
import { isStopped, rateCeiling, type Settings, settingsAfter, usableSlots } from './settings.js';
import { slotCapacity } from './slot-capacity.js';

/** What measuring tells of the model at the present settings: factors by which its numbers are off. */
export interface Calibration {
  readonly steadyFactor: number;
  readonly filledFactor: number;
  readonly rateFactor: number;
  /** Standard deviation of the calibrated figure, relative to it; null: slots were not what limited. */
  readonly slotErrorRatio: number | null;
  /** Slots do far less than they should, and nothing that is known explains it. */
  readonly isDoubtful: boolean;
}

const NEUTRAL: Calibration = {
  steadyFactor: 1,
  filledFactor: 1,
  rateFactor: 1,
  slotErrorRatio: null,
  isDoubtful: false,
};
/** The model's own error: what a job costs beside its run is not in it. */
const MODEL_ERROR_RATIO = 0.1;
/** Some of those that wait have attempts behind them, how many is not known: of each attempt more than one. */
const RETRY_ERROR_RATIO = 0.2;
/** The model and the measurement can't both be right when they are so many deviations apart. */
const CONTRADICTION_DEVIATIONS = 3;
/** Beyond this the measurement and the model are of different things. */
const MAX_FACTOR = 3;
const LEAST_FACTOR = 0.02;
/** Waiting for connections and stragglers takes some; less than this is something else. */
const DOUBTFUL_FACTOR = 0.6;
/** Windows that begin late cost a rate limit some of what it allows, never more than this. */
const LEAST_RATE_FACTOR = 0.5;

/** Standard deviation of the model's figure for slots, relative to it. */
export function modelErrorRatio(mix: Mix): number {
  return Math.hypot(mix.runErrorRatio, MODEL_ERROR_RATIO, RETRY_ERROR_RATIO * (mix.startsPerJob - 1));
}

/**
 * Compares what leaves now with the model's figure for the present settings. It tells of slots only while slots are
 * what limits: not of a paused queue, nor of one that keeps up with its arrivals, nor under a rate limit.
 * @param old Average job of those that wait; `fresh`: of those that arrive.
 * @param ceiling Jobs per second that Redis and the event loops allow.
 */
export function calibrate(
  input: PlanInput,
  old: Mix | null,
  fresh: Mix | null,
  isFull: boolean,
  ceiling: number,
): Calibration {
  const settings = settingsAfter(input, {});
  const measured = input.measured?.departuresPerSecond ?? 0;
  if (!old || !input.measured || !(measured > 0) || isFull || isStopped(settings)) return NEUTRAL;
  if (!hasBacklog(input, settings)) return NEUTRAL;
  const { steadyPerSecond, filledPerSecond } = slotCapacity(old, usableSlots(settings), input.processes);
  const slotsPerSecond = Math.max(steadyPerSecond, filledPerSecond);
  const rate = rateCeiling(settings.rateLimit, old.startsPerJob);
  if (rate !== null && rate > 0 && rate < Math.min(slotsPerSecond, ceiling)) {
    return { ...NEUTRAL, rateFactor: Math.min(1, Math.max(LEAST_RATE_FACTOR, measured / rate)) };
  }
  if (!(slotsPerSecond > 0) || slotsPerSecond > ceiling) return NEUTRAL;
  const [low, high] = input.measured.departuresRange;
  const spread = Math.max(0, high - low) / P10_P90_DEVIATIONS / measured;
  const first = firstAttemptsPerSecond(input, settings);
  // Those whose turn it is may be at their first attempt or at any: the truth lies between, in the middle for all we know.
  const expected = Math.sqrt(slotsPerSecond * (first > 0 ? first : slotsPerSecond));
  const turnError = Math.hypot(Math.abs(Math.log(expected / slotsPerSecond)), turnErrorRatio(old, fresh));
  const { factor, errorRatio } = weigh(
    Math.min(MAX_FACTOR, Math.max(LEAST_FACTOR, measured / expected)),
    Math.hypot(spread, turnError),
    modelErrorRatio(old),
  );
  const isFilled = filledPerSecond > steadyPerSecond;
  return {
    ...NEUTRAL,
    steadyFactor: isFilled ? 1 : factor,
    filledFactor: isFilled ? factor : 1,
    slotErrorRatio: errorRatio,
    isDoubtful: factor < DOUBTFUL_FACTOR,
  };
}

/**
 * Model and measurement in one: the mean of both, each weighing the inverse of its variance; the measurement alone where
 * they contradict each other, as the model then lacks something.
 */
function weigh(
  measuredFactor: number,
  measuredError: number,
  modelError: number,
): { readonly factor: number; readonly errorRatio: number } {
  const distance = Math.abs(Math.log(measuredFactor));
  const both = Math.hypot(measuredError, modelError);
  if (!(both > 0) || distance > CONTRADICTION_DEVIATIONS * both) {
    return { factor: measuredFactor, errorRatio: measuredError };
  }
  const weight = (modelError / both) ** 2;
  return { factor: measuredFactor ** weight, errorRatio: (measuredError * modelError) / both };
}

/** Jobs that would be done per second if all that start were at their first attempt. */
function firstAttemptsPerSecond({ types, processes }: PlanInput, settings: Settings): number {
  const mix = mixOf(
    types.map((type) => ({ ...type, attempts: 1 })),
    (type) => type.waiting,
  );
  const all = mixOf(types, (type) => type.waiting);
  if (!mix || !all) return 0;
  const { steadyPerSecond, filledPerSecond } = slotCapacity(mix, usableSlots(settings), processes);
  return Math.max(steadyPerSecond, filledPerSecond) * all.doneAtFirstRatio;
}

/** What is measured is done for the jobs whose turn it is, which are like neither those that wait nor those that come. */
function turnErrorRatio(old: Mix, fresh: Mix | null): number {
  return fresh ? Math.abs(Math.log(busyMs(old) / busyMs(fresh))) : 0;
}

function busyMs(mix: Mix): number {
  const { batch, batchShare, plainMs, startsPerJob } = mix;
  return (
    startsPerJob * ((1 - batchShare) * plainMs + batchShare * ((batch?.runMs ?? 0) + (batch?.wallMs ?? 0)))
  );
}

/** With fewer waiting than there are slots, what leaves is what comes. */
function hasBacklog(input: PlanInput, settings: Settings): boolean {
  const waiting = input.types.reduce((sum, type) => sum + type.waiting, 0);
  return waiting > usableSlots(settings);
}
