import { formatCount, formatDuration, formatRate, formatRatio } from '../model/format.js';
import type { Plan, PlanChange } from '../model/plan.js';
import { isFull, type Outlook } from './outlook.js';
import { settingsAfter, usableSlots } from './settings.js';

type Figures = Pick<Plan, 'drainSeconds' | 'drainRange' | 'fullInSeconds' | 'bottleneck'>;
type Rule = (outlook: Outlook, figures: Figures, change: PlanChange) => string | null;

/** A gain of less than this share of what was hoped for is no gain. */
const NO_GAIN_RATIO = 0.1;
/** From here on a drain mostly makes failures. */
const MOSTLY_FAILING_RATIO = 0.5;

/** What a person should know before doing it: what hurts first, then what the figures rest on. */
const RULES: readonly Rule[] = [
  changesWhileFull,
  fillsBefore,
  mayNeverDrain,
  raisesBrokeNoGain,
  isUnexplained,
  batchSizeUnknown,
  mostlyFails,
];

/** Plain sentences; none where there is nothing to warn of. */
export function warningsOf(outlook: Outlook, figures: Figures, change: PlanChange): readonly string[] {
  return RULES.flatMap((rule) => rule(outlook, figures, change) ?? []);
}

/** Measured: 4 → 16 slots brought nothing but refusals, and 4 → 3 broke the chain of busy slots. */
function changesWhileFull(outlook: Outlook): string | null {
  if (!isFull(outlook.memory)) return null;
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
