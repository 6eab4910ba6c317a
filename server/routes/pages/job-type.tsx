import type { ErrorGroupRow } from '../../../views/error-groups.js';
import { JobTypeNow, type JobTypeNowProps, JobTypePage } from '../../../views/job-type-page.js';
import { jobPath, replayFormPath } from '../../../views/links.js';
import { errorGroups } from '../../model/error-group.js';
import { unreadQueue } from '../../model/finding.js';
import type { JobRow } from '../../model/job-view.js';
import { type Actor, includesRole, type Role } from '../../model/role.js';
import type { QueueState } from '../../model/snapshot.js';
import { JobsUnavailable } from '../../watch/watch.js';
import { queueIn, snapshotOf } from '../api/env.js';
import type { AppDeps } from '../app-deps.js';
import type { LiveView } from '../live/hub.js';
import { html, swapPart } from '../live/hub.js';
import { chromeOf, crumbsTo } from './chrome.js';
import { frameParts } from './overview.js';

/** Newest failed jobs that are looked at for their errors. */
const MAX_FAILED = 100;

export async function jobTypePage(
  deps: AppDeps,
  actor: Actor,
  instance: string,
  idOrName: string,
  name: string,
) {
  const snapshot = snapshotOf(deps, instance);
  const queue = unreadQueue(snapshot, idOrName)?.last ?? queueIn(snapshot, idOrName);
  // While somebody looks at it, its queue is read at every tick.
  deps.watch.refreshSoon(snapshot.instance, queue.id);
  const liveUrl = `/live?${new URLSearchParams({ view: 'job-type', instance: snapshot.instance, queue: queue.id, type: name })}`;
  const chrome = chromeOf(deps, {
    actor,
    nowMs: deps.now(),
    current: '/queues',
    crumbs: crumbsTo(snapshot.instance, queue),
    subject: name,
    liveUrl,
  });
  const errors = await failedWith(deps, actor.role, snapshot.instance, queue, ({ name: of }) => of === name);
  return (
    <JobTypePage
      chrome={chrome}
      {...nowOf(deps, actor.role, snapshot.instance, queue, name)}
      errors={errors}
    />
  );
}

/** What changes on a job type's page; null where there is no such queue. */
export function jobTypeLive(
  deps: AppDeps,
  role: Role,
  instance: string,
  queueId: string,
  name: string,
): LiveView | null {
  const find = () => deps.watch.snapshot(instance)?.queues.find(({ id }) => id === queueId);
  if (!find()) return null;
  return {
    key: JSON.stringify(['job-type', role, instance, queueId, name]),
    render: () => {
      const queue = find();
      const frame = frameParts(deps, deps.now(), name);
      if (!queue) return frame;
      deps.watch.refreshSoon(instance, queueId);
      const now = nowOf(deps, role, instance, queue, name);
      return [...frame, swapPart('job-type-now', html(<JobTypeNow {...now} />))];
    },
  };
}

function nowOf(
  deps: AppDeps,
  role: Role,
  instance: string,
  queue: QueueState,
  name: string,
): JobTypeNowProps {
  return {
    name,
    type: queue.types.find((type) => type.name === name) ?? null,
    queue,
    instance,
    canAct: includesRole(role, 'operator'),
    showsErrors: includesRole(role, deps.jobDataRole),
    nowMs: deps.now(),
  };
}

/** Errors of the newest failed jobs of a queue; null where this role may not see them, or they can't be read. */
export async function failedWith(
  deps: AppDeps,
  role: Role,
  instance: string,
  queue: QueueState,
  isMeant: (job: JobRow) => boolean = () => true,
): Promise<readonly ErrorGroupRow[] | null> {
  if (!includesRole(role, deps.jobDataRole) || queue.counts.failed === 0) return null;
  try {
    const { jobs } = await deps.listJobs(instance, queue.id, {
      state: 'failed',
      cursor: 0,
      limit: MAX_FAILED,
    });
    return errorGroups(jobs.filter(isMeant)).map((group) => ({
      ...group,
      jobHref: jobPath(instance, queue.id, group.jobId),
      replayHref: includesRole(role, 'operator') ? replayHrefOf(instance, queue, group) : null,
    }));
  } catch (error) {
    if (error instanceof JobsUnavailable) return null;
    throw error;
  }
}

function replayHrefOf(
  instance: string,
  queue: QueueState,
  { error, count, types }: Pick<ErrorGroupRow, 'error' | 'count' | 'types'>,
) {
  const [type] = types;
  return replayFormPath({
    instance,
    queue: queue.id,
    ...(types.length === 1 && type !== undefined ? { jobType: type } : {}),
    // Where several texts are one error, its words up to the first that is of one job are what they share.
    errorText: count > 1 ? (/^[^\d"'`]*/.exec(error)?.[0] ?? '').trim() : error,
  });
}
