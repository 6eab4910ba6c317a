import { type Job, Queue, Worker, type WorkerOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { attach } from '../../agent/index.js';
import { burn, createBatchingClient, createDownstream } from './services.js';
import { ChildReport, endWithParent, readPlan, say } from './talk.js';

/** A process of an application: its workers share an event loop, a client that batches and a downstream service. */
export interface WorkerPlan {
  readonly works: readonly QueueWork[];
  /** Of each of its workers. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Its workers have no agent. */
  readonly isBare?: boolean;
  /** Sentinel, instead of the port of Redis. */
  readonly sentinel?: { readonly port: number; readonly master: string };
  /** Port of the workers' own connections, where it is another: a way that can go deaf. */
  readonly throughPort?: number;
  /** The client sends when so many items wait, or the first for so long. */
  readonly batch?: { readonly size: number; readonly waitMs: number };
  /** What one answer of the downstream service takes. */
  readonly answerMs?: number;
  /** Jobs in hand are given this long to finish when the process is stopped; 4 s. */
  readonly closeWithinMs?: number;
}

/** What one worker does with the jobs of its queue. */
export interface QueueWork {
  readonly queue: string;
  /** Of the worker, as the console shows it. */
  readonly name: string;
  readonly concurrency: number;
  readonly options?: Pick<WorkerOptions, 'lockDuration' | 'stalledInterval' | 'maxStalledCount'>;
  /** What a job takes, give or take a fifth; what its data say goes before. */
  readonly runMs?: number;
  /** A job is done when the client has sent. */
  readonly isBatched?: boolean;
  /** Of the event loop, for each job. */
  readonly burnMs?: number;
  /** Calls of the downstream service, for each job. */
  readonly calls?: number;
  /** Characters of a job's return value, which Redis keeps with the completed job. */
  readonly resultChars?: number;
  /** Jobs of this type are passed on to a next hop, and fail at once while that is not there. */
  readonly passedOn?: string;
  /** Nine of ten jobs of this type fail, for what earlier releases left in the cache. */
  readonly failingType?: string;
  /** Ids of jobs that fail whatever their type. */
  readonly stillFailing?: readonly string[];
  /** Jobs of this tenant never end: each adds another like itself, and each fourth two. */
  readonly endlessTenant?: string;
}

/** What a job may say of itself: then producers decide what is to happen. */
export interface JobData {
  readonly runMs?: number;
  readonly fails?: boolean;
  readonly isBatched?: boolean;
  /** What it is about; null: something that was deleted. */
  readonly subject?: number | null;
  readonly tenant?: string;
}

export type WorkerHears =
  | { readonly do: 'hang' }
  | { readonly do: 'slow'; readonly times: number }
  | { readonly do: 'lose-next-hop' | 'find-next-hop' };

/** Each so many jobs of an endless resync add one more. */
const ONE_MORE_EVERY = 4;

const plan = readPlan<WorkerPlan>();
const report = new ChildReport();
const client = createBatchingClient(plan.batch ?? { size: 1, waitMs: 0 });
const downstream = createDownstream(plan.answerMs ?? 0);
const place = plan.sentinel
  ? { sentinels: [{ host: '127.0.0.1', port: plan.sentinel.port }], name: plan.sentinel.master }
  : { host: '127.0.0.1', port: plan.redisPort };
const own = plan.throughPort === undefined ? place : { host: '127.0.0.1', port: plan.throughPort };
// As BullMQ asks of the blocking connection of a worker.
const connection = { ...own, maxRetriesPerRequest: null };
let isHanging = false;
let isNextHopThere = true;
let times = 1;
let added = 0;
let extended = 0;

function startWorker(work: QueueWork): Worker<JobData> {
  const endless = work.endlessTenant === undefined ? null : new Queue(work.queue, { connection });
  endless?.on('error', () => undefined);
  const result = 'r'.repeat(work.resultChars ?? 0);
  const run = async (job: Job<JobData>): Promise<string | undefined> => {
    await perform(job, work);
    if (endless && job.data.tenant === work.endlessTenant) await addMore(endless, job, work.name);
    return result || undefined;
  };
  const { concurrency, options } = work;
  const worker = new Worker<JobData>(work.queue, run, { connection, concurrency, ...options });
  report.follow(worker);
  if (!plan.isBare)
    attach(worker, {
      name: work.name,
      labels: plan.labels ?? {},
      ...(plan.throughPort === undefined ? {} : { connection: new Redis({ ...place, lazyConnect: true }) }),
    });
  return worker;
}

/** @throws Error where the job is to fail */
async function perform(job: Job<JobData>, work: QueueWork): Promise<void> {
  const { data } = job;
  // What is passed on may have failed before: how old it is says nothing about live traffic.
  if (job.name !== work.passedOn) report.time('waits', work.queue, Date.now() - job.timestamp);
  else if (!isNextHopThere) throw new Error('the next hop does not answer');
  if (isHanging) await new Promise(() => undefined);
  if (work.isBatched || data.isBatched) return client.send(data);
  burn(work.burnMs ?? 0);
  const runMs = (data.runMs ?? work.runMs ?? 0) * times * (0.8 + Math.random() * 0.4);
  if (runMs > 0) await new Promise((resolve) => setTimeout(resolve, runMs));
  await Promise.all(Array.from({ length: work.calls ?? 0 }, () => downstream.call()));
  const failure = failureOf(job, work);
  if (failure !== null) throw new Error(failure);
}

function failureOf({ id, name, data: { fails, subject } }: Job<JobData>, work: QueueWork): string | null {
  if (fails) return 'the other side did not answer';
  if (subject === null) return 'the monitor was deleted';
  if (work.stillFailing?.includes(id ?? '')) return `monitor ${subject} has no rule any more`;
  // One in ten was not cached by the release before.
  const isFailing = name === work.failingType && (subject ?? 0) % 10 !== 0;
  return isFailing ? `cache entry for monitor ${subject} has the wrong type` : null;
}

async function addMore(queue: Queue, { name, data }: Job<JobData>, by: string): Promise<void> {
  extended += 1;
  const count = extended % ONE_MORE_EVERY === 0 ? 2 : 1;
  const ids = Array.from({ length: count }, () => `${name}-${by}-${++added}`);
  await queue.addBulk(ids.map((jobId) => ({ name, data, opts: { jobId, removeOnComplete: true } })));
  report.ids('accepted', queue.name, ids);
}

const workers = plan.works.map(startWorker);
process.on('message', (message: Partial<WorkerHears>) => {
  if (message.do === 'hang') isHanging = true;
  if (message.do === 'slow') times = message.times ?? 1;
  if (message.do === 'lose-next-hop') isNextHopThere = false;
  if (message.do === 'find-next-hop') isNextHopThere = true;
});
endWithParent(async () => {
  const closing = Promise.all(workers.map((worker) => worker.close()));
  // What waits for a timer need not.
  client.flush();
  const late = new Promise((resolve) => setTimeout(resolve, plan.closeWithinMs ?? 4_000));
  await Promise.race([closing.catch(() => undefined), late]);
  report.flush();
});
await Promise.all(workers.map((worker) => worker.waitUntilReady()));
say({ kind: 'ready' });
