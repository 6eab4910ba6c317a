import type { LayerWorkerPlan } from './children/layer-worker.js';
import type { ProducerPlan } from './children/producer.js';
import { resolveOverloadedLayer } from './overloaded-layer-resolve.js';
import {
  breakSome,
  FORWARD,
  JOB_MS,
  type LayerStage,
  type LayerWorker,
  LEFT,
  LIVE,
  RIGHT,
  SLOTS,
} from './overloaded-layer-stage.js';
import { MB } from './own-redis.js';
import type { Drill, DrillIncident } from './scenario.js';
import { sleep, waitFor } from './wait-for.js';
import type { Player, World } from './world.js';

const REPLAYED_JOBS = 50_000;

/** incidents.md, 2: a blip crashes some processes of a layer, and the survivors are overloaded. */
export const overloadedLayer: Drill = {
  name: 'overloaded-layer',
  about:
    'eight workers on two queues: some crash, one hangs, one drags the rest, the survivors are overloaded; later half of them are lost during a replay',
  maxmemoryBytes: 512 * MB,
  alerts: {
    expected: [
      // Both in one finding, so in one alert.
      ...['left-1', 'left-2'].map((naming) => ({
        ...{ rule: 'workers', queue: LEFT, naming },
        ...{ from: 'it breaks', noticedWithinSeconds: 6, isOpenEnded: true },
      })),
      {
        ...{ rule: 'workers', queue: LEFT, naming: 'left-3' },
        ...{ from: 'it breaks', noticedWithinSeconds: 12, isOpenEnded: true },
      },
      {
        ...{ rule: 'workers', queue: RIGHT, naming: 'right-1' },
        ...{ from: 'it breaks', noticedWithinSeconds: 30, until: 'right-1 is out', overWithinSeconds: 30 },
      },
      {
        ...{
          rule: 'queue-overloaded',
          or: 'queue-growing',
          queue: LEFT,
          from: 'it breaks',
          noticedWithinSeconds: 20,
        },
        ...{ until: 'the backlog is gone', overWithinSeconds: 20 },
      },
      {
        // The alert of left-1 and left-2 goes on and names those that are lost after them; a new one, where it was over.
        ...{ rule: 'workers', queue: LEFT, naming: 'left-4' },
        ...{ from: 'left-3 ends', orSince: 'it breaks', noticedWithinSeconds: 40, isOpenEnded: true },
      },
      {
        ...{ rule: 'type-failing', queue: LEFT, type: FORWARD },
        ...{ from: 'the next hop is away', noticedWithinSeconds: 20 },
        ...{ until: 'all is replayed', overWithinSeconds: 20 },
      },
    ],
    allowed: [
      { rule: 'redis-filling', because: 'fifty thousand jobs are added that fail and stay' },
      { rule: 'type-failing', queue: RIGHT, type: FORWARD, because: 'there they fail for a moment only' },
      { rule: 'workers', queue: RIGHT, naming: 'right-1', because: 'it is killed to be replaced' },
      { rule: 'queue-overloaded', queue: LEFT, because: 'half of its workers are lost during a replay' },
      { rule: 'queue-growing', queue: LEFT, because: 'half of its workers are lost during a replay' },
      { rule: 'queue-overloaded', queue: RIGHT, because: 'a third of its slots is ten times slower' },
      { rule: 'queue-growing', queue: RIGHT, because: 'a third of its slots is ten times slower' },
    ],
  },
  guide: [
    'Look at Workers: each of the eight has a verdict with its reason.',
    'Raise the capacity of both queues at once: Act on a group, or PATCH /workers?match=layer-*.',
    'Take the one that drags the rest out of the pool and look at the waiting time.',
  ],
  start: async (world, activity, { jobs }) => {
    let surge: Player | null = null;
    const workers = await Promise.all([
      ...[1, 2, 3, 4, 5].map((i) => startWorker(world, LEFT, `left-${i}`)),
      ...[1, 2, 3].map((i) => startWorker(world, RIGHT, `right-${i}`)),
    ]);
    await world.play('producer', 'left producer', producer(world, LEFT, LIVE, 60));
    await world.play('producer', 'right producer', producer(world, RIGHT, LIVE, 70));
    const stage: LayerStage = {
      world,
      activity,
      workers,
      made: [],
      replayedJobs: jobs ?? REPLAYED_JOBS,
      async surge() {
        surge = await world.play('producer', 'surge', producer(world, LEFT, 'surge', 80));
      },
      endSurge: async () => surge?.stop(),
      async join(queue, name) {
        workers.push(await startWorker(world, queue, name));
      },
    };
    activity.note('eight workers and two producers run');
    return incidentOf(stage);
  },
};

function incidentOf(stage: LayerStage): DrillIncident {
  return {
    develop: async () => undefined,
    async follow() {
      await sleep(15_000);
      breakSome(stage);
      await stage.surge();
      await waitFor(() => false, Number.POSITIVE_INFINITY);
    },
    resolve: (api, alerts) => resolveOverloadedLayer(stage, api, alerts),
  };
}

async function startWorker(world: World, queue: string, name: string): Promise<LayerWorker> {
  const plan: LayerWorkerPlan = {
    redisPort: world.redis.port,
    queue,
    name,
    concurrency: SLOTS,
    jobMs: JOB_MS,
    passedOn: FORWARD,
  };
  return { name, queue, player: await world.play('layer-worker', name, plan) };
}

function producer(world: World, queue: string, jobName: string, perSecond: number): ProducerPlan {
  return {
    redisPort: world.redis.port,
    queue,
    jobName,
    dataChars: 100,
    // Kept, so that what a killed process has completed can be seen.
    options: { removeOnComplete: false },
    calmMs: Number.MAX_SAFE_INTEGER,
    ordinaryPerSecond: perSecond,
    surgePerSecond: perSecond,
    isBulk: true,
  };
}
