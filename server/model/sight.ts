import type { Snapshot } from './snapshot.js';

/** Whether what a Snapshot says is so now. */
export interface Sight {
  readonly isLive: boolean;
  /** Seconds since the last good read; null before the first. */
  readonly ageSeconds: number | null;
}

/** From this age on, numbers are not shown as live. */
export const STALE_AFTER_MS = 5_000;
/** A console that slowed itself down is given this many intervals. */
const STALE_AFTER_INTERVALS = 3;

/** After a change from here trends tell of what was before: for so long none is said. */
export const SETTLING_MS = 10_000;

/** Was something changed from here a moment ago, so that trends are not known yet? */
export function isSettling(snapshot: Pick<Snapshot, 'actedAtMs'>, nowMs: number): boolean {
  const { actedAtMs } = snapshot;
  return actedAtMs !== null && nowMs >= actedAtMs && nowMs - actedAtMs < SETTLING_MS;
}

/**
 * Is the Snapshot's content live? Not only the link's own word counts: a poller that hangs would leave `live` behind,
 * so data that are too old for the pace they should be read at are not live either.
 */
export function freshnessOf(snapshot: Snapshot, nowMs: number): Sight {
  const { status, lastReadAtMs } = snapshot.link;
  if (lastReadAtMs === null) return { isLive: false, ageSeconds: null };
  const ageMs = Math.max(0, nowMs - lastReadAtMs);
  const allowedMs = Math.max(STALE_AFTER_MS, STALE_AFTER_INTERVALS * snapshot.poll.intervalMs);
  return { isLive: status === 'live' && ageMs <= allowedMs, ageSeconds: ageMs / 1000 };
}
