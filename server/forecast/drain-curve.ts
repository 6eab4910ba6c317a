import type { BacklogAt, Plan, PlanChange, PlanInput } from '../model/plan.js';
import { type Outlook, outlookOf } from './outlook.js';
import { predict } from './predict.js';

const POINTS = 40;
const LONGEST_SECONDS = 3600;
const SHORTEST_SECONDS = 20;
/** Shown of a backlog that may never drain. */
const OPEN_END_SECONDS = 600;
/** The end of what is drawn lies so far beyond the latest time at which it is drained. */
const MARGIN = 1.25;
/** So many times longer it may be drawn to show when it would be drained as things are. */
const FURTHER = 4;

/** How a backlog goes on in the next seconds. Pure. */
export function backlogCurve(input: PlanInput, change: PlanChange, seconds: number): readonly BacklogAt[] {
  return curveOf(outlookOf(input, change), predict(input, change), seconds);
}

/** How a backlog goes on after a change, and as it is, over the same time. Pure. */
export function drainCurves(
  input: PlanInput,
  change: PlanChange | null,
): { readonly now: readonly BacklogAt[]; readonly after: readonly BacklogAt[] | null } {
  const now = predict(input, {});
  const after = change && predict(input, change);
  const seconds = after ? Math.max(endOf(after), Math.min(endOf(now), FURTHER * endOf(after))) : endOf(now);
  return {
    now: curveOf(outlookOf(input, {}), now, seconds),
    after: after && curveOf(outlookOf(input, change ?? {}), after, seconds),
  };
}

function endOf({ drainSeconds, drainRange }: Plan): number {
  if (drainSeconds === null) return OPEN_END_SECONDS;
  const latest = drainRange[1] ?? Math.max(OPEN_END_SECONDS, drainSeconds);
  return Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, MARGIN * latest));
}

function curveOf(outlook: Outlook, plan: Plan, seconds: number): readonly BacklogAt[] {
  return Array.from({ length: POINTS + 1 }, (_, i) => {
    const atSeconds = (seconds * i) / POINTS;
    const [low, high] = [fewest(outlook, plan, atSeconds), most(outlook, plan, atSeconds)];
    const jobs = jobsAt(outlook, atSeconds);
    return { atSeconds, jobs, low: Math.min(low, jobs), high: Math.max(high, jobs) };
  });
}

/** What waits after so many seconds, jobs that find a free slot at once not counted. */
function jobsAt({ waiting, startAtOnce, arrivalsPerSecond, stretches }: Outlook, atSeconds: number): number {
  const change = stretches.reduce((sum, { fromSeconds, toSeconds, oldPerSecond, newPerSecond }) => {
    const lasts = Math.max(0, Math.min(atSeconds, toSeconds) - fromSeconds);
    return sum + lasts * (arrivalsPerSecond - oldPerSecond - newPerSecond);
  }, 0);
  return Math.max(0, waiting - startAtOnce + change);
}

/** The edges run as the middle does, faster or slower, so that they end where the range of the drain time ends. */
function fewest(
  outlook: Outlook,
  { drainSeconds, drainRange: [low], ...plan }: Plan,
  atSeconds: number,
): number {
  if (low === 0) return 0;
  if (drainSeconds !== null && low !== null) return jobsAt(outlook, (atSeconds * drainSeconds) / low);
  const byMore = (plan.throughputRange[1] - plan.throughputPerSecond) * atSeconds;
  const fewer = Math.max(0, jobsAt(outlook, atSeconds) - byMore);
  // It grows by the middle, and may still be drained by luck: the edge then ends where that may be at the earliest.
  return low === null ? fewer : Math.min(fewer, jobsAt(outlook, 0) * Math.max(0, 1 - atSeconds / low));
}

function most(
  outlook: Outlook,
  { drainSeconds, drainRange: [, high], ...plan }: Plan,
  atSeconds: number,
): number {
  if (drainSeconds !== null && high !== null && high > 0)
    return jobsAt(outlook, (atSeconds * drainSeconds) / high);
  const byLess = (plan.throughputPerSecond - plan.throughputRange[0]) * atSeconds;
  return jobsAt(outlook, atSeconds) + (drainSeconds === 0 ? 0 : byLess);
}
