import type { JobState } from './memory.js';

export interface JobQuery {
  readonly state: JobState;
  /** Offset from the front of the state's order; opaque to clients. */
  readonly cursor: number;
  /** At most 100. */
  readonly limit: number;
}

export interface JobRow {
  readonly id: string;
  readonly name: string;
  readonly timestampMs: number | null;
  readonly delayMs: number;
  readonly priority: number;
  readonly attemptsMade: number;
  readonly processedAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly failedReason: string | null;
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
