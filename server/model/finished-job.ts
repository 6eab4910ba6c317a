import { ownText } from './own-text.js';

/** A job that ended, as far as Redis shows it: retained with its fields, or told of by the events stream. */
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
