import { type JobsOptions, Queue } from 'bullmq';
import { endWithParent, readPlan, say } from './talk.js';

/** A service that adds jobs of one type: all of some at once, then steadily, and in a surge. */
export interface ProducerPlan {
  readonly queue: string;
  readonly jobName: string;
  /** Characters of padding in each job's data. */
  readonly dataChars: number;
  readonly options: JobsOptions;
  /** Put into ids, to tell them from those of another producer of this type. */
  readonly series?: string;
  /** Put into the data of each job, and into ids. */
  readonly tenant?: string;
  /** Jobs are about one of so many things, by number. */
  readonly subjects?: number;
  /** Events that the queue keeps; none: 10,000, as BullMQ does by itself. */
  readonly eventsKept?: number;
  /** Jobs that are added as fast as Redis takes them, before the producer is ready. */
  readonly atOnce?: number;
  /** From then on; none: no more. */
  readonly perSecond?: number;
  /** Begins after a calm time, and is over after so many jobs, or when Redis first refuses. */
  readonly surge?: { readonly afterMs: number; readonly perSecond: number; readonly jobs?: number };
  /** One add a job, as a request handler does; else all that is due at once by addBulk. */
  readonly isOneByOne?: boolean;
}

/** Adds jobs about a thing that is not there, once. */
export interface ProducerHears {
  readonly orphans: number;
}

const TICK_MS = 100;
/** A producer that fell behind does not catch up in one blow. */
const MAX_AT_ONCE = 2_000;
const CHUNK = 1_000;

const plan = readPlan<ProducerPlan>();
const { jobName, series, tenant, subjects, surge, perSecond = 0 } = plan;
const queue = new Queue(plan.queue, {
  // It learns from the call itself what Redis refuses.
  connection: { host: '127.0.0.1', port: plan.redisPort, maxRetriesPerRequest: 1 },
  ...(plan.eventsKept === undefined ? {} : { streams: { events: { maxLen: plan.eventsKept } } }),
});
queue.on('error', () => undefined);

// BullMQ takes no plain numbers as ids of one's own.
const stem = [jobName, series ?? tenant].filter((part) => part !== undefined).join('-');
const padding = 'x'.repeat(plan.dataChars);
const startedAtMs = Date.now();
let lastTickMs = startedAtMs;
let due = 0;
let serial = 0;
let orphaned = 0;
let isSurgeOver = false;
let inFlight: Promise<void> | null = null;

function rateAt(nowMs: number): number {
  if (!surge) return perSecond;
  isSurgeOver ||= serial >= (surge.jobs ?? Number.POSITIVE_INFINITY);
  return nowMs - startedAtMs >= surge.afterMs && !isSurgeOver ? surge.perSecond : perSecond;
}

/** About the things in their turn. */
function add(count: number): Promise<void> {
  const numbers = Array.from({ length: count }, () => ++serial);
  return addAll(
    numbers.map((n) => ({
      jobId: `${stem}-${n}`,
      about: subjects === undefined ? {} : { subject: n % subjects },
    })),
  );
}

async function addAll(all: readonly { readonly jobId: string; readonly about: object }[]): Promise<void> {
  const jobs = all.map(({ jobId, about }) => ({
    name: jobName,
    data: { id: jobId, padding, ...(tenant === undefined ? {} : { tenant }), ...about },
    opts: { ...plan.options, jobId },
  }));
  const accepted: string[] = [];
  const refused: string[] = [];
  const calls = plan.isOneByOne
    ? jobs.map((job) => ({ ids: [job.opts.jobId], call: queue.add(job.name, job.data, job.opts) }))
    : [{ ids: all.map(({ jobId }) => jobId), call: queue.addBulk(jobs) }];
  // All are listened to at once: a refusal that nobody listens to yet would end the process.
  await Promise.all(
    calls.map(({ ids, call }) =>
      call.then(
        () => accepted.push(...ids),
        () => refused.push(...ids),
      ),
    ),
  );
  if (accepted.length > 0) say({ kind: 'accepted', queue: plan.queue, ids: accepted });
  if (refused.length > 0) {
    isSurgeOver = true;
    say({ kind: 'refused', queue: plan.queue, ids: refused });
  }
}

process.on('message', ({ orphans = 0 }: Partial<ProducerHears>) => {
  const ids = Array.from({ length: orphans }, () => `${jobName}-orphan${++orphaned}`);
  if (ids.length > 0) void addAll(ids.map((jobId) => ({ jobId, about: { subject: null } })));
});
for (let left = plan.atOnce ?? 0; left > 0; left -= CHUNK) await add(Math.min(CHUNK, left));

const timer = setInterval(() => {
  const nowMs = Date.now();
  due = Math.min(MAX_AT_ONCE, due + (rateAt(nowMs) * (nowMs - lastTickMs)) / 1000);
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
