/** What has come of the jobs that a replay has moved. */
export interface MovedOutcomes {
  readonly moved: number;
  readonly succeeded: number;
  readonly failedAgain: number;
  /** Ended or removed, kept nowhere. */
  readonly gone: number;
}

/** Jobs that go ahead of the others. */
export const CANARY_JOBS = 20;
/** The others don't wait longer for them: jobs may be long, or wait behind others. */
export const CANARY_WAIT_MS = 20_000;
const MAX_FAILED_RATIO = 0.5;

export type CanaryVerdict = 'wait' | 'go' | 'stop';

/**
 * Do the jobs that went ahead only fail again? `stop` when more than half of at least 20 that ended have failed (or of
 * all, where a replay has fewer and all have ended); it is asked all through the replay.
 * @param sinceMs since the last of the canary was moved; null: not all are moved yet.
 */
export function judgeCanary(outcomes: MovedOutcomes, sinceMs: number | null): CanaryVerdict {
  const ended = outcomes.succeeded + outcomes.failedAgain + outcomes.gone;
  if (ended >= CANARY_JOBS && outcomes.failedAgain > ended * MAX_FAILED_RATIO) return 'stop';
  if (sinceMs === null || ended >= CANARY_JOBS || sinceMs >= CANARY_WAIT_MS) return 'go';
  return 'wait';
}
