import type { Activity } from './account.js';
import type { ApiPlan } from './api.js';

/** On a machine shared with the world itself a forecast may be off by so much. */
const MAX_ERROR_RATIO = 0.35;
/** Times are looked at a few times a second. */
const SLACK_SECONDS = 1;

/** Holds what was forecast of an order against the time that it took, and says both. */
export function checkForecast(account: Activity, what: string, plan: ApiPlan, tookSeconds: number): void {
  const after = plan.after ?? plan.current;
  const { drainSeconds, drainRange, bottleneck } = after;
  const error =
    drainSeconds === null ? Number.POSITIVE_INFINITY : Math.abs(drainSeconds - tookSeconds) / tookSeconds;
  const isInside =
    drainRange.low !== null &&
    tookSeconds >= drainRange.low - SLACK_SECONDS &&
    (drainRange.high === null || tookSeconds <= drainRange.high + SLACK_SECONDS);
  account.check(
    `${what} drains as was forecast`,
    isInside || error <= MAX_ERROR_RATIO,
    `forecast ${said(drainSeconds)} (${said(drainRange.low)} to ${said(drainRange.high)}, by ${bottleneck}), took ${said(tookSeconds)}: off by ${(error * 100).toFixed(0)}%; ${after.because}${plan.assumed.length > 0 ? `; ${plan.assumed.join(' ')}` : ''}`,
  );
}

function said(seconds: number | null): string {
  return seconds === null ? 'never' : `${seconds.toFixed(1)} s`;
}
