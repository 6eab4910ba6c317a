import type { Plan, PlanChange, PlanInput } from '../model/plan.js';
import { isTooWide, tooWideInWords } from '../model/range.js';
import { explain } from './explain.js';
import { secondsUntilGrown } from './memory-curve.js';
import { memoryFlow, memoryPoints } from './memory-points.js';
import { outlookOf } from './outlook.js';
import { drainRangeOf, throughputRangeOf } from './plan-ranges.js';
import { warningsOf } from './plan-warnings.js';

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
    warnings: warningsOf(outlook, figures, change),
  };
}

/** A time whose range is over tenfold, or that may never come, is no time: 48 s to 2 h 54 min were told as 1 min 35 s. */
function whyNotKnown(drainSeconds: number | null, [low, high]: Plan['drainRange']): string | null {
  if (drainSeconds === null || drainSeconds <= 0 || low === null) return null;
  return isTooWide([low, high]) ? tooWideInWords([low, high]) : null;
}
