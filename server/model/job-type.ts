import { z } from 'zod';
import { OTHER_TYPES } from '../../agent/protocol.js';
import { type ModelOf, TimeSchema } from './json.js';
import { bytesFields } from './memory.js';
import { ownText } from './text.js';

/** A job that ended, as far as Redis shows it: retained with its fields, or shown by the events stream. */
export interface FinishedJob {
  readonly jobId: string;
  readonly type: string;
  readonly failed: boolean;
  readonly endedAtMs: number;
  /** null: not known. */
  readonly startedAtMs: number | null;
  /** When it could have started: added, and its delay over. null: not known, or a retry. */
  readonly dueAtMs: number | null;
  /** BullMQ's name of the worker that had it. */
  readonly process: string | null;
  /** First line, at most 200 characters. */
  readonly error: string | null;
}

/** The start of a text that may be long, for a line on the page. */
export function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return ownText(text, Math.min(end < 0 ? text.length : end, 200));
}

/** A number by estimate. Exact: low = value = high. */
const EstimateSchema = z
  .object({ value: z.number(), low: z.number(), high: z.number() })
  .describe('By samples: the truth lies within low and high in 95 of 100 cases.');
export type Estimate = ModelOf<typeof EstimateSchema>;

const RunTimesSchema = z.object({
  count: z.number(),
  meanMs: z.number(),
  p50Ms: z.number(),
  p95Ms: z.number(),
  p99Ms: z.number(),
  histogram: z
    .array(z.object({ upToMs: z.number(), count: z.number() }))
    .describe('Ascending; runs longer than the bucket before and of at most upToMs.'),
});
export type RunTimes = ModelOf<typeof RunTimesSchema>;

/** A type whose share of failures rose at a moment. */
export interface FailureRise {
  /** The first failure of the present run of failures. */
  readonly firstFailureAtMs: number;
  /** Share of finished jobs that failed, before and since, 0..1. */
  readonly beforeRatio: number;
  readonly sinceRatio: number;
  readonly failedSince: number;
  /** The error that came with it: first line, at most 200 characters. null: not known. */
  readonly error: string | null;
  /** That error was not seen before the rise. */
  readonly isNewError: boolean;
}

/** A type that completed regularly and stopped. */
const AbsenceSchema = z.object({
  lastCompletedAt: TimeSchema,
  usualGapMs: z.number().describe('Between completions, before: the median'),
  longestGapMs: z.number(),
});
export type Absence = ModelOf<typeof AbsenceSchema>;

/** Why a type is called slow, in the order of weight. */
const SlowReasonSchema = z.discriminatedUnion('code', [
  z.object({ code: z.literal('threshold'), thresholdMs: z.number(), p95Ms: z.number() }),
  z.object({ code: z.literal('baseline'), baselineP50Ms: z.number(), nowP50Ms: z.number() }),
  z
    .object({ code: z.literal('drain'), shareOfWork: z.number() })
    .describe('It takes most of the time that the queue needs to drain'),
]);
export type SlowReason = ModelOf<typeof SlowReasonSchema>;

/** What a person may want to see of why it is said. */
const BatchEvidenceSchema = z.object({
  bursts: z.number().describe('Seen to end together after `flushTimeoutMs`'),
  medianBurstSize: z.number(),
  syncRatio: z.number().describe('Share of the runs that ended together with others of their process, 0..1'),
  chanceRatio: z
    .number()
    .describe('What that share would be if each run took its time whatever the others did, 0..1'),
  flushSpreadRatio: z
    .number()
    .describe('Median deviation of the longest runs of bursts from `flushTimeoutMs`, as a share of it'),
  endSpreadMs: z.number().describe('From the first to the last end of a burst; median'),
  startSpreadMs: z.number().describe('The same of starts'),
  processes: z.number(),
  runs: z.number().describe('That were judged: completed, and not much shorter than most'),
  shareAtFlush: z.number().describe('Share of the runs that took just as long as `flushTimeoutMs`, 0..1'),
});
export type BatchEvidence = ModelOf<typeof BatchEvidenceSchema>;

const BatchWaitSchema = z.object({
  flushTimeoutMs: z
    .number()
    .describe(
      'What a run takes when its batch waits for the timer: the client’s wait, and the answer to what it sends.',
    ),
  batchSize: z.number().nullable().describe('Slots per process at which a batch fills.'),
  batchSizeAtLeast: z.number().describe('Batches with one less were seen to wait for the timer'),
  /**
   * At most 0.7 where the runs of each burst began within 50 ms of each other: jobs that sleep for exactly as long each
   * time and began in step look the same.
   */
  confidence: z.number().describe('0.5..1, more with every burst'),
  isStarved: z.boolean().describe('Concurrency is below the batch size, so every batch waits for the timer.'),
  evidence: BatchEvidenceSchema,
});
export type BatchWait = ModelOf<typeof BatchWaitSchema>;

