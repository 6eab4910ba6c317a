import { z } from 'zod';
import { type ModelOf, TimeSchema } from './json.js';
import type { JobState } from './memory.js';

/** The type that a canary job has unless another is asked for. */
export const CANARY_TYPE = 'spillway.canary';

/** The queue does not take a canary job, or Redis does not. The message says why. */
export class CanaryRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CanaryRefused';
  }
}

export interface CanaryAsk {
  readonly jobType: string;
  readonly timeoutMs: number;
  readonly jobId: string;
  readonly now: () => number;
}

export const CanarySchema = z
  .object({
    jobId: z.string(),
    jobType: z.string(),
    stage: z
      .enum(['waiting', 'active', 'completed', 'failed'])
      .describe(
        'How far it came. waiting: no worker took it in time; active: a worker has not ended it; completed, failed: all the way',
      ),
    acceptedAt: TimeSchema.describe("Redis has accepted it, by the console's clock"),
    startedAt: TimeSchema.nullable().describe("By the clock of the worker's machine; null: not reached"),
    finishedAt: TimeSchema.nullable().describe("By the clock of the worker's machine; null: not reached"),
    totalMs: z.number().describe('From the call until its end was seen, or time was up'),
    failedReason: z.string().nullable().describe('As the worker gave it; null: it did not fail'),
    waitingJobs: z.number().nullable().describe('In the queue, where it got no further than waiting'),
    isRemoved: z.boolean().describe('The job is gone from Redis again'),
  })
  .meta({ id: 'Canary' });
export type CanaryResult = ModelOf<typeof CanarySchema>;

export interface JobQuery {
  readonly state: JobState;
  /** Offset from the front of the state's order; opaque to clients. */
  readonly cursor: number;
  /** At most 100. */
  readonly limit: number;
}

export const JobRowSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    timestamp: TimeSchema.nullable(),
    delayMs: z.number(),
    priority: z.number(),
    attemptsMade: z.number(),
    processedAt: TimeSchema.nullable(),
    finishedAt: TimeSchema.nullable(),
    failedReason: z.string().nullable(),
  })
  .meta({ id: 'JobRow' });

export interface JobRow extends ModelOf<typeof JobRowSchema> {
  readonly memoryBytes: number | null;
}

export interface JobPage {
  readonly state: JobState;
  readonly total: number;
  readonly jobs: readonly JobRow[];
  /** null: no more. */
  readonly nextCursor: number | null;
}

/** Everything of one job. `data`, `opts`, `returnValue`, `logs` and `stackTrace` are sensitive: shown only to those allowed. */
export interface JobDetail extends JobRow {
  readonly state: JobState | 'unknown';
  readonly data: string;
  readonly opts: string;
  readonly returnValue: string | null;
  readonly stackTrace: readonly string[];
  readonly progress: string | null;
  readonly logs: readonly string[];
  readonly logsTotal: number;
  readonly parentKey: string | null;
  readonly processedBy: string | null;
  /** True where a field was cut at the read limit. */
  readonly isTruncated: boolean;
}
