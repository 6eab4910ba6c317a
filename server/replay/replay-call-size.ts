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

/** The cost once a call has moved `jobs` jobs. A Redis whose clock stands still in a script tells 0: its jobs are taken for usual ones. */
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
