import { drainRange, RANGE_DEVIATIONS } from './drain-range.js';
import { explain } from './explain.js';
import { flowOf } from './flow.js';
import { changeAt, type MemoryFlow, secondsUntilGrown } from './memory-curve.js';
import { type Outlook, outlookOf } from './outlook.js';
import type { MemoryAt, Plan, PlanChange, PlanInput } from './plan-types.js';
import { warningsOf } from './plan-warnings.js';

/** A rate of arrivals is known from about so long: Poisson, its error is √(rate / window). */
const ARRIVAL_WINDOW_SECONDS = 60;
/** Squared coefficient of variation of run times, where only their mean is known: heavier than exponential. */
const RUN_VARIATION = 1.5;
/** A moment within a cycle of this length is known to ±0.29 of it (uniform). */
const WAVE_RATIO = 0.29;
/** Sampled sizes misjudge a queue's memory by 6 to 13 % (measured). */
const BYTES_ERROR_RATIO = 0.1;

const POINTS = 40;
const LONGEST_SECONDS = 3600;
const SHORTEST_SECONDS = 10;

/**
 * What a change would do to a queue: throughput, time to drain, memory, and what limits it. Jobs are served first in
 * first out, at Σ shareᵢ·Sᵢ of those that wait, then of those that come (algorithms.md c); what is measured at the
 * present settings calibrates the model. Pure, and never throws: unknown or impossible numbers count as 0.
 * @param change {} tells how it goes on as it is.
 */
export function predict(input: PlanInput, change: PlanChange): Plan {
  const outlook = outlookOf(input, change);
  const range = rangeOf(outlook);
  const memory = memoryPoints(outlook);
  const limitBytes = outlook.memory?.limitBytes ?? null;
  const fullInSeconds =
    limitBytes === null
      ? null
      : secondsUntilGrown(memoryFlow(outlook), limitBytes - (outlook.memory?.countedBytes ?? 0));
  const figures = {
    throughputPerSecond: outlook.throughputPerSecond,
    throughputRange: throughputRange(outlook),
    drainSeconds: outlook.drainSeconds,
    drainRange: range,
    memory,
    fullInSeconds,
    bottleneck: outlook.bottleneck,
  };
  return {
    ...figures,
    because: explain(outlook),
    warnings: warningsOf(outlook, figures, change),
  };
}

function throughputRange(outlook: Outlook): readonly [number, number] {
  const { throughputPerSecond: perSecond, oldFlow, newFlow, waiting } = outlook;
  const { errorRatio, hopedPerSecond } = waiting > 0 ? oldFlow : newFlow;
  const error = perSecond * errorRatio * RANGE_DEVIATIONS;
  const hoped = outlook.bottleneck === 'full' ? null : hopedPerSecond;
  return [Math.max(0, perSecond - error), Math.max(perSecond + error, hoped ?? 0)];
}

function rangeOf(outlook: Outlook): readonly [number | null, number | null] {
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
  const earliest = Math.min(low ?? Number.POSITIVE_INFINITY, hopedDrain(outlook) ?? Number.POSITIVE_INFINITY);
  if (drainSeconds === null) return [Number.isFinite(earliest) ? earliest : null, null];
  return [Math.min(earliest, drainSeconds), high === null ? null : Math.max(high, drainSeconds)];
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

function hopedDrain(outlook: Outlook): number | null {
  const { oldFlow, newFlow, held, arrivalsPerSecond } = outlook;
  if (oldFlow.hopedPerSecond === null) return null;
  return flowOf({
    waiting: outlook.waiting - outlook.startAtOnce,
    arrivalsPerSecond,
    oldPerSecond: oldFlow.hopedPerSecond,
    newPerSecond: newFlow.hopedPerSecond ?? newFlow.perSecond,
    held,
  }).drainSeconds;
}

function memoryFlow(outlook: Outlook): MemoryFlow {
  const { stretches, arrivalsPerSecond, old, fresh, memory } = outlook;
  const growth = memory?.otherGrowthBytesPerSecond ?? 0;
  return {
    ...{ stretches, arrivalsPerSecond, old, fresh },
    otherGrowthBytesPerSecond: Number.isFinite(growth) ? growth : 0,
  };
}

/** The curve, and how far it lies off when rates are at the ends of their ranges and sizes are misjudged. */
function memoryPoints(outlook: Outlook): readonly MemoryAt[] {
  const { memory, drainSeconds } = outlook;
  if (!memory) return [];
  const horizonSeconds = Math.min(
    LONGEST_SECONDS,
    Math.max(SHORTEST_SECONDS, 2 * (drainSeconds ?? LONGEST_SECONDS)),
  );
  const most = memory.limitBytes === null ? Number.POSITIVE_INFINITY : memory.limitBytes;
  // At the limit adds are refused, so memory goes no further.
  const bounded = (bytes: number): number =>
    Math.max(0, Math.min(bytes, Math.max(most, memory.countedBytes)));
  const flows = [memoryFlow(outlook), ...offFlows(outlook)];
  return Array.from({ length: POINTS + 1 }, (_, i) => {
    const atSeconds = (horizonSeconds * i) / POINTS;
    const changes = flows.map((flow) => changeAt(flow, atSeconds));
    const ends = changes.flatMap(({ ownBytes, otherBytes }) =>
      [-1, 0, 1].map((sign) =>
        bounded(memory.countedBytes + otherBytes + ownBytes * (1 + sign * BYTES_ERROR_RATIO)),
      ),
    );
    const { ownBytes, otherBytes } = changes[0] ?? { ownBytes: 0, otherBytes: 0 };
    return {
      atSeconds,
      bytes: bounded(memory.countedBytes + ownBytes + otherBytes),
      lowBytes: Math.min(...ends),
      highBytes: Math.max(...ends),
    };
  });
}

function offFlows(outlook: Outlook): readonly MemoryFlow[] {
  const { oldFlow, newFlow, held, arrivalsPerSecond } = outlook;
  return [-1, 1].map((sign) => {
    const by = (ratio: number): number => Math.max(0, 1 + sign * RANGE_DEVIATIONS * ratio);
    const error = RANGE_DEVIATIONS * Math.sqrt(arrivalsPerSecond / ARRIVAL_WINDOW_SECONDS);
    const arrivals = Math.max(0, arrivalsPerSecond - sign * error);
    const { stretches } = flowOf({
      waiting: outlook.waiting - outlook.startAtOnce,
      arrivalsPerSecond: arrivals,
      oldPerSecond: oldFlow.perSecond * by(oldFlow.errorRatio),
      newPerSecond: newFlow.perSecond * by(newFlow.errorRatio),
      held,
    });
    return { ...memoryFlow(outlook), stretches, arrivalsPerSecond: arrivals };
  });
}
