import { hostname } from 'node:os';
import type { ProducerPlan } from './children/producer.js';
import type { DrillStage } from './run.js';
import type { Player } from './world.js';

export const LEFT = 'layer-left';
export const RIGHT = 'layer-right';
export const JOB_MS = 100;
/** Passed on to a next hop, and fails when it is not there: what is replayed. */
export const FORWARD = 'forward';
const LIVE = 'probe';
const SLOTS = 4;

/** Short, so that what a crashed worker had in hand is seen to come back within a drill. */
export const SHORT_LOCKS = { lockDuration: 6_000, stalledInterval: 4_000, maxStalledCount: 5 };

export interface LayerStage extends DrillStage {
  /** Worker processes of the layer by the names that the console shows. */
  readonly workers: Map<string, Player>;
  /** Jobs of the left queue that are replayed in the second part. */
  readonly replayedJobs: number;
  /** What each was made to be, and when: what the console should find. */
  readonly made: { name: string; verdict: 'crashed' | 'stuck' | 'outlier'; atMs: number }[];
  surge: Player<never> | null;
}

export async function startLayer(stage: DrillStage, replayedJobs: number): Promise<LayerStage> {
  const { world, activity } = stage;
  const layer: LayerStage = { ...stage, workers: new Map(), replayedJobs, made: [], surge: null };
  await Promise.all([
    ...[1, 2, 3, 4, 5].map((i) => join(layer, LEFT, `left-${i}`)),
    ...[1, 2, 3].map((i) => join(layer, RIGHT, `right-${i}`)),
  ]);
  await world.produce('left producer', jobs(LEFT, LIVE, 60));
  await world.produce('right producer', jobs(RIGHT, LIVE, 70));
  activity.note('eight workers and two producers run');
  return layer;
}

/** One more worker process. */
export async function join({ world, workers }: LayerStage, queue: string, name: string): Promise<void> {
  const work = { queue, name, concurrency: SLOTS, options: SHORT_LOCKS, runMs: JOB_MS, passedOn: FORWARD };
  workers.set(name, await world.work(name, { labels: { layer: queue, host: hostname() }, works: [work] }));
}

/** Two crash, one hangs, one gets ten times slower; and more work arrives at the left queue than is left to do it. */
export async function breakSome(stage: LayerStage): Promise<void> {
  const { workers, made, activity } = stage;
  const atMs = Date.now();
  activity.moment('it breaks');
  for (const name of ['left-1', 'left-2']) {
    workers.get(name)?.signal('SIGKILL');
    made.push({ name, verdict: 'crashed', atMs });
  }
  workers.get('left-3')?.send({ do: 'hang' });
  made.push({ name: 'left-3', verdict: 'stuck', atMs });
  workers.get('right-1')?.send({ do: 'slow', times: 10 });
  made.push({ name: 'right-1', verdict: 'outlier', atMs });
  activity.note('left-1 and left-2 are killed, left-3 hangs, right-1 gets ten times slower');
  stage.surge = await stage.world.produce('surge', jobs(LEFT, 'surge', 80));
}

/** Kept when they are completed, so that what a killed process has completed can be seen. */
export function jobs(queue: string, jobName: string, perSecond: number): ProducerPlan {
  return { queue, jobName, dataChars: 100, options: { removeOnComplete: false }, perSecond };
}
