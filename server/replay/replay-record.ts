import type { ReplayCounts } from './replay-account.js';
import type { GuardBaseline, MovedOutcomes } from './replay-guard.js';
import type { ReplaySpec } from './replay-spec.js';

/**
 * The life of a replay. A dry run comes before it and leaves no trace.
 *
 * - `running`: jobs are counted first (that takes seconds where they must be looked into), then moved at the pace that
 *   a person has set or, where live traffic would suffer, at that of the guard, down to a rest. A rest is not a pause:
 *   it ends by itself.
 * - `paused`: nothing is moved. By a person, or by the guard when what is replayed only fails again: that does not get
 *   better by itself, so a person has to resume it. What was moved is still watched.
 * - `done`: every job of the range has had its turn. What has come of the moved ones is watched on, for a day.
 * - `aborted`: a person has ended it; what remains stays where it was.
 * - `failed`: Redis refuses it for a reason that time does not heal (rights, a key that holds something else).
 *
 * A person moves it running ⇄ paused and either → aborted; the guard running → paused; the engine running → done or
 * failed. What has ended does not begin again: another replay of the same range takes what is left.
 */
export type ReplayState = 'running' | 'paused' | 'done' | 'aborted' | 'failed';

/** Where the sweep of one queue stands: all jobs up to this one have had their turn. */
export interface Cursor {
  /** The score (time of finishing) as Redis writes it. */
  readonly score: string;
  readonly id: string;
}

/** All that is known of a replay, as it is kept. */
export interface ReplayRecord {
  readonly id: string;
  readonly instance: string;
  readonly spec: ReplaySpec;
  /** Ids of the queues, fixed at the start. */
  readonly queues: readonly string[];
  readonly actor: string;
  readonly createdAtMs: number;
  /** Jobs that finished later don't match: one that fails again is not taken again. */
  readonly cutoffMs: number;
  readonly endedAtMs: number | null;
  readonly state: ReplayState;
  readonly pausedBy: 'person' | 'guard' | null;
  /** What a person has set; the guard stays below. */
  readonly ratePerSecond: number;
  /** Why it goes as it goes, or why it has ended: one sentence. */
  readonly reason: string;
  readonly counts: ReplayCounts;
  readonly cursors: Readonly<Record<string, Cursor>>;
  readonly isSwept: boolean;
  /** Redis or the console has broken off meanwhile: the range is swept once more at the end. */
  readonly needsResweep: boolean;
  readonly lastSeq: number;
  readonly baseline: GuardBaseline | null;
  /** The canary is what is moved from here on: set anew when a person resumes. */
  readonly canaryFrom: MovedOutcomes;
}

/** Has it ended? Then it never moves anything again. */
export function hasEnded({ state }: Pick<ReplayRecord, 'state'>): boolean {
  return state === 'done' || state === 'aborted' || state === 'failed';
}

/** Jobs of one batch. `characters` has one for each: see read-outcomes.lua and replay-jobs.lua; empty while `moving`. */
export interface ReplayBatch {
  readonly replay: string;
  readonly seq: number;
  /** `moving`: written before Redis is asked. `open`: some are still to run. `settled`: the end of all is known. */
  readonly phase: 'moving' | 'open' | 'settled';
  readonly queue: string;
  readonly jobs: readonly (readonly [id: string, score: string])[];
  readonly characters: string;
}

/** Where replays are kept. Every write is on disk when its promise resolves. */
export interface ReplayStore {
  /** All that are kept, newest first; those under way are among them however old. */
  list(): Promise<readonly ReplayRecord[]>;
  save(record: ReplayRecord): Promise<void>;
  /** All or nothing. */
  saveBatches(record: ReplayRecord, batches: readonly ReplayBatch[]): Promise<void>;
  /** In order, from the one behind `afterSeq` on. */
  batchesIn(
    replay: string,
    phase: ReplayBatch['phase'],
    afterSeq: number,
    limit: number,
  ): Promise<readonly ReplayBatch[]>;
  remove(replay: string): Promise<void>;
  /**
   * Drops batches that nothing asks for any more (their numbers stay in the record), and ended replays beyond the bounds
   * of age and number with all their batches. @returns ids of the replays that were dropped.
   */
  prune(nowMs: number): Promise<readonly string[]>;
}
