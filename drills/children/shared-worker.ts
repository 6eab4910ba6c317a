import { hostname } from 'node:os';
import { type Job, Queue, Worker } from 'bullmq';
import { attach } from '../../agent/index.js';
import { burn, createDownstream } from './downstream.js';
import { endWithParent, readPlan, say } from './talk.js';

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

const TELL_EVERY_MS = 200;
const CLOSE_WITHIN_MS = 4_000;
/** Each so many jobs of an endless resync add one more. */
const ONE_MORE_EVERY = 4;

const plan = readPlan<SharedWorkerPlan>();
const connection = { host: '127.0.0.1', port: plan.redisPort, maxRetriesPerRequest: null };
const downstream = createDownstream(plan.answerMs);
const stages = plan.queues.map(openStage);
let errors = 0;

function openStage(work: QueueWork) {
  const queue = work.endlessTenant === undefined ? null : new Queue(work.queue, { connection });
  queue?.on('error', () => undefined);
  const told = { completed: [] as string[], accepted: [] as string[], waits: [] as number[] };
  const worker = new Worker(
    work.queue,
    async (job) => {
      told.waits.push(Date.now() - job.timestamp);
      burn(work.burnMs);
      await Promise.all(Array.from({ length: work.calls }, () => downstream.call()));
      if (queue && job.data.tenant === work.endlessTenant) told.accepted.push(...(await addMore(queue, job)));
    },
    { connection, concurrency: work.concurrency },
  );
  worker.on('completed', (job) => told.completed.push(job.id ?? ''));
  worker.on('error', () => {
    errors += 1;
  });
  attach(worker, {
    name: `${plan.name}-${work.queue}`,
    labels: { layer: 'shared', process: plan.name, host: hostname() },
  });
  return { work, worker, queue, told };
}

let serial = 0;
let extended = 0;
async function addMore(queue: Queue, job: Job): Promise<readonly string[]> {
  extended += 1;
  const count = extended % ONE_MORE_EVERY === 0 ? 2 : 1;
  const ids = Array.from({ length: count }, () => `${job.name}-${plan.name}-${++serial}`);
  await queue.addBulk(
    ids.map((jobId) => ({ name: job.name, data: job.data, opts: { jobId, removeOnComplete: true } })),
  );
  return ids;
}

function tell(): void {
  for (const { work, told } of stages) {
    const { queue } = work;
    if (told.accepted.length > 0) say({ kind: 'accepted', queue, ids: told.accepted.splice(0) });
    if (told.completed.length > 0) say({ kind: 'completed', queue, ids: told.completed.splice(0) });
    if (told.waits.length > 0) say({ kind: 'waits', queue, ms: told.waits.splice(0) });
  }
  if (errors > 0) say({ kind: 'errors', count: errors });
  errors = 0;
}
setInterval(tell, TELL_EVERY_MS);

endWithParent(async () => {
  const closing = Promise.all(stages.map(({ worker }) => worker.close()));
  const late = new Promise((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS));
  await Promise.race([closing.catch(() => undefined), late]);
  tell();
});
await Promise.all(stages.map(({ worker }) => worker.waitUntilReady()));
say({ kind: 'ready' });
