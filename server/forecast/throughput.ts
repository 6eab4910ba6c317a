import type { Bottleneck, PlanInput } from '../model/plan.js';
import {
  isStopped,
  likelyBatchSize,
  loopCeiling,
  rateCeiling,
  redisCeiling,
  type Settings,
  settingsAfter,
  slotCapacity,
  type Unsure,
  usableSlots,
} from './capacity.js';
import { type Mix, mixOf, P10_P90_DEVIATIONS } from './mix.js';

/** What measuring shows of the model at the present settings: factors by which its numbers are off. */
interface Calibration {
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
function modelErrorRatio(mix: Mix): number {
  return Math.hypot(mix.runErrorRatio, MODEL_ERROR_RATIO, RETRY_ERROR_RATIO * (mix.startsPerJob - 1));
}

/**
 * Compares what leaves now with the model's figure for the present settings. It says something of slots only while slots are
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
    startsPerJob *
    ((1 - batchShare) * plainMs + batchShare * ((batch?.runMs ?? 0) + (batch?.flushTimeoutMs ?? 0)))
  );
}

/** With fewer waiting than there are slots, what leaves is what comes. */
function hasBacklog(input: PlanInput, settings: Settings): boolean {
  const waiting = input.types.reduce((sum, type) => sum + type.waiting, 0);
  return waiting > usableSlots(settings);
}

/** Jobs per second that leave while enough of them wait. */
export interface Throughput {
  readonly perSecond: number;
  readonly bottleneck: Bottleneck;
  /** Standard deviation, relative. */
  readonly errorRatio: number;
  /** Within which the size of batches that is not known may put it; null: it is known, or makes no difference. */
  readonly unsure: Unsure | null;
  /** Batches that fill or stand until the flush timeout come in lumps of this many jobs; 1: one by one. */
  readonly lumpJobs: number;
  /** Slots stand still until the flush timeout. */
  readonly isStarved: boolean;
}

/** Batches that fill only just are at the mercy of chance: one slot that another job holds keeps a batch waiting. */
const EDGE_ERROR_RATIO = 0.2;
const EDGE_SIZES = 1.5;
/** Error of a step away from what was measured, for each factor of e: what the jobs call may get slower. */
const STEP_ERROR_RATIO = 0.07;
/** When slots do less than they should for reasons that are not known. */
const DOUBTFUL_ERROR_RATIO = 0.3;
const RATE_ERROR_RATIO = 0.03;
const CEILING_ERROR_RATIO = 0.2;
const MAX_CEILING_ERROR_RATIO = 0.5;
/** Waiting for batches is what limits when slots could do so many times as much without it. */
const STARVED_FACTOR = 1.5;

/** The least of what slots, rate limit, Redis and event loops allow, named after it. */
export function throughputWith(
  input: PlanInput,
  settings: Settings,
  mix: Mix | null,
  calibration: Calibration,
): Throughput {
  const stopped = { errorRatio: 0, unsure: null, lumpJobs: 1, isStarved: false };
  if (isStopped(settings)) return { ...stopped, perSecond: 0, bottleneck: 'paused' };
  if (!mix) return { ...stopped, perSecond: 0, bottleneck: 'arrivals' };
  const slots = slotThroughput(input, settings, mix, calibration);
  const rate = rateCeiling(settings.rateLimit, mix.startsPerJob);
  const others: Ceiling[] = [
    ceilingOf('redis', redisCeiling(input), input),
    ceilingOf('event-loop', loopCeiling(input), input),
  ];
  if (rate !== null) {
    const most = rate * calibration.rateFactor;
    others.push({ bottleneck: 'rate-limit', most, error: RATE_ERROR_RATIO });
  }
  const least = others.reduce((a, b) => (b.most < a.most ? b : a));
  const unsure = slots.unsure && {
    leastPerSecond: Math.min(slots.unsure.leastPerSecond, least.most),
    mostPerSecond: Math.min(slots.unsure.mostPerSecond, least.most),
  };
  if (slots.perSecond <= least.most) return { ...slots, unsure };
  return {
    ...stopped,
    perSecond: least.most,
    bottleneck: least.bottleneck,
    errorRatio: least.error,
    unsure,
    lumpJobs: slots.lumpJobs,
  };
}

interface Ceiling {
  readonly bottleneck: Bottleneck;
  /** Jobs per second. */
  readonly most: number;
  readonly error: number;
}

/** The further a ceiling is from what leaves now, the less is known of it. */
function ceilingOf(bottleneck: Bottleneck, most: number, { measured }: PlanInput): Ceiling {
  const now = measured?.departuresPerSecond ?? 0;
  const distance = now > 0 && most > now ? Math.log(most / now) : 0;
  return {
    bottleneck,
    most,
    error: Math.min(MAX_CEILING_ERROR_RATIO, CEILING_ERROR_RATIO * (1 + distance)),
  };
}

/** What slots can do, as calibrated. */
function slotThroughput(
  input: PlanInput,
  settings: Settings,
  mix: Mix,
  calibration: Calibration,
): Throughput {
  const present = settingsAfter(input, {});
  const after = calibrated(mix, usableSlots(settings), input.processes, calibration);
  const now = calibrated(mix, usableSlots(present), input.processes, calibration);
  const { perSecond } = after;
  const isRaise = perSecond > now.perSecond && calibration.slotErrorRatio !== null;
  const isCapped = usableSlots(settings) < settings.slots;
  const bottleneck = isCapped ? 'global-concurrency' : after.isStarved ? 'batch-wait' : 'workers';
  const isSameWay = after.isFilled === now.isFilled && calibration.slotErrorRatio !== null;
  const known = isSameWay ? (calibration.slotErrorRatio ?? 0) : modelErrorRatio(mix);
  const step = now.perSecond > 0 && perSecond > 0 ? Math.abs(Math.log(perSecond / now.perSecond)) : 0;
  const each = usableSlots(settings) / Math.max(1, input.processes);
  const isAtEdge = after.isFilled && each < EDGE_SIZES * after.lumpJobs && mix.batchShare < 1;
  const errorRatio = Math.hypot(
    known,
    isSameWay ? STEP_ERROR_RATIO * step : 0,
    isAtEdge ? EDGE_ERROR_RATIO : 0,
  );
  const isDoubtful = calibration.isDoubtful && isRaise;
  return {
    perSecond,
    bottleneck,
    errorRatio: isDoubtful ? Math.max(errorRatio, DOUBTFUL_ERROR_RATIO) : errorRatio,
    unsure: after.unsure && {
      leastPerSecond: Math.min(perSecond, after.unsure.leastPerSecond),
      mostPerSecond: Math.max(perSecond, after.unsure.mostPerSecond),
    },
    lumpJobs: after.lumpJobs,
    isStarved: after.isStarved,
  };
}

function calibrated(mix: Mix, slots: number, processes: number, calibration: Calibration) {
  const raw = slotCapacity(mix, slots, processes);
  const steady = raw.steadyPerSecond * calibration.steadyFactor;
  const filled = raw.filledPerSecond * calibration.filledFactor;
  const isFilled = filled > steady;
  const withoutBatches = slotCapacity(withoutWaiting(mix), slots, processes).steadyPerSecond;
  return {
    perSecond: Math.max(steady, filled),
    isFilled,
    isStarved: mix.batch !== null && !isFilled && withoutBatches > STARVED_FACTOR * raw.steadyPerSecond,
    unsure: raw.unsure,
    lumpJobs: !mix.batch ? 1 : isFilled ? likelyBatchSize(mix.batch) : Math.max(1, slots),
  };
}

/** The same mix if no job had to wait for a batch. */
export function withoutWaiting(mix: Mix): Mix {
  if (!mix.batch) return mix;
  const plainMs = mix.plainMs * (1 - mix.batchShare) + mix.batch.runMs * mix.batchShare;
  return { ...mix, plainMs, batch: null, batchShare: 0 };
}
