import { hostname } from 'node:os';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { attach } from '../../agent/index.js';
import { connectionTo } from './connection.js';
import { ChildReport, runWorkers } from './report.js';
import { readPlan } from './talk.js';

/** One worker process of a layer, with the agent. Asked to hang, to be slow or to lose its next hop, it does. */
export interface LayerWorkerPlan {
  readonly redisPort: number;
  /** Sentinel, instead of the port. */
  readonly sentinel?: { readonly port: number; readonly master: string };
  /** Port of the worker's own connections, where it is another: a way that can go deaf. */
  readonly throughPort?: number;
  readonly queue: string;
  readonly name: string;
  readonly concurrency: number;
  readonly jobMs: number;
  /** Jobs of this type are passed on to a next hop, and fail at once while that is not there. */
  readonly passedOn?: string;
}

export type LayerWorkerHears =
  | { readonly do: 'hang' }
  | { readonly do: 'slow'; readonly times: number }
  | { readonly do: 'lose-next-hop' | 'find-next-hop' };

const CLOSE_WITHIN_MS = 3_000;

const plan = readPlan<LayerWorkerPlan>();
const report = new ChildReport();
const sentinel = plan.sentinel && {
  sentinels: [{ host: '127.0.0.1', port: plan.sentinel.port }],
  name: plan.sentinel.master,
};
const place = sentinel ?? { host: '127.0.0.1', port: plan.redisPort };
let isHanging = false;
let isNextHopThere = true;
let times = 1;

const worker = new Worker(
  plan.queue,
  async (job) => {
    // What is passed on may have failed before: how old it is says nothing about live traffic.
    if (job.name !== plan.passedOn) report.time('waits', plan.queue, Date.now() - job.timestamp);
    else if (!isNextHopThere) throw new Error('the next hop does not answer');
    if (isHanging) await new Promise(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, plan.jobMs * times * (0.8 + Math.random() * 0.4)));
  },
  {
    connection:
      plan.throughPort === undefined
        ? { ...place, maxRetriesPerRequest: null }
        : connectionTo(plan.throughPort),
    concurrency: plan.concurrency,
    // Short, so that what a crashed worker had in hand is seen to come back within a drill.
    lockDuration: 6_000,
    stalledInterval: 4_000,
    maxStalledCount: 5,
  },
);
attach(worker, {
  name: plan.name,
  labels: { layer: plan.queue, host: hostname() },
  ...(plan.throughPort === undefined ? {} : { connection: new Redis({ ...place, lazyConnect: true }) }),
});

report.follow(worker);
process.on('message', (message: LayerWorkerHears) => {
  if (message.do === 'hang') isHanging = true;
  if (message.do === 'slow') times = message.times;
  if (message.do === 'lose-next-hop') isNextHopThere = false;
  if (message.do === 'find-next-hop') isNextHopThere = true;
});

await runWorkers([worker], CLOSE_WITHIN_MS, report);
