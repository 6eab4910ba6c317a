/** What moving jobs has taken of late. */
export interface CallCost {
  /** By Redis' own clock, a running mean. */
  readonly usecPerJob: number;
  /** From sending a call to its answer, of the quickest of late: what a busy console adds says nothing of the way. */
  readonly callUsec: number;
}

/** Other clients wait for a call to end: so long may it take. */
const HOLD_USEC = 300;
/** Where the pace is behind, as each call costs a round trip: more, and a tenth of a long round trip. */
const HOLD_BEHIND_USEC = 600;
const MAX_HOLD_BEHIND_USEC = 1_500;
const HOLD_RATIO = 0.1;
/** A first call finds the script unknown and the memory cold. */
const FIRST_JOBS = 10;
const MAX_JOBS = 100;
/** What a job takes on the machine of `npm run bench -- --replay`. */
const USUAL_USEC = 15;
/** Share of the newest call in the mean; of one that is slower than the quickest, in that. */
const NEWEST_RATIO = 0.2;
const SLOWER_RATIO = 0.01;

/** Jobs that the next call may move; null: nothing has been measured. */
export function jobsACall(cost: CallCost | null, isBehind: boolean): number {
  if (cost === null) return FIRST_JOBS;
  const behindUsec = Math.min(MAX_HOLD_BEHIND_USEC, Math.max(HOLD_BEHIND_USEC, HOLD_RATIO * cost.callUsec));
  const holdUsec = isBehind ? behindUsec : HOLD_USEC;
  return Math.max(1, Math.min(MAX_JOBS, Math.floor(holdUsec / cost.usecPerJob)));
}

/** The cost once a call has moved `jobs` jobs. A Redis whose clock stands still in a script says 0: its jobs are taken for usual ones. */
export function costAfter(
  before: CallCost | null,
  jobs: number,
  heldUsec: number,
  callUsec: number,
): CallCost {
  const usecPerJob = heldUsec > 0 ? heldUsec / jobs : USUAL_USEC;
  const { usecPerJob: oldUsec, callUsec: oldCallUsec } = before ?? { usecPerJob: USUAL_USEC, callUsec };
  return {
    usecPerJob: oldUsec + NEWEST_RATIO * (usecPerJob - oldUsec),
    callUsec: Math.min(callUsec, oldCallUsec + SLOWER_RATIO * (callUsec - oldCallUsec)),
  };
}
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
export function spendPace(bucket: PaceBucket, jobs: number): PaceBucket {
  return { ...bucket, tokens: bucket.tokens - jobs };
}
