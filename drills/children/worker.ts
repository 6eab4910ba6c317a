import { Worker } from 'bullmq';
import { attach } from '../../agent/index.js';
import { createBatchingClient } from './batching-client.js';
import { endWithParent, readPlan, say } from './talk.js';

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

const TELL_EVERY_MS = 200;
/** Jobs in hand are given this long to finish. */
const CLOSE_WITHIN_MS = 4_000;

const plan = readPlan<WorkerPlan>();
// A worker's blocking connection must wait for ever: null is what BullMQ asks for.
const connection = { host: '127.0.0.1', port: plan.redisPort, maxRetriesPerRequest: null };
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

for (const worker of workers) attach(worker, { name: worker.name, labels: { release: '41' } });

const completed = new Map<string, string[]>();
let errors = 0;
for (const worker of workers) {
  worker.on('completed', (job) => {
    const ids = completed.get(worker.name) ?? [];
    ids.push(job.id ?? '');
    completed.set(worker.name, ids);
  });
  // Thousands a second while Redis is full: counted, not printed.
  worker.on('error', () => {
    errors += 1;
  });
}

function tell(): void {
  for (const [queue, ids] of completed) say({ kind: 'completed', queue, ids });
  completed.clear();
  if (errors > 0) say({ kind: 'errors', count: errors });
  errors = 0;
}
setInterval(tell, TELL_EVERY_MS);

endWithParent(async () => {
  const closing = Promise.all(workers.map((worker) => worker.close()));
  client.flush();
  const late = new Promise((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS));
  await Promise.race([closing.catch(() => undefined), late]);
  tell();
});
await Promise.all(workers.map((worker) => worker.waitUntilReady()));
say({ kind: 'ready' });
