import {
  formatCount,
  formatDuration,
  formatRate,
  formatRatio,
  isTooWide,
  tooWideInWords,
} from '../model/format.js';
import type { MemoryAt, Plan, PlanChange, PlanInput } from '../model/plan.js';
import { ARRIVAL_WINDOW_SECONDS, flowOf, RANGE_DEVIATIONS } from './flow.js';
import { changeAt, type MemoryFlow, secondsUntilGrown } from './memory-curve.js';
import { isMemoryFull, type Outlook, outlookOf } from './outlook.js';
import { drainRangeOf, throughputRangeOf } from './plan-ranges.js';
import { explain } from './plan-words.js';
import { settingsAfter, usableSlots } from './settings.js';

type Figures = Pick<Plan, 'drainSeconds' | 'drainRange' | 'fullInSeconds' | 'bottleneck'>;
type Rule = (outlook: Outlook, figures: Figures, change: PlanChange) => string | null;

/** A gain of less than this share of what was hoped for is no gain. */
const NO_GAIN_RATIO = 0.1;
/** From here on a drain mostly makes failures. */
const MOSTLY_FAILING_RATIO = 0.5;

/** What a person should know before doing it: what hurts first, then what the figures rest on. */
const RULES: readonly Rule[] = [
  fillsBefore,
  mayNeverDrain,
  raisesBrokeNoGain,
  isUnexplained,
  batchSizeUnknown,
  mostlyFails,
];

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

function raisesBrokeNoGain({ input, settings }: Outlook): string | null {
  const isRaise = usableSlots(settings) > usableSlots(settingsAfter(input, {}));
  if (!isRaise || input.marginalGain === null || input.marginalGain >= NO_GAIN_RATIO) return null;
  return 'The last raise of concurrency did not help: what the jobs call is likely at its limit.';
}

function isUnexplained({ isDoubtful }: Outlook): string | null {
  return isDoubtful
    ? 'The workers do far less than their slots should, and nothing that is known explains it: the figures may be off.'
    : null;
}

function batchSizeUnknown({ old, fresh, oldFlow }: Outlook): string | null {
  const batch = (old ?? fresh)?.batch;
  if (!batch || !oldFlow.unsure) return null;
  const { leastPerSecond, mostPerSecond } = oldFlow.unsure;
  return `The batch size is not known, only that it is at least ${formatCount(batch.sizeAtLeast)}: depending on it ${formatRate(leastPerSecond)} to ${formatRate(mostPerSecond)} leave.`;
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
 * What a change would do to a queue: throughput, time to drain, memory, and what limits it. Jobs are served first in
 * first out, at Σ shareᵢ·Sᵢ of those that wait, then of those that come (algorithms.md c); what is measured at the
 * present settings calibrates the model. Pure, and never throws: unknown or impossible numbers count as 0.
 * @param change {} tells how it goes on as it is.
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
    because: explain(outlook, notKnown),
    whileFull: changesWhileFull(outlook),
    warnings: warningsOf(outlook, figures, change),
  };
}

/** A time whose range is over tenfold, or that may never come, is no time: 48 s to 2 h 54 min were told as 1 min 35 s. */
function whyNotKnown(drainSeconds: number | null, [low, high]: Plan['drainRange']): string | null {
  if (drainSeconds === null || drainSeconds <= 0 || low === null) return null;
  return isTooWide([low, high]) ? tooWideInWords([low, high]) : null;
}
