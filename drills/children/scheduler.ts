import { openQueue } from './connection.js';
import { endWithParent, readPlan, say } from './talk.js';

/** A service that adds jobs of several types, each at its own steady rate. Asked to drop a type, it adds no more of it. */
export interface SchedulerPlan {
  readonly redisPort: number;
  readonly queue: string;
  readonly types: readonly { readonly jobName: string; readonly perSecond: number }[];
}

export type SchedulerHears =
  | { readonly do: 'drop'; readonly jobName: string }
  /** Adds jobs about a monitor that is not there, once. */
  | { readonly do: 'orphan'; readonly jobName: string; readonly count: number };

const TICK_MS = 100;
/** Jobs are about one of so many monitors. */
const SUBJECTS = 200;
const KEEP_COMPLETED = 500;

const plan = readPlan<SchedulerPlan>();
const queue = openQueue(plan.queue, plan.redisPort);

const schedules = new Map(
  plan.types.map(({ jobName, perSecond }) => [jobName, { perSecond, due: 0, serial: 0 }]),
);
let orphans: string[] = [];
let orphaned = 0;
let lastTickMs = Date.now();
let inFlight: Promise<void> | null = null;

function takeDue(nowMs: number): string[] {
  const seconds = (nowMs - lastTickMs) / 1000;
  lastTickMs = nowMs;
  return [...schedules].flatMap(([jobName, schedule]) => {
    schedule.due += schedule.perSecond * seconds;
    const count = Math.floor(schedule.due);
    schedule.due -= count;
    return Array.from({ length: count }, () => `${jobName}-${++schedule.serial}`);
  });
}

async function add(ids: readonly string[]): Promise<void> {
  const jobs = ids.map((jobId) => {
    const at = jobId.lastIndexOf('-');
    const name = jobId.slice(0, at);
    const serial = Number(jobId.slice(at + 1));
    const data = { id: jobId, subject: Number.isNaN(serial) ? null : serial % SUBJECTS };
    return { name, data, opts: { jobId, removeOnComplete: { count: KEEP_COMPLETED } } };
  });
  await queue.addBulk(jobs).then(
    () => say({ kind: 'accepted', queue: plan.queue, ids }),
    () => say({ kind: 'refused', queue: plan.queue, ids }),
  );
}

const timer = setInterval(() => {
  if (inFlight) return;
  const ids = [...takeDue(Date.now()), ...orphans.splice(0)];
  if (ids.length === 0) return;
  inFlight = add(ids).finally(() => {
    inFlight = null;
  });
}, TICK_MS);

process.on('message', (message: SchedulerHears) => {
  if (message.do === 'drop') schedules.delete(message.jobName);
  if (message.do === 'orphan')
    orphans = Array.from({ length: message.count }, () => `${message.jobName}-orphan${++orphaned}`);
});
endWithParent(async () => {
  clearInterval(timer);
  await inFlight;
  await queue.close().catch(() => undefined);
});
say({ kind: 'ready' });
