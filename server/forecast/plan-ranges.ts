import { ARRIVAL_WINDOW_SECONDS, drainRange, flowOf, RANGE_DEVIATIONS } from './flow.js';
import type { Outlook } from './outlook.js';

/** Squared coefficient of variation of run times, where only their mean is known: heavier than exponential. */
const RUN_VARIATION = 1.5;
/** A moment within a cycle of this length is known to ±0.29 of it (uniform). */
const WAVE_RATIO = 0.29;
/** What batches of a size that is not known would do is not calibrated. */
const UNSURE_ERROR_RATIO = 0.15;

/** Within what 90 % of throughputs lie, jobs per second. */
export function throughputRangeOf(outlook: Outlook): readonly [number, number] {
  const { throughputPerSecond: perSecond, oldFlow, newFlow, waiting } = outlook;
  const { errorRatio, unsure } = waiting > 0 ? oldFlow : newFlow;
  const error = perSecond * errorRatio * RANGE_DEVIATIONS;
  const isUnsure = unsure !== null && outlook.bottleneck !== 'full' && outlook.bottleneck !== 'arrivals';
  const low = Math.min(perSecond - error, isUnsure ? unsure.leastPerSecond : perSecond);
  return [Math.max(0, low), Math.max(perSecond + error, isUnsure ? unsure.mostPerSecond : 0)];
}

/** Within what 90 % of drain times lie, in seconds; null: never. The drain time itself is always inside. */
export function drainRangeOf(outlook: Outlook): readonly [number | null, number | null] {
  const { drainSeconds, arrivalsPerSecond, oldFlow, newFlow } = outlook;
  const jobs = Math.max(0, outlook.waiting - outlook.startAtOnce);
  // With nothing but a time of 0 to tell, there is nothing to be uncertain of.
  if (drainSeconds === 0) return [0, 0];
  const slowest = Math.min(outlook.throughputPerSecond, newFlow.perSecond);
  const netPerSecond = drainSeconds === null ? slowest - arrivalsPerSecond : jobs / drainSeconds;
  const perSecond = drainSeconds === null ? slowest : netPerSecond + arrivalsPerSecond;
  const arrivalsError = arrivalsPerSecond / ARRIVAL_WINDOW_SECONDS;
  const [low, high] = drainRange({
    jobs,
    netPerSecond,
    netErrorPerSecond: Math.sqrt((perSecond * oldFlow.errorRatio) ** 2 + arrivalsError),
    variancePerSecond: arrivalsPerSecond + perSecond * RUN_VARIATION * lumps(outlook),
    waveSeconds: waveSeconds(outlook),
  });
  const unsure = unsureDrains(outlook);
  const earliest = Math.min(low ?? Number.POSITIVE_INFINITY, unsure?.earliest ?? Number.POSITIVE_INFINITY);
  if (drainSeconds === null) return [Number.isFinite(earliest) ? earliest : null, null];
  const latest = unsure && high !== null ? unsure.latest && Math.max(high, unsure.latest) : high;
  return [Math.min(earliest, drainSeconds), latest === null ? null : Math.max(latest, drainSeconds)];
}

/**
 * Whole batches leave at once, so chance counts batches. Slots that stand until the wall are left to chance only in how
 * many other jobs pass before each is taken: k slots let k/p jobs pass with a variance of k·(1 − p)/p².
 */
function lumps({ oldFlow, old }: Outlook): number {
  const share = old?.batchShare ?? 0;
  if (oldFlow.isStarved && share > 0) return (1 - share) / share;
  return Math.max(1, oldFlow.lumpJobs * share);
}

/** How long the waves are in which jobs leave: the wall where slots stand until then, else about a run. */
function waveSeconds({ oldFlow, old, settings }: Outlook): number {
  if (!old) return 0;
  // All that a window allows starts at its beginning.
  if (oldFlow.bottleneck === 'rate-limit') return (settings.rateLimit?.durationMs ?? 0) / 2000;
  const { batch, plainMs, batchShare } = old;
  const runMs = plainMs * (1 - batchShare) + (batch?.runMs ?? 0) * batchShare;
  return (WAVE_RATIO * (oldFlow.isStarved && batch ? batch.wallMs + batch.runMs : runMs)) / 1000;
}

/** Drain times if batches of a size that is not known are as small, and as large, as they may be; null: it is known. */
function unsureDrains(
  outlook: Outlook,
): { readonly earliest: number | null; readonly latest: number | null } | null {
  const { oldFlow, newFlow, held, arrivalsPerSecond } = outlook;
  if (oldFlow.unsure === null) return null;
  const drain = (oldPerSecond: number, newPerSecond: number): number | null =>
    flowOf({
      waiting: outlook.waiting - outlook.startAtOnce,
      ...{ arrivalsPerSecond, oldPerSecond, newPerSecond, held },
    }).drainSeconds;
  const most = 1 + RANGE_DEVIATIONS * UNSURE_ERROR_RATIO;
  const fresh = newFlow.unsure ?? { leastPerSecond: newFlow.perSecond, mostPerSecond: newFlow.perSecond };
  return {
    earliest: drain(oldFlow.unsure.mostPerSecond * most, fresh.mostPerSecond * most),
    latest: drain(oldFlow.unsure.leastPerSecond / most, fresh.leastPerSecond / most),
  };
}
