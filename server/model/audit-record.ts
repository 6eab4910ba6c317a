import { z } from 'zod';
import { ActionCallSchema, OutcomeFacts } from './action.js';
import { type ModelOf, TimeSchema } from './json.js';

const MeasurementSchema = z.object({ at: TimeSchema, text: z.string(), isWarning: z.boolean() });
export type Measurement = ModelOf<typeof MeasurementSchema>;

/** One change, or the attempt at one: who, why, before, after, outcome. Holds no job data and no secret. */
export const AuditRecordSchema = z
  .object({
    id: z.string(),
    at: TimeSchema,
    actor: z.string(),
    via: z.string(),
    reason: z.string(),
    action: z.string(),
    instance: z.string(),
    queue: z.string().nullable(),
    jobId: z.string().nullable(),
    worker: z.string().nullable().describe('Id of the worker, for actions on one'),
    args: z.record(z.string(), z.unknown()),
    before: z.record(z.string(), z.string()),
    after: z.record(z.string(), z.string()),
    status: OutcomeFacts.shape.status,
    summary: z.string(),
    freedBytes: z.number().nullable(),
    durationMs: z.number(),
    undo: ActionCallSchema.nullable().describe('The call that takes it back; null: there is none'),
    measurement: MeasurementSchema.nullable().describe(
      'What was measured some seconds after; null: not yet, or nothing is measured',
    ),
  })
  .meta({ id: 'AuditRecord' });
export type AuditRecord = ModelOf<typeof AuditRecordSchema>;

export interface AuditQuery {
  readonly instance?: string;
  readonly queue?: string;
  /** One, or what stands before a dot in several. What is recorded of the door (`access.…`) is listed where it is asked for. */
  readonly action?: string;
  /** Not before this time. */
  readonly sinceMs?: number;
  /** Before this time. */
  readonly beforeMs?: number;
  /** Records older than this one (exclusive). */
  readonly cursor?: string;
  readonly limit: number;
}

export interface AuditLog {
  append(record: AuditRecord): Promise<void>;
  /** Newest first. */
  list(query: AuditQuery): Promise<readonly AuditRecord[]>;
  /**
   * Adds what was measured some seconds after (a rate that rose, a pause that did not hold).
   * Replaces the summary's addendum of that record; unknown ids are an error.
   */
  addMeasurement(id: string, measurement: Measurement): Promise<void>;
}
