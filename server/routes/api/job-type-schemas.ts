import { z } from '@hono/zod-openapi';
import { type TypeOfQueue, typesOfQueue, typeTroubles } from '../../model/job-type-order.js';
import type { QueueState } from '../../model/snapshot.js';
import { isoTime } from './iso-time.js';

/** Shapes in which the API tells of job types. Times are ISO 8601 in UTC; ratios are 0 to 1; null means not known. */

const estimate = z
  .object({ value: z.number(), low: z.number(), high: z.number() })
  .nullable()
  .openapi({ description: 'By samples: the truth lies within low and high in 95 of 100 cases.' });

const runTimes = z.object({
  count: z.number(),
  meanMs: z.number(),
  p50Ms: z.number(),
  p95Ms: z.number(),
  p99Ms: z.number(),
  histogram: z
    .array(z.object({ upToMs: z.number(), count: z.number() }))
    .openapi({ description: 'Ascending; runs longer than the bucket before and of at most upToMs.' }),
});

const slow = z.discriminatedUnion('code', [
  z.object({ code: z.literal('threshold'), thresholdMs: z.number(), p95Ms: z.number() }),
  z.object({ code: z.literal('baseline'), baselineP50Ms: z.number(), nowP50Ms: z.number() }),
  z.object({ code: z.literal('drain'), shareOfWork: z.number() }),
]);

const batchWait = z.object({
  flushTimeoutMs: z.number().openapi({ description: 'What a run takes when its batch waits for the timer.' }),
  batchSize: z.number().nullable().openapi({ description: 'Slots per process at which a batch fills.' }),
  batchSizeAtLeast: z.number(),
  confidence: z.number(),
  isStarved: z
    .boolean()
    .openapi({ description: 'Concurrency is below the batch size, so every batch waits for the timer.' }),
  evidence: z.record(z.string(), z.unknown()),
});

export const JobTypeSchema = z
  .object({
    name: z.string().openapi({ example: 'send-digest' }),
    troubles: z
      .array(z.enum(['failing', 'absent', 'batch-wait', 'slow']))
      .openapi({ description: 'What is wrong, worst first; empty: nothing.' }),
    waiting: estimate,
    active: estimate,
    workSeconds: z
      .number()
      .openapi({ description: 'What its waiting jobs will take to run, one after the other.' }),
    shareOfBacklog: z.number().nullable(),
    arrivalsPerSecond: z.number().nullable(),
    completedPerSecond: z.number().nullable(),
    failedPerSecond: z.number().nullable(),
    source: z.enum(['agent', 'finished', 'events', 'active']).nullable().openapi({
      description:
        'Where run times are from. agent: every run of attached workers. finished: retained finished jobs, so none of what is removed at once. events: the events stream, as far as it reaches back. active: only ages of jobs that run.',
    }),
    isPartial: z
      .boolean()
      .openapi({ description: 'Runs ended that were not seen: beyond the bound of a read.' }),
    run: runTimes.nullable().openapi({ description: 'Over the last one to two minutes.' }),
    longestRunningMs: z.number().nullable(),
    waited: z
      .object({ p50Ms: z.number(), p95Ms: z.number() })
      .nullable()
      .openapi({ description: 'From added (and due) to started.' }),
    baseline: z
      .object({ p50Ms: z.number(), p95Ms: z.number(), count: z.number(), since: z.string() })
      .nullable()
      .openapi({ description: 'Its own past, up to some minutes ago.' }),
    effectiveConcurrency: z.number().nullable().openapi({ description: 'Slots that it keeps busy.' }),
    memoryBytes: z.number().nullable(),
    memoryErrorBytes: z.number().nullable(),
    bytesPerJob: z.number().nullable(),
    slowThresholdMs: z.number().nullable(),
    slow: slow.nullable(),
    batchWait: batchWait.nullable(),
    failing: z
      .object({
        since: z.string(),
        beforeRatio: z.number(),
        sinceRatio: z.number(),
        failedSince: z.number(),
        error: z.string().nullable(),
        isNewError: z.boolean(),
      })
      .nullable(),
    absent: z
      .object({ lastCompletedAt: z.string(), usualGapMs: z.number(), longestGapMs: z.number() })
      .nullable(),
    lastCompletedAt: z.string().nullable(),
    lastError: z.string().nullable(),
    errorsHidden: z
      .boolean()
      .openapi({ description: 'True: the role does not see errors, which may quote job data.' }),
    runTrendMs: z
      .array(z.number().nullable())
      .openapi({ description: 'Medians over spans of 10 s, oldest first; null: none ended.' }),
  })
  .openapi('JobType');

export const QueueJobTypeSchema = JobTypeSchema.extend({
  queue: z.string().openapi({ description: 'Id of its queue', example: 'bull:mail' }),
}).openapi('QueueJobType');

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
