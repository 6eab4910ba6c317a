/** Whether what a Snapshot says is so now. */
interface Sight {
  readonly isLive: boolean;
  /** Seconds since the last good read; null before the first. */
  readonly ageSeconds: number | null;
}

/** Of a Snapshot: how its Redis stands, and how often it is read. */
interface Seen {
  readonly link: LinkState;
  readonly poll: { readonly intervalMs: number };
}

/** From this age on, numbers are not shown as live. */
export const STALE_AFTER_MS = 5_000;
/** A console that slowed itself down is given this many intervals. */
const STALE_AFTER_INTERVALS = 3;

/** After a change from here trends tell of what was before: for so long none is said. */
const SETTLING_MS = 10_000;

/** Was something changed from here a moment ago, so that trends are not known yet? */
export function isSettling(snapshot: { readonly actedAtMs: number | null }, nowMs: number): boolean {
  const { actedAtMs } = snapshot;
  return actedAtMs !== null && nowMs >= actedAtMs && nowMs - actedAtMs < SETTLING_MS;
}

/**
 * Is the Snapshot's content live? Not only the link's own word counts: a poller that hangs would leave `live` behind,
 * so data that are too old for the pace they should be read at are not live either.
 */
export function freshnessOf(snapshot: Seen, nowMs: number): Sight {
  const { status, lastReadAtMs } = snapshot.link;
  if (lastReadAtMs === null) return { isLive: false, ageSeconds: null };
  const ageMs = Math.max(0, nowMs - lastReadAtMs);
  const allowedMs = Math.max(STALE_AFTER_MS, STALE_AFTER_INTERVALS * snapshot.poll.intervalMs);
  return { isLive: status === 'live' && ageMs <= allowedMs, ageSeconds: ageMs / 1000 };
}

/**
 * How the console stands towards a Redis. connecting: not read yet, and too early to worry. stale: data exist, but the last
 * good read is too old to be shown as live. unreachable: the same, and the connection is lost.
 */
export type LinkStatus = 'connecting' | 'live' | 'stale' | 'unreachable';

/** No good read for this long: what is shown is not live any more. */
const LINK_STALE_MS = 3_000;

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
    const isTrying = !hasProblem && facts.attendedMs(startedAtMs, nowMs) < LINK_STALE_MS;
    return isTrying ? 'connecting' : 'unreachable';
  }
  const ageMs = facts.attendedMs(lastReadAtMs, nowMs);
  // A slowed poller reads late by intent; that alone is not stale.
  if (ageMs <= Math.max(LINK_STALE_MS, intervalMs + readTimeoutMs))
    return !hasProblem || ageMs < 2 * intervalMs ? 'live' : 'stale';
  return isReady ? 'stale' : 'unreachable';
}

/** How far a Redis is that reads its data from disk, by its own estimate. */
export interface Loading {
  /** 0..1 */
  readonly ratio: number;
  readonly secondsLeft: number;
}

/** How the console stands towards the Redis. */
export interface LinkState {
  readonly status: LinkStatus;
  /** One line for a person when not live: what is wrong and what to check; never holds a secret. */
  readonly problem: string | null;
  /** It reads its data from disk and serves nobody until it has; absent or null: it does not. */
  readonly loading?: Loading | null;
  /** When the last complete read ended; null before the first. */
  readonly lastReadAtMs: number | null;
  /** Since when the status is what it is. */
  readonly sinceMs: number;
  /** host:port, without credentials. */
  readonly address: string;
  readonly topology: 'single' | 'sentinel' | 'cluster';
}

/** What this Redis lets the console do, found out at connect. A false one carries the server's refusal in `refusals`. */
export interface Capabilities {
  readonly version: string;
  /** Redis ≥ 7.0: scripts may carry `flags=allow-oom`; else the freeing-write-first form is used. */
  readonly canFlagScripts: boolean;
  readonly canReadConfig: boolean;
  readonly canSetConfig: boolean;
  readonly canListClients: boolean;
  /** Write permission on keys and scripts (ACL). */
  readonly canWrite: boolean;
  readonly canRunScripts: boolean;
  readonly canMeasureMemory: boolean;
  /** What was refused, in the server's words, by capability name. */
  readonly refusals: Readonly<Partial<Record<CapabilityName, string>>>;
}

export type CapabilityName =
  | 'canReadConfig'
  | 'canSetConfig'
  | 'canListClients'
  | 'canWrite'
  | 'canRunScripts'
  | 'canMeasureMemory';
