/**
 * How the console stands towards a Redis. connecting: not read yet, and too early to worry. stale: data exist, but the last
 * good read is too old to be shown as live. unreachable: the same, and the connection is lost.
 */
export type LinkStatus = 'connecting' | 'live' | 'stale' | 'unreachable';

/** No good read for this long: what is shown is not live any more. */
const STALE_AFTER_MS = 3_000;

/** What is known of the connection to one Redis at `nowMs`. */
export interface LinkFacts {
  readonly nowMs: number;
  readonly startedAtMs: number;
  /** null: never. */
  readonly lastReadAtMs: number | null;
  /** How often it is read at present. */
  readonly intervalMs: number;
  /** When a read is given up. */
  readonly readTimeoutMs: number;
  /** ms between two moments in which the console was not held up itself: a late look at an answer is not no answer. */
  readonly attendedMs: (fromMs: number, toMs: number) => number;
  /** The last attempt has failed. */
  readonly hasProblem: boolean;
  /** The client says that it is connected. */
  readonly isReady: boolean;
}

/** How far what is shown of a Redis can be trusted. */
export function judgeLink(facts: LinkFacts): LinkStatus {
  const { nowMs, startedAtMs, lastReadAtMs, intervalMs, readTimeoutMs, hasProblem, isReady } = facts;
  if (lastReadAtMs === null) {
    const isTrying = !hasProblem && facts.attendedMs(startedAtMs, nowMs) < STALE_AFTER_MS;
    return isTrying ? 'connecting' : 'unreachable';
  }
  const ageMs = facts.attendedMs(lastReadAtMs, nowMs);
  // A slowed poller reads late by intent; that alone is not stale.
  if (ageMs <= Math.max(STALE_AFTER_MS, intervalMs + readTimeoutMs))
    return !hasProblem || ageMs < 2 * intervalMs ? 'live' : 'stale';
  return isReady ? 'stale' : 'unreachable';
}
