import type { SkipReason } from './replay-account.js';
import type { ReplayFilter } from './replay-filter.js';
import type { Cursor } from './replay-record.js';

/** A parked job as a replay needs to know it: its id, and its place on disk as the score of a cursor. */
export interface ParkedJob extends Cursor {
  readonly name: string;
  /** When its parking began. */
  readonly parkedAtMs: number;
}

/** Which parked jobs a replay is about. Those of a parking that is under way are left to it. */
export interface ParkedSelection {
  readonly instance: string;
  readonly queues: readonly string[];
  /** The time range is of the beginning of their parking. */
  readonly filter: ReplayFilter;
  /** Jobs whose parking began later don't belong to it. */
  readonly cutoffMs: number;
}

/** What a look through parked jobs found. */
export interface ParkedFound {
  readonly matched: number;
  readonly lookedAt: number;
  readonly inRange: number;
  /** False: it was stopped before all were looked at. */
  readonly isComplete: boolean;
  readonly types: ReadonlyMap<string, number>;
  readonly sample: readonly (ParkedJob & { readonly queue: string })[];
}

/** A part of a batch of a replay; the same when it is asked for again. */
export interface ParkedCall {
  readonly instance: string;
  readonly queue: string;
  readonly replay: string;
  readonly batch: number;
  readonly order: 'oldest' | 'newest';
  readonly jobs: readonly (readonly [id: string, score: string])[];
}

/**
 * Jobs on the console's disk, as a source of replays.
 * The order of steps that loses nothing and doubles nothing: the replay writes down what it took; `restore` puts it into
 * Redis and keeps what came of it; the replay writes that down; `done` forgets it.
 */
export interface ParkedSource {
  look(selection: ParkedSelection, shouldStop: (lookedAt: number) => boolean): Promise<ParkedFound>;
  /** The next jobs behind the cursors, of one queue, without changing anything; null: there are no more. */
  take(
    selection: ParkedSelection,
    order: 'oldest' | 'newest',
    cursors: Readonly<Record<string, Cursor>>,
    limit: number,
    shouldStop: () => boolean,
  ): Promise<{ readonly queue: string; readonly jobs: readonly ParkedJob[] } | null>;
  /**
   * One answer for each job, in their order; those that can't come back stay on disk. Asked again, also by a console that
   * starts after a crash, it puts nothing into Redis twice and gives the same answers.
   * @throws what Redis says, also that it is full: then none was put there.
   */
  restore(call: ParkedCall): Promise<readonly ('moved' | SkipReason)[]>;
  /** The replay has the answers of its batches up to this one. */
  done(replay: string, batch: number): Promise<void>;
  /** Of these scores, those whose job is still on disk, as Redis may yet lose it: that it is not in Redis is no end. */
  unsure(scores: readonly string[]): Promise<ReadonlySet<string>>;
}
