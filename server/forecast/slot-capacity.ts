import { startsAtTheWall, startsWhenFilled } from './batch-cycle.js';
import type { Mix, MixBatch } from './mix.js';

/** Batches as clients come with (Segment 15, PostHog 20; others are set by hand). */
const COMMON_BATCHES = [10, 15, 20, 25, 50, 100];

/** Jobs per second that slots can do, if nothing else limits them. Told apart, as they are known from different things. */
export interface SlotCapacity {
  /** Slots that run, or stand until the wall where a type batches. */
  readonly steadyPerSecond: number;
  /** With batches that fill, of the likely size where it is not known; 0: none does. */
  readonly filledPerSecond: number;
  /** What is done with batches of the largest and of the smallest size that may be; null: the size is known. */
  readonly unsure: Unsure | null;
}

export interface Unsure {
  readonly leastPerSecond: number;
  readonly mostPerSecond: number;
}

/** Jobs per second of `slots` over `processes` that are shared evenly; slots · 1000 / (attempts · S) where none batches. */
export function slotCapacity(mix: Mix, slots: number, processes: number): SlotCapacity {
  const none = { steadyPerSecond: 0, filledPerSecond: 0, unsure: null };
  if (!(slots > 0) || !(processes > 0)) return none;
  const { batch, startsPerJob } = mix;
  if (!batch || !(mix.batchShare > 0)) {
    return { ...none, steadyPerSecond: (slots * 1000) / (mix.plainMs * startsPerJob) };
  }
  const working = Math.min(processes, Math.ceil(slots));
  const process = { ...mix, ...batch, slots: slots / working };
  const jobs = (startsPerSecond: number): number => (startsPerSecond * working) / startsPerJob;
  const steadyPerSecond = jobs(startsAtTheWall(process, batch.size));
  const filledWith = (size: number): number => jobs(startsWhenFilled(process, size));
  const filledPerSecond = filledWith(likelyBatchSize(batch));
  if (batch.size !== null) return { steadyPerSecond, filledPerSecond, unsure: null };
  const mostPerSecond = Math.max(filledPerSecond, filledWith(batch.sizeAtLeast));
  return {
    steadyPerSecond,
    filledPerSecond,
    unsure: mostPerSecond > steadyPerSecond ? { leastPerSecond: steadyPerSecond, mostPerSecond } : null,
  };
}

/** The size where it is known, else the middle one of the common sizes that it may be. */
export function likelyBatchSize({ size, sizeAtLeast }: MixBatch): number {
  if (size !== null) return size;
  const common = COMMON_BATCHES.filter((one) => one >= sizeAtLeast);
  return common[Math.floor((common.length - 1) / 2)] ?? sizeAtLeast;
}