/** One job type (queue and job name) as it is now, as far as answers show it as it is. */
export const JobTypeFacts = z.object({
  name: z.string().meta({ example: 'send-digest' }),
  waiting: EstimateSchema.nullable(),
  active: EstimateSchema.nullable(),
  shareOfBacklog: z.number().nullable(),
  arrivalsPerSecond: z.number().nullable(),
  completedPerSecond: z.number().nullable(),
  failedPerSecond: z.number().nullable(),
  source: z
    .enum(['agent', 'finished', 'events', 'active'])
    .nullable()
    .describe(
      'Where run times are from. agent: every run of attached workers. finished: retained finished jobs, so none of what is removed at once. events: the events stream, as far as it reaches back. active: only ages of jobs that run. null: nothing is known yet.',
    ),
  isPartial: z.boolean().describe('Runs ended that were not seen: beyond the bound of a read.'),
  run: RunTimesSchema.nullable().describe('Over the last one to two minutes.'),
  longestRunningMs: z.number().nullable().describe('The oldest runs that go on; null: none seen'),
  waited: z
    .object({ p50Ms: z.number(), p95Ms: z.number() })
    .nullable()
    .describe('From added (and due) to started.'),
  baseline: z
    .object({ p50Ms: z.number(), p95Ms: z.number(), count: z.number(), since: TimeSchema })
    .nullable()
    .describe('Its own past, up to some minutes ago; null: watched for too short a time.'),
  effectiveConcurrency: z
    .number()
    .nullable()
    .describe('Slots that it keeps busy: finished per second × mean run time (Little’s law).'),
  memoryBytes: z.number().nullable(),
  memoryErrorBytes: z.number().nullable(),
  bytesPerJob: z.number().nullable(),
  slowThresholdMs: z.number().nullable().describe('Set for it by a person; null: none'),
  slow: SlowReasonSchema.nullable(),
  batchWait: BatchWaitSchema.nullable(),
  absent: AbsenceSchema.nullable(),
  lastCompletedAt: TimeSchema.nullable(),
  lastError: z.string().nullable(),
});

/** Is it one type, and not those that are counted together? */
export function isNamedType(name: string): boolean {
  return name !== OTHER_TYPES;
}

/** Where run times are from. */
export type RunSource = NonNullable<JobTypeState['source']>;

export interface JobTypeState extends ModelOf<typeof JobTypeFacts> {
  readonly failing: FailureRise | null;
  /** Medians of run times over spans of 10 s, oldest first, the last one still going on; null: none ended. */
  readonly runTrend: readonly (number | null)[];
  /** The same of the time that jobs waited before they started. */
  readonly waitTrend: readonly (number | null)[];
}

/**
 * What one tenant has in a queue: jobs that wait (in order, by priority or paused) or run; those that are delayed or wait for
 * children are not looked at. `tenant` is text from job data (at most 80 characters), or one of NOT_TENANTS.
 */
export const TenantShareSchema = z
  .object({
    tenant: z.string().describe('From job data, or one of (other), (none) and (unread: data too large)'),
    jobs: EstimateSchema,
    ...bytesFields,
    shareOfBacklog: z.number().describe('Of the jobs that wait or run, 0 to 1'),
  })
  .meta({ id: 'TenantShare' });
export type TenantShare = ModelOf<typeof TenantShareSchema>;

/** Where a batch was never seen to fill: clients of analytics gather 15 to 20 requests, few more than this. */
export const USUAL_BATCHES_FIT = 50;

/**
 * Do batches wait for the timer for want of slots? With more jobs waiting than slots it is the slots of a process that
 * decide; with fewer, what was seen of the runs themselves.
 * @param slotsByProcess as they are now; null: not known, no agent tells.
 */
export function isStarvedBy(
  slotsByProcess: ReadonlyMap<string, number> | null,
  backlog: number,
  wait: Pick<BatchWait, 'isStarved' | 'batchSize'>,
): boolean {
  if (slotsByProcess === null || slotsByProcess.size === 0) return wait.isStarved;
  const slots = [...slotsByProcess.values()].reduce((sum, of) => sum + of, 0);
  if (backlog <= slots) return wait.isStarved;
  return slots / slotsByProcess.size < (wait.batchSize ?? USUAL_BATCHES_FIT);
}
