import type { FailureRise } from '../model/job-type.js';

/** What ended in one short span of time. */
export interface OutcomeBucket {
  readonly atMs: number;
  readonly completed: number;
  readonly failed: number;
  /** When the first of its failures was, and the last error in it; null: none failed. */
  readonly firstFailedAtMs: number | null;
  readonly error: string | null;
}

/** A handful of failures is no trend. */
const LEAST_FAILED = 5;
/** The share has to have risen by so much, and to so much… */
const LEAST_RISE_RATIO = 0.15;
/** …and not by chance: −2 ln of the likelihood ratio of one rate against two; 10.8 is chance in 1 of 1,000, and every moment is tried again and again. */
const LEAST_EVIDENCE = 22;
/** The same for failing in most cases from the first that was seen: against one half. */
const LEAST_ALL_BAD = 10;
/** It still goes on: of what ended lately this share of the risen rate fails. */
const STILL_RATIO = 0.4;
const LATELY = 3;

/**
 * The moment since which a job type fails more than before: the split of its past at which two constant failure rates explain
 * most over one (likelihood ratio of binomials; Hinkley and Hinkley, 1970). Only a rise that still goes on.
 * @param buckets oldest first, empty ones left out.
 * @returns null: no rise.
 */
export function findFailureRise(buckets: readonly OutcomeBucket[]): FailureRise | null {
  const ended = buckets.filter(({ completed, failed }) => completed + failed > 0);
  const total = sumOf(ended);
  if (total.failed < LEAST_FAILED) return null;
  const alone = likelihood(total.failed, total.ended);
  let best = { at: -1, evidence: LEAST_EVIDENCE };
  const before = { failed: 0, ended: 0 };
  ended.forEach((bucket, i) => {
    const since = { failed: total.failed - before.failed, ended: total.ended - before.ended };
    const rise = rate(since) - rate(before);
    const evidence =
      2 * (likelihood(before.failed, before.ended) + likelihood(since.failed, since.ended) - alone);
    if (i > 0 && rise >= LEAST_RISE_RATIO && evidence > best.evidence) best = { at: i, evidence };
    before.failed += bucket.failed;
    before.ended += bucket.completed + bucket.failed;
  });
  // Everything fails from the first that was seen: there is no before to compare with.
  const isAllBad =
    rate(total) > 0.5 &&
    total.failed >= 2 * LEAST_FAILED &&
    2 * (alone - total.ended * Math.log(0.5)) >= LEAST_ALL_BAD;
  if (best.at < 0 && !isAllBad) return null;
  return riseFrom(ended, Math.max(0, best.at));
}

function riseFrom(ended: readonly OutcomeBucket[], at: number): FailureRise | null {
  const [former, since] = [ended.slice(0, at), ended.slice(at)];
  const [before, after] = [sumOf(former), sumOf(since)];
  const first = since.find(({ firstFailedAtMs }) => firstFailedAtMs !== null);
  if (!first || after.failed < LEAST_FAILED) return null;
  if (rate(sumOf(ended.slice(-LATELY))) < STILL_RATIO * rate(after)) return null;
  const error = commonest(since);
  // The change may fall late into a span: then the one before holds the first of what is new.
  const [onset, earlier] = [former[former.length - 1], former.slice(0, -1)];
  const isNewError = error !== null && !earlier.some((bucket) => bucket.error === error);
  const isInOnset = isNewError && onset?.error === error;
  return {
    firstFailureAtMs: (isInOnset ? onset.firstFailedAtMs : null) ?? first.firstFailedAtMs ?? first.atMs,
    beforeRatio: rate(before),
    sinceRatio: rate(after),
    failedSince: after.failed,
    error,
    isNewError,
  };
}

function commonest(buckets: readonly OutcomeBucket[]): string | null {
  const times = new Map<string, number>();
  for (const { error, failed } of buckets) if (error) times.set(error, (times.get(error) ?? 0) + failed);
  return [...times].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

function sumOf(buckets: readonly OutcomeBucket[]): { failed: number; ended: number } {
  return buckets.reduce(
    (sum, { completed, failed }) => ({ failed: sum.failed + failed, ended: sum.ended + completed + failed }),
    { failed: 0, ended: 0 },
  );
}

function rate({ failed, ended }: { failed: number; ended: number }): number {
  return ended === 0 ? 0 : failed / ended;
}

/** ln of the likelihood of so many failures at their own rate. */
function likelihood(failed: number, ended: number): number {
  if (ended === 0) return 0;
  const p = failed / ended;
  return (failed > 0 ? failed * Math.log(p) : 0) + (failed < ended ? (ended - failed) * Math.log(1 - p) : 0);
}
