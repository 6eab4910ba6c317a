import type { QueueState } from '../model/snapshot.js';

/** Counts that differ by more than so many deviations differ by more than chance. */
const DEVIATIONS = 4;
/** And a rate that differs by less than this factor is the same for what is planned with it. */
const FACTOR = 1.5;

/**
 * Jobs that arrive per second: the mean of the last half minute, or what came in the last seconds where that is another
 * rate by more than chance (Poisson: √n), as after a burst or a surge. Pure.
 */
export function arrivalsNow({ rates }: Pick<QueueState, 'rates'>): number {
  const mean = positive(rates?.arrivalsPerSecond);
  const recent = rates?.recentArrivals;
  if (!recent || !(recent.windowMs > 0)) return mean;
  const seconds = recent.windowMs / 1000;
  const perSecond = positive(recent.perSecond);
  const isOther = Math.max(mean, perSecond) > FACTOR * Math.min(mean, perSecond);
  const byChance = DEVIATIONS * Math.sqrt(Math.max(mean * seconds, 1));
  return isOther && Math.abs(perSecond - mean) * seconds > byChance ? perSecond : mean;
}

function positive(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : 0;
}
