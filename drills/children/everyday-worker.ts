import { hostname } from 'node:os';
import { type Job, Worker } from 'bullmq';
import { attach } from '../../agent/index.js';
import { createBatchingClient } from './batching-client.js';
import { connectionTo } from './connection.js';
import { runWorkers } from './report.js';
import { readPlan, say } from './talk.js';

/** One process of an ordinary application: several queues, several job types, some failures. */
export interface EverydayWorkerPlan {
  readonly redisPort: number;
  readonly name: string;
  readonly hasAgent: boolean;
  readonly queues: readonly { readonly queue: string; readonly concurrency: number }[];
}

/** What a job says of itself: producers decide what is to happen. */
export interface EverydayJob {
  readonly runMs: number;
  readonly fails?: boolean;
  /** It is done when its client has sent. */
  readonly isBatched?: boolean;
}

const BATCH = { size: 20, waitMs: 2_000 };
/** Longer than any job takes: a deploy that cuts jobs off is a crash. */
const CLOSE_WITHIN_MS = 5_500;

const plan = readPlan<EverydayWorkerPlan>();
const client = createBatchingClient(BATCH);

async function work({ data }: Job<EverydayJob>): Promise<void> {
  if (data.isBatched) return client.send(data);
  await new Promise((resolve) => setTimeout(resolve, data.runMs * (0.8 + Math.random() * 0.4)));
  if (data.fails) throw new Error('the other side did not answer');
}

const workers = plan.queues.map(({ queue, concurrency }) => {
  const worker = new Worker<EverydayJob>(queue, work, {
    connection: connectionTo(plan.redisPort),
    concurrency,
  });
  worker.on('error', () => say({ kind: 'errors', count: 1 }));
  if (plan.hasAgent) attach(worker, { name: `${plan.name}-${queue}`, labels: { host: hostname() } });
  return worker;
});

await runWorkers(workers, CLOSE_WITHIN_MS, null, () => client.flush());
