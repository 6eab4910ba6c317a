import { startsAtTheWall, startsWhenFilled } from './batch-cycle.js';
import type { Mix } from './mix.js';

/** Clients send in batches of this many at most as they come (Segment 15, PostHog 20, most others up to 100). */
const LIKELY_LARGEST_BATCH = 100;

/** Jobs per second that slots can do, if nothing else limits them. Told apart, as they are known from different things. */
export interface SlotCapacity {
  /** Slots that run, or stand until the wall where a type batches. */
  readonly steadyPerSecond: number;
  /** With batches that fill; 0: none does. */
  readonly filledPerSecond: number;
  /** What would be done if a batch of which the size is not known filled; null: it is known, or too large for sure. */
  readonly hopedPerSecond: number | null;
}

/** Jobs per second of `slots` over `processes` that are shared evenly; slots · 1000 / (attempts · S) where none batches. */
export function slotCapacity(mix: Mix, slots: number, processes: number): SlotCapacity {
  const none = { steadyPerSecond: 0, filledPerSecond: 0, hopedPerSecond: null };
  if (!(slots > 0) || !(processes > 0)) return none;
  const { batch, startsPerJob } = mix;
  if (!batch || !(mix.batchShare > 0)) {
    return { ...none, steadyPerSecond: (slots * 1000) / (mix.plainMs * startsPerJob) };
  }
  const working = Math.min(processes, Math.ceil(slots));
  const process = { ...mix, ...batch, slots: slots / working };
  const jobs = (startsPerSecond: number): number => (startsPerSecond * working) / startsPerJob;
  const steadyPerSecond = jobs(startsAtTheWall(process, batch.size));
  if (batch.size !== null) {
    return {
      steadyPerSecond,
      filledPerSecond: jobs(startsWhenFilled(process, batch.size)),
      hopedPerSecond: null,
    };
  }
  const large = Math.max(LIKELY_LARGEST_BATCH, batch.sizeAtLeast + 1);
  return {
    steadyPerSecond,
    filledPerSecond: jobs(startsWhenFilled(process, large)),
    hopedPerSecond:
      process.slots > batch.sizeAtLeast ? jobs(startsWhenFilled(process, batch.sizeAtLeast + 1)) : null,
  };
}
