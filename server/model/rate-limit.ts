import { formatDuration, formatRate } from './format.js';

/** Larger than these is a slip of the finger; what is proposed stays below them too. */
export const MAX_CONCURRENCY = 1_000_000;
/** Jobs in a window of a rate limit. */
export const MAX_RATE = 10_000_000;
/** A day. */
export const LONGEST_WINDOW_MS = 86_400_000;
/** Jobs per time, as BullMQ counts them: at most `max` starts in each window of `durationMs`. */
export interface RateWindow {
  readonly max: number;
  readonly durationMs: number;
}

/**
 * The same rate in windows of about a second: after the removal of a long limit workers may sleep for up to 30 s, and a
 * long window lets everything through in one burst. 100 per minute becomes 1 per 600 ms.
 */
export function inShortWindows({ max, durationMs }: RateWindow): RateWindow {
  const perWindow = Math.max(1, Math.floor((max * 1000) / durationMs));
  return { max: perWindow, durationMs: Math.max(1, Math.round((perWindow * durationMs) / max)) };
}

/** Starts per second that a limit allows. */
export function perSecond({ max, durationMs }: RateWindow): number {
  return (max * 1000) / durationMs;
}

/** The effect of a rate limit is measured over this many ms. */
export const RATE_SETTLE_MS = 10_000;
/** More than this above what was, or above what the limit lets through, is no chance any more. */
const CLEARLY_MORE = 1.2;
const CLEARLY_MORE_PER_SECOND = 0.2;

/** What was measured after a change, for its record. */
export interface LimitJudgement {
  readonly text: string;
  readonly isWarning: boolean;
}

export interface LimitMeasured {
  readonly formerLimit: RateWindow | null;
  /** Departures before; null where they were not known. */
  readonly formerPerSecond: number | null;
  /** The limit that stands now; null where it was removed. */
  readonly limit: RateWindow | null;
  /** Departures in the seconds after; an upper bound, as adds that end as duplicates count too. */
  readonly perSecond: number;
  /** Longest limiter window seen since, in ms; 0 for none. */
  readonly windowMs: number;
}

/**
 * Did a rate limit do what was typed? In the order in which it matters to a person: it made the queue faster; it lets
 * through more than it says; it means less than it says. BullMQ takes the global max, but the duration of a worker's own
 * limiter where there is one (measured with 5.81 and 6.7). Pure.
 */
export function judgeLimit(measured: LimitMeasured): LimitJudgement {
  const { limit, formerPerSecond: former } = measured;
  const before = former === null ? '' : `${formatRate(former)} left the queue before, `;
  const text = `${before}${formatRate(measured.perSecond)} in the ${RATE_SETTLE_MS / 1000} s after.`;
  if (limit === null) return { text, isWarning: false };
  const allowed = perSecond(limit);
  const isLoosened = measured.formerLimit !== null && perSecond(measured.formerLimit) < allowed;
  if (former !== null && former > 0 && !isLoosened && isClearlyMore(measured.perSecond, former)) {
    return {
      text: `${text} The limit made the queue faster: it replaces a stricter one in the workers’ own code.`,
      isWarning: true,
    };
  }
  if (isClearlyMore(measured.perSecond, allowed)) {
    return {
      text: `${text} That is more than the limit of ${formatRate(allowed)}: the workers count in a shorter window of their own, or run a BullMQ before 5.60, which ignores it.`,
      isWarning: true,
    };
  }
  if (measured.windowMs > limit.durationMs * 1.05) {
    const means = (limit.max * 1000) / measured.windowMs;
    const meant = Math.max(1, Math.round((allowed * measured.windowMs) / 1000));
    return {
      text: `${text} The workers count in windows of ${formatDuration(measured.windowMs / 1000)} or more of their own, so the limit means ${formatRate(means)} and not ${formatRate(allowed)}; a max of ${meant} per 1000 ms would mean what was typed.`,
      isWarning: true,
    };
  }
  return { text, isWarning: false };
}

function isClearlyMore(perSecondNow: number, than: number): boolean {
  return perSecondNow > than * CLEARLY_MORE + CLEARLY_MORE_PER_SECOND;
}
