import { hostname } from 'node:os';
import { Worker } from 'bullmq';
import { attach } from '../../agent/index.js';
import { connectionTo } from './connection.js';
import { ChildReport, runWorkers } from './report.js';
import { readPlan } from './talk.js';

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
    connection: connectionTo(plan.redisPort),
    concurrency: plan.concurrency,
  },
);
attach(worker, { name: plan.name, labels: { release: plan.release, host: hostname() } });

const report = new ChildReport();
report.follow(worker);
await runWorkers([worker], CLOSE_WITHIN_MS, report);
