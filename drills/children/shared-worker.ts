import { hostname } from 'node:os';
import { type Job, Queue, Worker } from 'bullmq';
import { attach } from '../../agent/index.js';
import { connectionTo } from './connection.js';
import { burn, createDownstream } from './downstream.js';
import { ChildReport, runWorkers } from './report.js';
import { readPlan } from './talk.js';

/** One process of a layer that works on several queues: event loop, Redis and a downstream service are shared by them. */
export interface SharedWorkerPlan {
  readonly redisPort: number;
  /** Of the process; its workers are `<name>-<queue>`. */
  readonly name: string;
  /** What one answer of the downstream service takes. */
  readonly answerMs: number;
  readonly queues: readonly QueueWork[];
}

export interface QueueWork {
  readonly queue: string;
  readonly concurrency: number;
  /** Of the event loop, for each job. */
  readonly burnMs: number;
  /** Calls of the downstream service, for each job. */
  readonly calls: number;
  /** Jobs of this tenant never end: each adds another like itself, and each fourth two. */
  readonly endlessTenant?: string;
}

const CLOSE_WITHIN_MS = 4_000;
/** Each so many jobs of an endless resync add one more. */
const ONE_MORE_EVERY = 4;

const plan = readPlan<SharedWorkerPlan>();
const connection = connectionTo(plan.redisPort);
const downstream = createDownstream(plan.answerMs);
const report = new ChildReport();
let serial = 0;
let extended = 0;

function startWorker({ queue: name, concurrency, burnMs, calls, endlessTenant }: QueueWork): Worker {
  const queue = endlessTenant === undefined ? null : new Queue(name, { connection });
  queue?.on('error', () => undefined);
  const work = async (job: Job): Promise<void> => {
    report.time('waits', name, Date.now() - job.timestamp);
    burn(burnMs);
    await Promise.all(Array.from({ length: calls }, () => downstream.call()));
    if (queue && job.data.tenant === endlessTenant) report.ids('accepted', name, await addMore(queue, job));
  };
  const worker = new Worker(name, work, { connection, concurrency });
  report.follow(worker);
  attach(worker, {
    name: `${plan.name}-${name}`,
    labels: { layer: 'shared', process: plan.name, host: hostname() },
  });
  return worker;
}

async function addMore(queue: Queue, job: Job): Promise<readonly string[]> {
  extended += 1;
  const count = extended % ONE_MORE_EVERY === 0 ? 2 : 1;
  const ids = Array.from({ length: count }, () => `${job.name}-${plan.name}-${++serial}`);
  await queue.addBulk(
    ids.map((jobId) => ({ name: job.name, data: job.data, opts: { jobId, removeOnComplete: true } })),
  );
  return ids;
}

await runWorkers(plan.queues.map(startWorker), CLOSE_WITHIN_MS, report);
