import { Queue } from 'bullmq';
import { test } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type AgentEar, startEar } from './agent-ear.js';
import { type AttachedPlan, type AttachedProcess, startAttached } from './attached-process.js';

type WorkerPlan = AttachedPlan['workers'][number];

/** A Redis with an ear for agents, and workers of queue `work`. */
export interface AgentScene {
  readonly redis: OwnRedis;
  readonly ear: AgentEar;
  /** One process with one worker, once its agent is heard (where it has one). */
  start(
    change?: Partial<WorkerPlan>,
    plan?: Partial<AttachedPlan>,
  ): Promise<{ readonly worker: AttachedProcess; readonly id: string }>;
  /** One process with a worker for each, whose agents are not waited for. */
  startSilent(...changes: readonly Partial<WorkerPlan>[]): Promise<AttachedProcess>;
  add(count: number, data?: object): Promise<void>;
  /** Ends with the scene. */
  endLater(worker: AttachedProcess): void;
}

/** `it` with such a scene of its own, so that the tests of a file can wait side by side. */
export const it = test.extend<{ readonly scene: AgentScene }>({
  scene: async ({ task: _task }, use) => {
    const redis = await startRedis();
    const ear = await startEar(redis.port);
    const processes: AttachedProcess[] = [];
    await use({
      redis,
      ear,
      async start(change = {}, plan = {}) {
        const worker = await startAttached({
          port: redis.port,
          ...plan,
          workers: [{ queue: 'work', concurrency: 5, jobMs: 50, attach: {}, ...change }],
        });
        processes.push(worker);
        const id = worker.ids[0] ?? '';
        if (change.attach !== null) await ear.beatOf(id, () => true);
        return { worker, id };
      },
      async startSilent(...changes) {
        const workers = changes.map((change) => ({
          queue: 'work',
          concurrency: 5,
          jobMs: 50,
          attach: null,
          ...change,
        }));
        const worker = await startAttached({ port: redis.port, workers });
        processes.push(worker);
        return worker;
      },
      async add(count, data = {}) {
        const queue = new Queue('work', { connection: { port: redis.port } });
        await queue.addBulk(Array.from({ length: count }, () => ({ name: 'work', data })));
        await queue.close();
      },
      endLater: (worker) => void processes.push(worker),
    });
    await Promise.all(processes.map((one) => one.stop()));
    ear.close();
    await redis.stop();
  },
});
