import { Worker } from 'bullmq';
import { attach } from '../../agent/index.js';
import { createBatchingClient } from './batching-client.js';
import { connectionTo } from './connection.js';
import { ChildReport, runWorkers } from './report.js';
import { readPlan } from './talk.js';

/** One worker process of the application: it answers API requests and passes analytics on. */
export interface WorkerPlan {
  readonly redisPort: number;
  readonly analytics: {
    readonly queue: string;
    readonly concurrency: number;
    readonly batchSize: number;
    readonly batchWaitMs: number;
  };
  readonly api: {
    readonly queue: string;
    readonly concurrency: number;
    readonly jobMs: number;
    /** Characters of a job's return value, which Redis keeps with the completed job. */
    readonly resultChars: number;
  };
}

/** Jobs in hand are given this long to finish. */
const CLOSE_WITHIN_MS = 4_000;

const plan = readPlan<WorkerPlan>();
const connection = connectionTo(plan.redisPort);
const client = createBatchingClient({
  size: plan.analytics.batchSize,
  waitMs: plan.analytics.batchWaitMs,
});
const result = 'r'.repeat(plan.api.resultChars);

const workers = [
  new Worker(plan.analytics.queue, (job) => client.send(job.data), {
    connection,
    concurrency: plan.analytics.concurrency,
  }),
  new Worker(
    plan.api.queue,
    async () => {
      await new Promise((resolve) => setTimeout(resolve, plan.api.jobMs));
      return result;
    },
    { connection, concurrency: plan.api.concurrency },
  ),
];

const report = new ChildReport();
for (const worker of workers) {
  attach(worker, { name: worker.name, labels: { release: '41' } });
  report.follow(worker);
}
await runWorkers(workers, CLOSE_WITHIN_MS, report, () => client.flush());
