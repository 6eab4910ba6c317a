import type { ActionCall, OutcomeStatus } from './action.js';

/** One change, or the attempt at one: who, why, before, after, outcome. Holds no job data and no secret. */
export interface AuditRecord {
  readonly id: string;
  readonly atMs: number;
  readonly actor: string;
  readonly via: string;
  readonly reason: string;
  readonly action: string;
  readonly instance: string;
  readonly queue: string | null;
  readonly jobId: string | null;
  /** Id of the worker, for actions on one. */
  readonly worker: string | null;
  readonly args: Readonly<Record<string, unknown>>;
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
  readonly status: OutcomeStatus;
  readonly summary: string;
  readonly freedBytes: number | null;
  readonly durationMs: number;
  /** The call that takes it back; null where there is none. */
  readonly undo: ActionCall | null;
  /** What was measured some seconds after; null before that, or where nothing is measured. */
  readonly measurement?: Measurement | null;
}

export interface Measurement {
  readonly atMs: number;
  readonly text: string;
  readonly isWarning: boolean;
}

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
