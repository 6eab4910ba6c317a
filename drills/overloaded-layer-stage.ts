import type { Stage } from './scenario.js';
import type { Player } from './world.js';

export const LEFT = 'layer-left';
export const RIGHT = 'layer-right';
export const SLOTS = 4;
export const JOB_MS = 100;
/** Live jobs, and those that are passed on to a next hop, fail when it is not there, and are replayed. */
export const LIVE = 'probe';
export const FORWARD = 'forward';

/** A worker process of the layer, by the name that the console shows. */
export interface LayerWorker {
  readonly name: string;
  readonly queue: string;
  readonly player: Player;
}

export interface LayerStage extends Stage {
  readonly workers: LayerWorker[];
  /** Jobs of the left queue that are replayed in the second part. */
  readonly replayedJobs: number;
  /** What each was made to be, and when: what the console should find. */
  readonly made: { name: string; verdict: 'crashed' | 'stuck' | 'outlier'; atMs: number }[];
  /** More work arrives at the left queue than is left to do it. */
  surge(): Promise<void>;
  endSurge(): Promise<void>;
  /** One more worker process; it is in `workers` from then on. */
  join(queue: string, name: string): Promise<void>;
}

/** Two crash, one hangs, one gets ten times slower. */
export function breakSome({ workers, made, activity }: LayerStage): void {
  const player = (name: string): Player | undefined => workers.find((one) => one.name === name)?.player;
  const atMs = Date.now();
  activity.moment('it breaks');
  for (const name of ['left-1', 'left-2']) {
    player(name)?.signal('SIGKILL');
    made.push({ name, verdict: 'crashed', atMs });
  }
  player('left-3')?.send({ do: 'hang' });
  made.push({ name: 'left-3', verdict: 'stuck', atMs });
  player('right-1')?.send({ do: 'slow', times: 10 });
  made.push({ name: 'right-1', verdict: 'outlier', atMs });
  activity.note('left-1 and left-2 are killed, left-3 hangs, right-1 gets ten times slower');
}
