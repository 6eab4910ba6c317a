import type { Absence, FailureRise, RunTimes, SlowReason } from '../model/job-type.js';

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

/** Runs that make a median worth comparing. */
const LEAST_RUNS = 10;
/** So much slower than its own past is not chance nor the time of day. */
const TIMES_BASELINE = 2.5;
const LEAST_ADDED_MS = 50;
/** It sets the time that its queue needs to drain. */
const LEAST_SHARE_OF_WORK = 0.5;
/** Work that takes less than this is not what a queue waits for. */
const LEAST_DRAIN_SECONDS = 60;
const LEAST_RUN_MS = 500;

export interface TypeToJudge {
  readonly run: RunTimes | null;
  readonly baseline: { readonly p50Ms: number; readonly p95Ms: number; readonly count: number } | null;
  readonly thresholdMs: number | null;
  /** Share of the queue's backlog, measured in work (jobs × mean run time), 0..1. */
  readonly shareOfWork: number | null;
  readonly queueDrainSeconds: number | null;
}

/** Why a type is slow, the weightiest reason first: a person's word, its own past, then the queue that it holds up. null: it is not. */
export function slowReason(type: TypeToJudge): SlowReason | null {
  const { run, baseline, thresholdMs } = type;
  if (!run || run.count === 0) return null;
  if (thresholdMs !== null && run.p95Ms > thresholdMs)
    return { code: 'threshold', thresholdMs, p95Ms: run.p95Ms };
  if (
    baseline &&
    run.count >= LEAST_RUNS &&
    baseline.count >= LEAST_RUNS &&
    run.p50Ms > TIMES_BASELINE * baseline.p50Ms &&
    run.p50Ms - baseline.p50Ms > LEAST_ADDED_MS
  )
    return { code: 'baseline', baselineP50Ms: baseline.p50Ms, nowP50Ms: run.p50Ms };
  const drains = type.queueDrainSeconds ?? 0;
  if (
    type.shareOfWork !== null &&
    type.shareOfWork >= LEAST_SHARE_OF_WORK &&
    drains > LEAST_DRAIN_SECONDS &&
    run.meanMs >= LEAST_RUN_MS
  )
    return { code: 'drain', shareOfWork: type.shareOfWork };
  return null;
}

/** Completions that make a habit. */
const LEAST_COMPLETIONS = 8;
/** Missing: so many times its longest gap so far and its usual one, and at least so long. */
const TIMES_LONGEST = 3;
const TIMES_USUAL = 6;
const LEAST_MS = 8_000;
/** ln of how rarely a gap may be called an absence by chance: once in 9 million. A busy type leaves thousands of gaps a day. */
const RARITY = 16;
/** What few gaps say of their own spread is too little by about so much, by √gaps; and burstier than this is measured by the longest. */
const SPREAD_DOUBT = 1.5;
const MAX_SPREAD = 1.5;
/** After so long it is not news any more: it was taken out of service. */
const LONGEST_MS = 24 * 3_600_000;

/**
 * A type that completed regularly and stopped: nothing for thrice the longest gap that it ever left, nor for six times the
 * usual one, nor for as long as chance would leave a gap: gaps by chance have an exponential tail of mean × spread², where
 * spread is their deviation ÷ mean (a gamma distribution's; 0: a clock, 1: Poisson). Clocks are missed soon, Poisson types
 * later, bursty ones, which have long gaps of their own, later still.
 * @param completedAtMs moments at which completions were seen, ascending; a bounded number of the latest.
 * @param isRunning some of it runs now: then it is slow, not absent.
 */
export function judgeAbsence(
  completedAtMs: readonly number[],
  isRunning: boolean,
  nowMs: number,
): Absence | null {
  const last = completedAtMs[completedAtMs.length - 1];
  if (last === undefined || completedAtMs.length < LEAST_COMPLETIONS || isRunning) return null;
  const silentMs = nowMs - last;
  // Cheap ones first: hardly any type is silent for long.
  if (silentMs <= LEAST_MS || silentMs >= LONGEST_MS) return null;
  // This is asked of every quiet type again and again, and nearly always the longest gap is the answer: then nothing is sorted.
  const longestGapMs = longestGap(completedAtMs);
  if (silentMs <= TIMES_LONGEST * longestGapMs) return null;
  const gaps = completedAtMs.slice(1).map((atMs, i) => atMs - (completedAtMs[i] ?? atMs));
  if (silentMs <= chanceGapMs(gaps)) return null;
  const usualGapMs = gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
  return silentMs > TIMES_USUAL * usualGapMs ? { lastCompletedAtMs: last, usualGapMs, longestGapMs } : null;
}

function longestGap(atMs: readonly number[]): number {
  let longestMs = 0;
  for (let i = 1; i < atMs.length; i += 1)
    longestMs = Math.max(longestMs, (atMs[i] ?? 0) - (atMs[i - 1] ?? 0));
  return longestMs;
}

/** The gap that chance leaves once in e^RARITY times. */
function chanceGapMs(gaps: readonly number[]): number {
  const meanMs = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  if (meanMs <= 0) return 0;
  const variance = gaps.reduce((sum, gap) => sum + (gap - meanMs) ** 2, 0) / gaps.length;
  const spread = Math.min(MAX_SPREAD, Math.sqrt(variance) / meanMs + SPREAD_DOUBT / Math.sqrt(gaps.length));
  return meanMs * (1 + RARITY * spread * spread);
}
