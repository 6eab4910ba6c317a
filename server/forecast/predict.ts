import {
  formatCount,
  formatDuration,
  formatRate,
  formatRatio,
  isTooWide,
  tooWideInWords,
} from '../model/format.js';
import { USUAL_BATCHES_FIT } from '../model/job-type.js';
import type { MemoryAt, Plan, PlanChange, PlanInput } from '../model/plan.js';
import { settingsAfter, usableSlots } from './capacity.js';
import {
  ARRIVAL_WINDOW_SECONDS,
  changeAt,
  drainRange,
  flowOf,
  type MemoryFlow,
  RANGE_DEVIATIONS,
  secondsUntilGrown,
} from './flow.js';
import { isMemoryFull, type Outlook, outlookOf } from './outlook.js';
import { explain } from './plan-words.js';

/** Squared coefficient of variation of run times, where only their mean is known: heavier than exponential. */
const RUN_VARIATION = 1.5;
/** A moment within a cycle of this length is known to ±0.29 of it (uniform). */
const WAVE_RATIO = 0.29;
/** What batches of a size that is not known would do is not calibrated. */
const UNSURE_ERROR_RATIO = 0.15;

/** Within what 90 % of throughputs lie, jobs per second. */
function throughputRangeOf(outlook: Outlook): readonly [number, number] {
  const { throughputPerSecond: perSecond, oldFlow, newFlow, waiting } = outlook;
  const { errorRatio, unsure } = waiting > 0 ? oldFlow : newFlow;
  const error = perSecond * errorRatio * RANGE_DEVIATIONS;
  const isUnsure = unsure !== null && outlook.bottleneck !== 'full' && outlook.bottleneck !== 'arrivals';
  const low = Math.min(perSecond - error, isUnsure ? unsure.leastPerSecond : perSecond);
  return [Math.max(0, low), Math.max(perSecond + error, isUnsure ? unsure.mostPerSecond : 0)];
}

