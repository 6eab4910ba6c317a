import { hostname } from 'node:os';
import { Worker } from 'bullmq';
import { attach } from '../../agent/index.js';
import { endWithParent, readPlan, say } from './talk.js';

/** A worker process of one release of the application: it runs checks of several types, and some releases fail at one. */
export interface MonitorWorkerPlan {
  readonly redisPort: number;
  readonly queue: string;
  readonly name: string;
  readonly release: string;
  readonly concurrency: number;
  readonly jobMs: number;
  /** Nine of ten jobs of this type fail, for what earlier releases left in the cache. */
  readonly failingType?: string;
  /** Ids of jobs that this release fails at too. */
  readonly stillFailing?: readonly string[];
}

const TELL_EVERY_MS = 200;
const CLOSE_WITHIN_MS = 3_000;

const plan = readPlan<MonitorWorkerPlan>();
const worker = new Worker(
  plan.queue,
  async (job) => {
    await new Promise((resolve) => setTimeout(resolve, plan.jobMs * (0.8 + Math.random() * 0.4)));
    if (job.data.subject === null) throw new Error('the monitor was deleted');
    const monitor = Number(job.data.subject);
    if (plan.stillFailing?.includes(job.id ?? '')) throw new Error(`monitor ${monitor} has no rule any more`);
    // One in ten was not cached by the release before.
    if (job.name === plan.failingType && monitor % 10 !== 0)
      throw new Error(`cache entry for monitor ${monitor} has the wrong type`);
  },
  {
    connection: { host: '127.0.0.1', port: plan.redisPort, maxRetriesPerRequest: null },
    concurrency: plan.concurrency,
  },
);
attach(worker, { name: plan.name, labels: { release: plan.release, host: hostname() } });

let completed: string[] = [];
const failed = new Map<string, { readonly ids: string[]; readonly atMs: number }>();
let errors = 0;
worker.on('completed', (job) => completed.push(job.id ?? ''));
worker.on('failed', (job) => {
  if (!job) return;
  const known = failed.get(job.name);
  if (known) known.ids.push(job.id ?? '');
  else failed.set(job.name, { ids: [job.id ?? ''], atMs: job.finishedOn ?? Date.now() });
});
worker.on('error', () => {
  errors += 1;
});

function tell(): void {
  const { queue } = plan;
  if (completed.length > 0) say({ kind: 'completed', queue, ids: completed });
  for (const [jobName, { ids, atMs }] of failed) say({ kind: 'failed', queue, jobName, ids, atMs });
  if (errors > 0) say({ kind: 'errors', count: errors });
  completed = [];
  failed.clear();
  errors = 0;
}
setInterval(tell, TELL_EVERY_MS);

endWithParent(async () => {
  const late = new Promise((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS));
  await Promise.race([worker.close().catch(() => undefined), late]);
  tell();
});
await worker.waitUntilReady();
say({ kind: 'ready' });
