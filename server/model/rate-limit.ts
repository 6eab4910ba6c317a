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