/** Within what 90 % of drain times lie, in seconds; null: never. The drain time itself is always inside. */
function drainRangeOf(outlook: Outlook): readonly [number | null, number | null] {
  const { drainSeconds, arrivalsPerSecond, oldFlow, newFlow } = outlook;
  const jobs = Math.max(0, outlook.waiting - outlook.startAtOnce);
  // A time of 0 has nothing uncertain about it.
  if (drainSeconds === 0) return [0, 0];
  const slowest = Math.min(outlook.throughputPerSecond, newFlow.perSecond);
  const netPerSecond = drainSeconds === null ? slowest - arrivalsPerSecond : jobs / drainSeconds;
  const perSecond = drainSeconds === null ? slowest : netPerSecond + arrivalsPerSecond;
  const arrivalsError = arrivalsPerSecond / ARRIVAL_WINDOW_SECONDS;
  // Where nothing leaves, fewer arrivals drain nothing either.
  const [low, high] =
    perSecond <= 0
      ? [null, null]
      : drainRange({
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
 * Whole batches leave at once, so chance counts batches. Slots that stand until the flush timeout are left to chance only in how
 * many other jobs pass before each is taken: k slots let k/p jobs pass with a variance of k·(1 − p)/p².
 */
function lumps({ oldFlow, old }: Outlook): number {
  const share = old?.batchShare ?? 0;
  if (oldFlow.isStarved && share > 0) return (1 - share) / share;
  return Math.max(1, oldFlow.lumpJobs * share);
}

/** How long the waves are in which jobs leave: the flush timeout where slots stand until then, else about a run. */
function waveSeconds({ oldFlow, old, settings }: Outlook): number {
  if (!old) return 0;
  // All that a window allows starts at its beginning.
  if (oldFlow.bottleneck === 'rate-limit') return (settings.rateLimit?.durationMs ?? 0) / 2000;
  const { batch, plainMs, batchShare } = old;
  const runMs = plainMs * (1 - batchShare) + (batch?.runMs ?? 0) * batchShare;
  return (WAVE_RATIO * (oldFlow.isStarved && batch ? batch.flushTimeoutMs + batch.runMs : runMs)) / 1000;
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

type Figures = Pick<Plan, 'drainSeconds' | 'drainRange' | 'fullInSeconds' | 'bottleneck'>;
type Rule = (outlook: Outlook, figures: Figures, change: PlanChange) => string | null;

/** From here on a drain mostly makes failures. */
const MOSTLY_FAILING_RATIO = 0.5;

/** What a person should know before doing it: what hurts first, then what the figures rest on. */
const RULES: readonly Rule[] = [fillsBefore, mayNeverDrain, isUnexplained, batchSizeUnknown, mostlyFails];

/** Plain sentences; none where there is nothing to warn of. */
function warningsOf(outlook: Outlook, figures: Figures, change: PlanChange): readonly string[] {
  return RULES.flatMap((rule) => rule(outlook, figures, change) ?? []);
}

/** Measured: 4 → 16 slots brought nothing but refusals, and 4 → 3 broke the chain of busy slots. */
function changesWhileFull(outlook: Outlook): string | null {
  if (!isMemoryFull(outlook.memory)) return null;
  const before = usableSlots(settingsAfter(outlook.input, {}));
  const after = usableSlots(outlook.settings);
  if (after > before) return 'Redis is full: new slots are refused their first job. Make room first.';
  if (after < before) {
    return 'Redis is full: fewer slots can end what still drains, as an idle one takes no job. Make room first.';
  }
  return null;
}

function fillsBefore(_outlook: Outlook, { fullInSeconds, drainSeconds }: Figures): string | null {
  if (fullInSeconds === null || fullInSeconds <= 0) return null;
  if (drainSeconds !== null && fullInSeconds >= drainSeconds) return null;
  return `Redis is full in ${formatDuration(fullInSeconds)}, before the backlog is gone: from then on jobs are refused.`;
}

function mayNeverDrain(_outlook: Outlook, { drainSeconds, drainRange }: Figures): string | null {
  return drainSeconds !== null && drainRange[1] === null
    ? 'What leaves is so near to what arrives that it may never drain.'
    : null;
}

function isUnexplained({ isDoubtful }: Outlook): string | null {
  return isDoubtful
    ? 'The workers do far less than their slots should, and nothing that is known explains it: the figures may be off.'
    : null;
}

function batchSizeUnknown({ old, fresh, oldFlow, settings, input }: Outlook): string | null {
  const batch = (old ?? fresh)?.batch;
  // With slots for usual batches it is no more than a doubt, which the range tells.
  const fitsUsual = usableSlots(settings) >= USUAL_BATCHES_FIT * Math.max(1, input.processes);
  if (!batch || !oldFlow.unsure || fitsUsual) return null;
  const { leastPerSecond, mostPerSecond } = oldFlow.unsure;
  return `The batch size is not known (${formatCount(batch.sizeAtLeast)} or more): ${formatRate(leastPerSecond)} to ${formatRate(mostPerSecond)} leave.`;
}

function mostlyFails({ input }: Outlook): string | null {
  const failing = input.types.filter((type) => type.waiting > 0 && type.failureRatio >= MOSTLY_FAILING_RATIO);
  const worst = failing.sort((a, b) => b.waiting * b.failureRatio - a.waiting * a.failureRatio)[0];
  return worst
    ? `${formatRatio(worst.failureRatio)} of the attempts of ${worst.name} fail: draining them mostly makes failed jobs.`
    : null;
}

/** Sampled sizes misjudge a queue's memory by 6 to 13 % (measured). */
const BYTES_ERROR_RATIO = 0.1;

const POINTS = 40;
const LONGEST_SECONDS = 3600;
const SHORTEST_SECONDS = 10;

/** What changes memory as it is forecast. */
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

/**
 * The entry of this folder, which says what a change would do, and how good that was; it imports model, process, store and
 * watch. A plan is made in this order: plan-basis.ts (what is known of a queue; type-loads.ts, of its job types), mix.ts
 * (those as one average job), capacity.ts (what settings allow), throughput.ts (what leaves, calibrated by what is measured),
 * flow.ts (how backlog and memory go on), outlook.ts (all of these together), and here, with ranges and warnings.
 * plan-to-drain.ts looks for settings that drain within a time. score.ts, predictions.ts and prediction-keeper.ts hold what
 * was forecast against what happens.
 *
 * What a change would do to a queue: throughput, time to drain, memory, and what limits it. Jobs are served first in
 * first out, at Σ shareᵢ·Sᵢ of those that wait, then of those that come (algorithms.md c); what is measured at the
 * present settings calibrates the model. Pure, and never throws: unknown or impossible numbers count as 0.
 * @param change {}: how it goes on as it is.
 */
export function predict(input: PlanInput, change: PlanChange): Plan {
  const outlook = outlookOf(input, change);
  const limitBytes = outlook.memory?.limitBytes ?? null;
  const fullInSeconds =
    limitBytes === null
      ? null
      : secondsUntilGrown(memoryFlow(outlook), limitBytes - (outlook.memory?.countedBytes ?? 0));
  const drainRange = drainRangeOf(outlook);
  const notKnown = whyNotKnown(outlook.drainSeconds, drainRange);
  const figures = {
    throughputPerSecond: outlook.throughputPerSecond,
    throughputRange: throughputRangeOf(outlook),
    drainSeconds: outlook.drainSeconds,
    drainRange,
    notKnown,
    memory: memoryPoints(outlook),
    fullInSeconds,
    bottleneck: outlook.bottleneck,
  };
  return {
    ...figures,
    reason: explain(outlook, notKnown),
    whileFull: changesWhileFull(outlook),
    warnings: warningsOf(outlook, figures, change),
  };
}

/** A time whose range is over tenfold, or that may never come, is no time: 48 s to 2 h 54 min were shown as 1 min 35 s. */
function whyNotKnown(drainSeconds: number | null, [low, high]: Plan['drainRange']): string | null {
  if (drainSeconds === null || drainSeconds <= 0 || low === null) return null;
  return isTooWide([low, high]) ? tooWideInWords([low, high]) : null;
}
