import { openQueue } from './connection.js';
import { endWithParent, readPlan, say } from './talk.js';

/** Adds jobs as fast as Redis takes them: a backlog that is there at once. */
export interface BacklogPlan {
  readonly redisPort: number;
  readonly queue: string;
  readonly jobName: string;
  readonly count: number;
  readonly dataChars: number;
  /** Put into the data of each job. */
  readonly tenant?: string;
  /** Completed jobs stay in Redis, so that what a killed worker has completed can be seen. */
  readonly isKept?: boolean;
}

const CHUNK = 1_000;

const plan = readPlan<BacklogPlan>();
const queue = openQueue(plan.queue, plan.redisPort);
endWithParent(async () => queue.close().catch(() => undefined));

const padding = 'x'.repeat(plan.dataChars);
for (let at = 0; at < plan.count; at += CHUNK) {
  const size = Math.min(CHUNK, plan.count - at);
  const ids = Array.from({ length: size }, (_, i) => `${plan.jobName}-${plan.tenant ?? 'backlog'}-${at + i}`);
  await queue.addBulk(
    ids.map((jobId) => ({
      name: plan.jobName,
      data: { id: jobId, padding, ...(plan.tenant === undefined ? {} : { tenant: plan.tenant }) },
      opts: { jobId, removeOnComplete: plan.isKept !== true },
    })),
  );
  say({ kind: 'accepted', queue: plan.queue, ids });
}
say({ kind: 'ready' });
