import { z } from 'zod';
import type { ActivityEntry } from '../../model/activity-entry.js';
import type { ModelOf } from '../../model/json.js';
import type { Episode } from '../episode.js';

/** All that the post-mortem of an incident is made from. */
export interface IncidentFacts {
  readonly fromMs: number;
  /** null: it still lasts. */
  readonly toMs: number | null;
  readonly nowMs: number;
  /** Findings of the range, the first first. */
  readonly episodes: readonly Episode[];
  /** The activity of the range, oldest first. */
  readonly entries: readonly ActivityEntry[];
  /** There were more entries than are kept here. */
  readonly areEntriesCut: boolean;
  /** From the history of signals; null: no history is kept, or it holds nothing of the range. */
  readonly history: HistoryFacts | null;
  readonly replays: readonly ReplayFact[];
  readonly parkings: readonly ParkingFact[];
  /** From this backlog on jobs count as delayed. */
  readonly backlogThresholdJobs: number;
}

/** A number as it was measured, with its time where it is known. */
export interface Peak {
  readonly value: number;
  readonly atMs: number | null;
}

export interface HistoryFacts {
  /** Width of the steps that the numbers were read at: a peak within a step is kept, its second is not. */
  readonly stepMs: number;
  /** Share of the range in which nothing was read: the console was not there, held up, or without an answer. */
  readonly gapRatio: number;
  readonly memoryRatio: Peak | null;
  readonly backlogJobs: Peak | null;
  readonly longestWaitSeconds: Peak | null;
  readonly refusedPerSecond: Peak | null;
  /** By how many jobs the failed sets grew; null: not known. */
  readonly failedJobs: number | null;
  /** Queues whose backlog was above the threshold, the worst first. */
  readonly delayed: readonly DelayedQueue[];
}

export interface DelayedQueue {
  readonly queue: string;
  readonly peakJobs: number;
  /**
   * Integral of the backlog over the time in which it stood above the threshold: by Little's law the time that jobs waited
   * then, added up. At least so much: what was not read counts for nothing.
   */
  readonly waitedJobSeconds: number;
}

const count = z.number();

export const ReplayFactSchema = z.object({
  id: z.string(),
  state: z.string(),
  actor: z.string(),
  matched: count,
  moved: count,
  skipped: count,
  remaining: count,
  succeeded: count,
  failedAgain: count,
  gone: count.describe('Ended or removed and kept nowhere: whether well is not known'),
});
export type ReplayFact = ModelOf<typeof ReplayFactSchema>;

export const ParkingFactSchema = z.object({
  id: z.string(),
  queue: z.string(),
  actor: z.string(),
  parked: count,
  restored: count,
  present: count.describe('Not brought back, as they are in Redis already'),
  remaining: count.describe('On disk and nowhere else'),
});
export type ParkingFact = ModelOf<typeof ParkingFactSchema>;
