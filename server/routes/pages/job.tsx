import { JobView } from '../../../views/job-page.js';
import type { Actor } from '../../model/role.js';
import { queueIn, snapshotOf } from '../api/env.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { chromeOf, crumbsTo } from './chrome.js';

export async function jobPage(
  deps: AppDeps,
  actor: Actor,
  instance: string,
  idOrName: string,
  jobId: string,
) {
  const queue = queueIn(snapshotOf(deps, instance), idOrName);
  const job = await deps.readJob(instance, queue.id, jobId);
  if (!job) throw new Problem(404, 'not-found', `there is no job ${jobId.slice(0, 200)} in ${queue.id}`);
  const { role } = actor;
  const { jobDataRole } = deps;
  const nowMs = deps.now();
  const chrome = chromeOf(deps, {
    actor,
    nowMs,
    current: '/queues',
    crumbs: crumbsTo(instance, queue),
    subject: `job ${jobId}`,
    liveUrl: '/live?view=frame',
  });
  return <JobView chrome={chrome} {...{ job, queue, instance, role, jobDataRole, nowMs }} />;
}
