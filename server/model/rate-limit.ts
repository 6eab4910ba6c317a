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
