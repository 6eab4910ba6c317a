/**
 * A token bucket: jobs that may be moved now. Refilled by the clock and not by a timer, so that a loop that comes late
 * makes up for it, up to `BURST_SECONDS`.
 */
export interface PaceBucket {
  readonly perSecond: number;
  readonly tokens: number;
  readonly atMs: number;
}

/** What a loop that was held up may make up for. More would be a burst that nobody asked for. */
const BURST_SECONDS = 0.25;
/** Turns of the loop a second at most: a batch is what falls due between two of them. */
export const TURNS_PER_SECOND = 20;
/** Tokens that were waited for may come out a hair short. */
const ROUNDING = 1e-6;

/** A bucket at the moment a replay starts or goes on: one job may go at once. */
export function startBucket(perSecond: number, nowMs: number): PaceBucket {
  return { perSecond, tokens: 1, atMs: nowMs };
}

/** The bucket at `nowMs`: tokens are jobs, at least one job fits in whatever the rate. A clock that goes back refills nothing. */
export function refill(bucket: PaceBucket, nowMs: number): PaceBucket {
  const seconds = Math.max(0, nowMs - bucket.atMs) / 1000;
  const room = Math.max(1, bucket.perSecond * BURST_SECONDS);
  // What was taken on credit is paid first; what is there is never taken away by a smaller bucket.
  const tokens = Math.min(Math.max(room, bucket.tokens), bucket.tokens + seconds * bucket.perSecond);
  return { perSecond: bucket.perSecond, tokens, atMs: nowMs };
}

/** The same bucket at another rate, from `nowMs` on. Tokens over what the new rate allows at once are dropped. */
export function reRate(bucket: PaceBucket, perSecond: number, nowMs: number): PaceBucket {
  const { tokens } = refill(bucket, nowMs);
  return { perSecond, tokens: Math.min(tokens, Math.max(1, perSecond * BURST_SECONDS)), atMs: nowMs };
}

/**
 * Jobs to move now: at least one, at most `most`.
 * @returns 0 with the ms to wait where none is due. Small turns are gathered, so that a thousand jobs a second are
 * twenty batches and not a thousand.
 */
export function dueJobs(
  bucket: PaceBucket,
  most: number,
): { readonly jobs: number; readonly waitMs: number } {
  if (bucket.perSecond <= 0) return { jobs: 0, waitMs: Infinity };
  const wanted = Math.max(1, Math.min(most, Math.floor(bucket.perSecond / TURNS_PER_SECOND)));
  const tokens = bucket.tokens + ROUNDING;
  if (tokens >= wanted) return { jobs: Math.min(most, Math.floor(tokens)), waitMs: 0 };
  return { jobs: 0, waitMs: ((wanted - bucket.tokens) / bucket.perSecond) * 1000 };
}

/** The bucket after `jobs` were moved. */
export function spend(bucket: PaceBucket, jobs: number): PaceBucket {
  return { ...bucket, tokens: bucket.tokens - jobs };
}
