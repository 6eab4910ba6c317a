import type { RunTimes, SlowReason } from '../model/job-type.js';

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
