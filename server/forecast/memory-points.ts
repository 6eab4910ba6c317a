import type { MemoryAt } from '../model/plan.js';
import { ARRIVAL_WINDOW_SECONDS, RANGE_DEVIATIONS } from './drain-range.js';
import { flowOf } from './flow.js';
import { changeAt, type MemoryFlow } from './memory-curve.js';
import type { Outlook } from './outlook.js';

/** Sampled sizes misjudge a queue's memory by 6 to 13 % (measured). */
const BYTES_ERROR_RATIO = 0.1;

const POINTS = 40;
const LONGEST_SECONDS = 3600;
const SHORTEST_SECONDS = 10;

/** What changes memory as it is forecast. */
export function memoryFlow(outlook: Outlook): MemoryFlow {
  const { stretches, arrivalsPerSecond, old, fresh, memory } = outlook;
  const growth = memory?.otherGrowthBytesPerSecond ?? 0;
  return {
    ...{ stretches, arrivalsPerSecond, old, fresh },
    otherGrowthBytesPerSecond: Number.isFinite(growth) ? growth : 0,
  };
}

/** The curve, and how far it lies off when rates are at the ends of their ranges and sizes are misjudged. */
export function memoryPoints(outlook: Outlook): readonly MemoryAt[] {
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
