import type { Snapshot } from '../model/snapshot.js';
import type { RedisClient } from '../redis/connect.js';
import type { ParkedSource } from './parked-source.js';
import type { ReplayBatch, ReplayRecord, ReplayStore } from './replay-record.js';

export type RunEvent = 'started' | 'paused' | 'resumed' | 're-rated' | 'guarded' | 'finished';

/** What a replay that is under way is given. */
export interface RunDeps {
  readonly store: ReplayStore;
  /** null: nothing can be parked here. */
  readonly parked: ParkedSource | null;
  readonly now: () => number;
  /** false: another console is to move jobs now, and this one stops before its next step. */
  readonly isLeader: () => boolean;
  /** A connection of replays that can be used now; null: there is none. */
  readonly client: (instance: string) => RedisClient | null;
  readonly snapshot: (instance: string) => Snapshot | null;
  readonly readOutcomes: (client: RedisClient, batch: ReplayBatch, isMarked: boolean) => Promise<string>;
  /** Jobs that replays have put into a queue since the console began. */
  readonly movedTo: (queueId: string) => number;
  readonly noteMoved: (queueId: string, jobs: number) => void;
  /** For the timeline. */
  readonly tell: (kind: RunEvent, record: ReplayRecord, text: string) => void;
}
