import type { Bytes } from './memory.js';
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

/** A number by estimate, with the range that holds the truth in 95 of 100 cases. Exact: low = value = high. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Where run times are from. `agent`: every run of attached workers. `finished`: retained finished jobs. `events`: the
 * events stream. `active`: only ages of running jobs. null: nothing is known yet.
 */
export type RunSource = 'agent' | 'finished' | 'events' | 'active';

export interface RunTimes {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Ascending; runs of more than the bucket before and at most `upToMs`. */
  readonly histogram: readonly { readonly upToMs: number; readonly count: number }[];
}

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
export interface Absence {
  readonly lastCompletedAtMs: number;
  /** Between completions, before: median and the longest. */
  readonly usualGapMs: number;
  readonly longestGapMs: number;
}

/** Why a type is called slow, in the order of weight. */
export type SlowReason =
  | { readonly code: 'threshold'; readonly thresholdMs: number; readonly p95Ms: number }
  | { readonly code: 'baseline'; readonly baselineP50Ms: number; readonly nowP50Ms: number }
  /** It takes most of the time that the queue needs to drain. */
  | { readonly code: 'drain'; readonly shareOfWork: number };

/** One job type (queue and job name) as it is now. */
export interface JobTypeState {
  readonly name: string;
  readonly waiting: Estimate | null;
  readonly active: Estimate | null;
  readonly shareOfBacklog: number | null;
  readonly arrivalsPerSecond: number | null;
  readonly completedPerSecond: number | null;
  readonly failedPerSecond: number | null;
  readonly source: RunSource | null;
  /** Runs that were not seen although they ended, over the same time: beyond a bound of a read. */
  readonly isPartial: boolean;
  /** Over the last one to two minutes. */
  readonly run: RunTimes | null;
  /** The oldest runs that go on, ms; null: none seen. */
  readonly longestRunningMs: number | null;
  /** From added (and due) to started. */
  readonly waited: { readonly p50Ms: number; readonly p95Ms: number } | null;
  /** Its own past, up to some minutes ago; null: watched for too short a time. */
  readonly baseline: {
    readonly p50Ms: number;
    readonly p95Ms: number;
    readonly count: number;
    readonly sinceMs: number;
  } | null;
  /** Slots that it keeps busy: finished per second × mean run time (Little's law). */
  readonly effectiveConcurrency: number | null;
  readonly memoryBytes: number | null;
  readonly memoryErrorBytes: number | null;
  readonly bytesPerJob: number | null;
  /** Set for it by a person; null: none. */
  readonly slowThresholdMs: number | null;
  readonly slow: SlowReason | null;
  readonly batchWait: BatchWait | null;
  readonly failing: FailureRise | null;
  readonly absent: Absence | null;
  readonly lastCompletedAtMs: number | null;
  readonly lastError: string | null;
  /** Medians of run times over spans of 10 s, oldest first, the last one still going on; null: none ended. */
  readonly runTrend: readonly (number | null)[];
  /** The same of the time that jobs waited before they started. */
  readonly waitTrend: readonly (number | null)[];
}

export interface BatchWait {
  /** What a run takes when its batch waits for the timer: the client's wait, and the answer to what it sends. */
  readonly flushTimeoutMs: number;
  /** Slots per process at which a batch fills; null: not known yet. */
  readonly batchSize: number | null;
  /** It is at least so many: batches with one less were seen to wait for the timer. */
  readonly batchSizeAtLeast: number;
  /**
   * 0.5..1, more with every burst. At most 0.7 where the runs of each burst began within 50 ms of each other: jobs
   * that sleep for exactly as long each time and began in step look the same.
   */
  readonly confidence: number;
  readonly evidence: BatchEvidence;
  /** Concurrency is below the batch size, so every batch waits for the timer. */
  readonly isStarved: boolean;
}

/** What a person may want to see of why it is said. */
export interface BatchEvidence {
  /** At the wall. */
  readonly bursts: number;
  readonly medianBurstSize: number;
  /** Share of the runs that ended together with others of their process, 0..1. */
  readonly syncRatio: number;
  /** What that share would be if each run took its time whatever the others did, 0..1. */
  readonly chanceRatio: number;
  /** Median deviation of bursts' longest runs from the wall, as a share of it. */
  readonly wallSpreadRatio: number;
  /** From the first to the last end of a burst, and start; medians. */
  readonly endSpreadMs: number;
  readonly startSpreadMs: number;
  readonly processes: number;
  /** That were judged: completed, and not much shorter than most. */
  readonly runs: number;
  /** Share of the runs that took just as long as the wall, 0..1. */
  readonly shareAtWall: number;
}

/**
 * What one tenant has in a queue: jobs that wait (in order, by priority or paused) or run; those that are delayed or wait for
 * children are not looked at. `tenant` is text from job data (at most 80 characters), or one of NOT_TENANTS.
 */
export interface TenantShare extends Bytes {
  readonly tenant: string;
  readonly jobs: Estimate;
  /** Of all jobs of the queue that wait or run, 0..1. */
  readonly shareOfBacklog: number;
}

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
