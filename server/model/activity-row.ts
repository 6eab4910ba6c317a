import type { ActivityEntry, ActivityGroup } from './activity-entry.js';

/** A stretch of time in which something held. */
export interface ActivitySpan {
  readonly fromMs: number;
  /** null: it holds still. */
  readonly toMs: number | null;
  readonly state: 'critical' | 'warning' | 'info';
  /** Id of the entry with which it began. */
  readonly entry: string;
}

/** One line of the activity as people read it: a trouble from its beginning to its end with all alerts about it, or what was done. */
export interface ActivityRow {
  /** Id of its first entry: as such it is linked and marked. */
  readonly id: string;
  readonly group: ActivityGroup;
  readonly headline: string;
  /** Its worst numbers, or why it was done; empty: nothing is to be said. */
  readonly detail: string;
  /** The worst of it. */
  readonly state: ActivityEntry['state'];
  readonly instance: string;
  readonly queue: string | null;
  readonly fromMs: number;
  /** null: it lasts. The same as `fromMs`: a moment. */
  readonly toMs: number | null;
  /** Empty: it is a moment, or several. */
  readonly spans: readonly ActivitySpan[];
  /** What happened in it, oldest first. */
  readonly entries: readonly ActivityEntry[];
  /** Times that an alert about it fired. */
  readonly alerts: number;
  /** Id of the row that it follows from; null: it stands by itself. */
  readonly follows: string | null;
}
