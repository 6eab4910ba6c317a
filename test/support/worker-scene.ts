import { Queue } from 'bullmq';
import { test } from 'vitest';
import { KEPT_ORDERS_FIELD, keptOrderKey, type Order, type SignedOrder } from '../../agent/protocol.js';
import { signOrder } from '../../agent/signature.js';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import type { WorkerState } from '../../server/model/worker.js';
import { type ActionBench, type BenchOptions, startBench } from './action-bench.js';
import { type AttachedPlan, type AttachedProcess, startAttached } from './attached-process.js';
import { until } from './until.js';

type WorkerPlan = Partial<AttachedPlan['workers'][number]>;

/** A Redis, a console and the workers of queue `work` (unless said otherwise), for what actions order them to do. */
export interface WorkerScene {
  readonly redis: OwnRedis;
  readonly bench: ActionBench;
  /** One process with a worker for each plan, once the console hears them all. */
  workers(...plans: readonly WorkerPlan[]): Promise<AttachedProcess>;
  /** Waits until this console hears these workers; all that it knows. */
  heard(ids: readonly string[], from?: ActionBench): Promise<readonly WorkerState[]>;
  /** One more console on the same Redis. */
  console(options?: BenchOptions): Promise<ActionBench>;
  add(count: number, data?: object, queue?: string): Promise<void>;
  /** Values of the overrides by `<scope>|<setting>`. */
  kept(queueId?: string): Promise<Readonly<Record<string, unknown>>>;
  /** Writes the field as somebody else might. */
  keep(orders: readonly Order[], queueId?: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startWorkerScene(): Promise<WorkerScene> {
  const redis = await startRedis();
  const bench = await startBench(redis);
  const open: { stop(): Promise<void> }[] = [];
  const heard: WorkerScene['heard'] = async (ids, from = bench) => {
    await until('the console hears its workers', () => {
      const snapshot = from.watch.snapshot('default');
      const known = snapshot?.workers.filter((one) => one.agent !== null) ?? [];
      return (
        snapshot?.hearing.status === 'hearing' &&
        ids.every((id) => known.some((one) => one.id === id)) &&
        known.every((one) => snapshot.queues.some((queue) => queue.id === one.queueId))
      );
    });
    return from.watch.snapshot('default')?.workers ?? [];
  };
  return {
    redis,
    bench,
    heard,
    async workers(...plans) {
      const made = await startAttached({
        port: redis.port,
        workers: plans.map((plan) => ({ queue: 'work', concurrency: 5, jobMs: 50, attach: {}, ...plan })),
      });
      open.push(made);
      await heard(made.ids.flatMap((id) => id ?? []));
      return made;
    },
    async console(options) {
      const made = await startBench(redis, options);
      open.push(made);
      return made;
    },
    async add(count, data = {}, name = 'work') {
      const queue = new Queue(name, { connection: { port: redis.port } });
      await queue.addBulk(Array.from({ length: count }, () => ({ name: 'work', data })));
      await queue.close();
    },
    async kept(queueId = 'bull:work') {
      const text = await redis.client.hget(`${queueId}:meta`, KEPT_ORDERS_FIELD);
      const kept = JSON.parse(text ?? '{}') as Record<string, SignedOrder>;
      const ordered = ({ body }: SignedOrder): unknown => (JSON.parse(body) as Order).value;
      return Object.fromEntries(Object.entries(kept).map(([key, signed]) => [key, ordered(signed)]));
    },
    async keep(orders, queueId = 'bull:work') {
      const kept = orders.map((order) => [keptOrderKey(order.scope, order.setting), signOrder(order, null)]);
      await redis.client.hset(`${queueId}:meta`, KEPT_ORDERS_FIELD, JSON.stringify(Object.fromEntries(kept)));
    },
    async stop() {
      await redis.client.config('SET', 'maxmemory', '0');
      await Promise.all(open.splice(0).map((one) => one.stop()));
      await bench.stop();
      await redis.stop();
    },
  };
}

export const concurrencyOf = async (process: AttachedProcess): Promise<readonly number[]> =>
  (await process.state()).workers.map((worker) => worker.concurrency);

/** `it` with a Redis, a console and workers of its own, so that the tests of a file can wait side by side. */
export const it = test.extend<{ readonly scene: WorkerScene }>({
  scene: async ({ task: _task }, use) => {
    const scene = await startWorkerScene();
    await use(scene);
    await scene.stop();
  },
});
