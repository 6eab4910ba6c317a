import type { JobsOptions } from 'bullmq';
import { openQueue } from './connection.js';
import { endWithParent, readPlan, say } from './talk.js';

/** A service that adds jobs: calm at first, then a surge until it is over or Redis first refuses, then at its ordinary rate. */
export interface ProducerPlan {
  readonly redisPort: number;
  readonly queue: string;
  readonly jobName: string;
  /** Characters of padding in each job's data. */
  readonly dataChars: number;
  readonly options: JobsOptions;
  /** Events that the queue keeps; none: 10,000, as BullMQ does by itself. */
  readonly eventsKept?: number;
  readonly calmMs: number;
  /** After so many jobs the surge is over too. */
  readonly surgeJobs?: number;
  readonly ordinaryPerSecond: number;
  readonly surgePerSecond: number;
  /** true: all that is due at once by addBulk; false: one add a job, as a request handler does. */
  readonly isBulk: boolean;
}

const TICK_MS = 100;
/** A producer that fell behind does not catch up in one blow. */
const MAX_AT_ONCE = 2_000;

const plan = readPlan<ProducerPlan>();
const queue = openQueue(
  plan.queue,
  plan.redisPort,
  plan.eventsKept === undefined ? {} : { streams: { events: { maxLen: plan.eventsKept } } },
);

const padding = 'x'.repeat(plan.dataChars);
const startedAtMs = Date.now();
let lastTickMs = startedAtMs;
let due = 0;
let serial = 0;
let isSurgeOver = false;
let inFlight: Promise<void> | null = null;

function perSecond(nowMs: number): number {
  isSurgeOver ||= serial >= (plan.surgeJobs ?? Number.POSITIVE_INFINITY);
  const isSurge = nowMs - startedAtMs >= plan.calmMs && !isSurgeOver;
  return isSurge ? plan.surgePerSecond : plan.ordinaryPerSecond;
}

async function add(count: number): Promise<void> {
  // BullMQ takes no plain numbers as ids of one's own.
  const ids = Array.from({ length: count }, () => `${plan.jobName}-${++serial}`);
  const jobs = ids.map((jobId) => ({
    name: plan.jobName,
    data: { id: jobId, padding },
    opts: { ...plan.options, jobId },
  }));
  const accepted: string[] = [];
  const refused: string[] = [];
  const calls = plan.isBulk
    ? [{ ids, call: queue.addBulk(jobs) }]
    : jobs.map((job) => ({ ids: [job.opts.jobId], call: queue.add(job.name, job.data, job.opts) }));
  // All are listened to at once: a refusal that nobody listens to yet would end the process.
  await Promise.all(
    calls.map(({ ids: asked, call }) =>
      call.then(
        () => accepted.push(...asked),
        () => refused.push(...asked),
      ),
    ),
  );
  if (accepted.length > 0) say({ kind: 'accepted', queue: plan.queue, ids: accepted });
  if (refused.length > 0) {
    isSurgeOver = true;
    say({ kind: 'refused', queue: plan.queue, ids: refused });
  }
}

const timer = setInterval(() => {
  const nowMs = Date.now();
  due = Math.min(MAX_AT_ONCE, due + (perSecond(nowMs) * (nowMs - lastTickMs)) / 1000);
  lastTickMs = nowMs;
  const count = Math.floor(due);
  if (count === 0 || inFlight) return;
  due -= count;
  inFlight = add(count).finally(() => {
    inFlight = null;
  });
}, TICK_MS);

endWithParent(async () => {
  clearInterval(timer);
  await inFlight;
  await queue.close().catch(() => undefined);
});
say({ kind: 'ready' });
