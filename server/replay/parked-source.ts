import type { SkipReason } from '../model/replay-account.js';
import type { ReplayFilter } from '../model/replay-filter.js';

/** A parked job as a replay needs to know it. */
export interface ParkedJob {
  readonly id: string;
  readonly queue: string;
  readonly name: string;
  readonly parkedAtMs: number;
}

/** Which parked jobs a replay is about. */
export interface ParkedSelection {
  readonly instance: string;
  readonly queues: readonly string[];
  readonly filter: ReplayFilter;
  /** Jobs that were parked later don't belong to it. */
  readonly cutoffMs: number;
}

/**
 * Jobs on the console's disk, as a source of replays. Who keeps them implements this.
 * The order of steps that loses nothing and doubles nothing: the replay writes down what it took, `restore` puts it into
 * Redis (again after a crash: a job that it has put there before is `moved`, not doubled), `done` forgets it on disk.
 */
export interface ParkedSource {
  count(selection: ParkedSelection): Promise<number>;
  /** The next jobs that are neither done nor skipped, without changing anything. */
  take(selection: ParkedSelection, order: 'oldest' | 'newest', limit: number): Promise<readonly ParkedJob[]>;
  /** One answer for each id, in their order. Idempotent. */
  restore(
    instance: string,
    queue: string,
    ids: readonly string[],
  ): Promise<readonly ('moved' | SkipReason)[]>;
  /** They are in Redis, or skipped for good: `take` does not give them again. */
  done(instance: string, queue: string, ids: readonly string[]): Promise<void>;
}
