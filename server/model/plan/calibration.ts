import { rateCeiling } from './ceilings.js';
import { type Mix, P10_P90_DEVIATIONS } from './mix.js';
import type { PlanInput } from './plan-types.js';
import { isStopped, type Settings, settingsAfter, usableSlots } from './settings.js';
import { slotCapacity } from './slot-capacity.js';

/** What measuring tells of the model at the present settings: factors by which its numbers are off. */
export interface Calibration {
  readonly steadyFactor: number;
  readonly filledFactor: number;
  readonly rateFactor: number;
  /** Standard deviation of what was measured, relative to it; null: slots were not what limited. */
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
/** Beyond this the measurement and the model are of different things. */
const MOST_FACTOR = 3;
const LEAST_FACTOR = 0.02;
/** Waiting for connections and stragglers takes some; less than this is something else. */
const DOUBTFUL_FACTOR = 0.6;
/** Windows that begin late cost a rate limit some of what it allows, never more than this. */
const LEAST_RATE_FACTOR = 0.5;

/**
 * Compares what leaves now with the model's figure for the present settings. It tells of slots only while slots are
 * what limits: not of a paused queue, nor of one that keeps up with its arrivals, nor under a rate limit.
 * @param ceiling Jobs per second that Redis and the event loops allow.
 */
export function calibrate(input: PlanInput, mix: Mix | null, isFull: boolean, ceiling: number): Calibration {
  const settings = settingsAfter(input, {});
  const measured = input.measured?.departuresPerSecond ?? 0;
  if (!mix || !input.measured || !(measured > 0) || isFull || isStopped(settings)) return NEUTRAL;
  if (!hasBacklog(input, settings)) return NEUTRAL;
  const { steadyPerSecond, filledPerSecond } = slotCapacity(mix, usableSlots(settings), input.processes);
  const slotsPerSecond = Math.max(steadyPerSecond, filledPerSecond);
  const rate = rateCeiling(settings.rateLimit, mix.startsPerJob);
  if (rate !== null && rate > 0 && rate < Math.min(slotsPerSecond, ceiling)) {
    return { ...NEUTRAL, rateFactor: Math.min(1, Math.max(LEAST_RATE_FACTOR, measured / rate)) };
  }
  if (!(slotsPerSecond > 0) || slotsPerSecond > ceiling) return NEUTRAL;
  const factor = Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, measured / slotsPerSecond));
  const isFilled = filledPerSecond > steadyPerSecond;
  const [low, high] = input.measured.departuresRange;
  return {
    ...NEUTRAL,
    steadyFactor: isFilled ? 1 : factor,
    filledFactor: isFilled ? factor : 1,
    slotErrorRatio: Math.max(0, high - low) / P10_P90_DEVIATIONS / measured,
    isDoubtful: factor < DOUBTFUL_FACTOR,
  };
}

/** With fewer waiting than there are slots, what leaves is what comes. */
function hasBacklog(input: PlanInput, settings: Settings): boolean {
  const waiting = input.types.reduce((sum, type) => sum + type.waiting, 0);
  return waiting > usableSlots(settings);
}
