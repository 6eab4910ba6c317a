import type { z } from '@hono/zod-openapi';
import { type TypeOfQueue, typesOfQueue, typeTroubles } from '../../model/job-type-order.js';
import type { QueueState } from '../../model/snapshot.js';
import { isoTime } from './iso-time.js';
import type { JobTypeSchema, QueueJobTypeSchema } from './job-type-schemas.js';

/** Job types of a queue, the one that holds most work first. Pure. */
export function presentJobTypes(queue: QueueState, showsData: boolean): z.infer<typeof JobTypeSchema>[] {
  return typesOfQueue(queue).map((one) => presentJobType(one, showsData));
}

export function presentQueueJobType(
  one: TypeOfQueue,
  showsData: boolean,
): z.infer<typeof QueueJobTypeSchema> {
  return { queue: one.queue.id, ...presentJobType(one, showsData) };
}

/** @param showsData whether the role sees errors: what a job failed with often quotes its data. */
function presentJobType(
  { type, workSeconds }: TypeOfQueue,
  showsData: boolean,
): z.infer<typeof JobTypeSchema> {
  const { run, baseline, batchWait, failing, absent } = type;
  return {
    name: type.name,
    troubles: [...typeTroubles(type)],
    waiting: type.waiting && { ...type.waiting },
    active: type.active && { ...type.active },
    workSeconds,
    shareOfBacklog: type.shareOfBacklog,
    arrivalsPerSecond: type.arrivalsPerSecond,
    completedPerSecond: type.completedPerSecond,
    failedPerSecond: type.failedPerSecond,
    source: type.source,
    isPartial: type.isPartial,
    run: run && { ...run, histogram: run.histogram.map((bucket) => ({ ...bucket })) },
    longestRunningMs: type.longestRunningMs,
    waited: type.waited && { ...type.waited },
    baseline: baseline && {
      p50Ms: baseline.p50Ms,
      p95Ms: baseline.p95Ms,
      count: baseline.count,
      since: isoTime(baseline.sinceMs),
    },
    effectiveConcurrency: type.effectiveConcurrency,
    memoryBytes: type.memoryBytes,
    memoryErrorBytes: type.memoryErrorBytes,
    bytesPerJob: type.bytesPerJob,
    slowThresholdMs: type.slowThresholdMs,
    slow: type.slow && { ...type.slow },
    batchWait: batchWait && { ...batchWait, evidence: { ...batchWait.evidence } },
    failing: failing && {
      since: isoTime(failing.firstFailureAtMs),
      beforeRatio: failing.beforeRatio,
      sinceRatio: failing.sinceRatio,
      failedSince: failing.failedSince,
      error: showsData ? failing.error : null,
      isNewError: failing.isNewError,
    },
    absent: absent && {
      lastCompletedAt: isoTime(absent.lastCompletedAtMs),
      usualGapMs: absent.usualGapMs,
      longestGapMs: absent.longestGapMs,
    },
    lastCompletedAt: isoTime(type.lastCompletedAtMs),
    lastError: showsData ? type.lastError : null,
    errorsHidden: !showsData,
    runTrendMs: [...type.runTrend],
  };
}
