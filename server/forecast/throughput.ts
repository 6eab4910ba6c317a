import type { Bottleneck, PlanInput } from '../model/plan.js';
import { type Calibration, modelErrorRatio } from './calibration.js';
import type { Mix } from './mix.js';
import {
  isStopped,
  loopCeiling,
  rateCeiling,
  redisCeiling,
  type Settings,
  settingsAfter,
  usableSlots,
} from './settings.js';
import { likelyBatchSize, slotCapacity, type Unsure } from './slot-capacity.js';

/** Jobs per second that leave while enough of them wait. */
export interface Throughput {
  readonly perSecond: number;
  readonly bottleneck: Bottleneck;
  /** Standard deviation, relative. */
  readonly errorRatio: number;
  /** Within which the size of batches that is not known may put it; null: it is known, or makes no difference. */
  readonly unsure: Unsure | null;
  /** Batches that fill or stand until the wall come in lumps of this many jobs; 1: one by one. */
  readonly lumpJobs: number;
  /** Slots stand still until the wall. */
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

/** What slots can do, as calibrated; of a raise only as much as the last one brought. */
function slotThroughput(
  input: PlanInput,
  settings: Settings,
  mix: Mix,
  calibration: Calibration,
): Throughput {
  const present = settingsAfter(input, {});
  const after = calibrated(mix, usableSlots(settings), input.processes, calibration);
  const now = calibrated(mix, usableSlots(present), input.processes, calibration);
  const gain = input.marginalGain === null ? 1 : Math.min(1, Math.max(0, input.marginalGain));
  const isRaise = after.perSecond > now.perSecond && calibration.slotErrorRatio !== null;
  const perSecond = isRaise ? now.perSecond + gain * (after.perSecond - now.perSecond) : after.perSecond;
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
  const isDoubtful = calibration.isDoubtful && isRaise && input.marginalGain === null;
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
