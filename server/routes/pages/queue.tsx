import { JobPage } from '../../../views/job-page.js';
import { JobTypeRow, type TypeContext, typeRowId } from '../../../views/job-type-row.js';
import { JobTypeNotes, JobTypeSummary, shownTypes } from '../../../views/job-types.js';
import { queuePath } from '../../../views/links.js';
import { QueueMemorySection } from '../../../views/queue-memory.js';
import { QueueHead, QueuePage } from '../../../views/queue-page.js';
import type { TenantRowProps, TenantTableProps } from '../../../views/tenant-table.js';
import { TenantTable } from '../../../views/tenant-table.js';
import { queueOrLast, unreadQueue } from '../../model/finding.js';
import { formatCount, formatEstimate, formatRatio } from '../../model/format.js';
import type { TenantShare } from '../../model/job-type.js';
import { type Actor, includesRole, type Role } from '../../model/role.js';
import type { QueueState } from '../../model/snapshot.js';
import { NO_TENANT, OTHER_TENANTS, UNREAD_TENANT } from '../../model/tenant-text.js';
import { JobsUnavailable } from '../../watch/watch.js';
import { queueIn, snapshotOf } from '../api/env.js';
import type { AppDeps } from '../app-deps.js';
import type { LiveView } from '../live/hub.js';
import { eventPart, html, listParts, type Part, swapPart } from '../live/part.js';
import { Problem } from '../problem.js';
import { canaryFormOf } from './canary.js';
import { chartTexts } from './charts.js';
import { chromeOf, crumbsTo } from './chrome.js';
import { findingParts } from './finding-parts.js';
import { JOBS_A_PAGE, jobPageOf, jobTableOf, parseJobState, usualState } from './job-view-model.js';
import { frameParts } from './overview.js';
import { lastOfParked, type ParkedPlace, parkedLive, parkedOf } from './parked.js';
import { fleetParts, queueFleetOf } from './queue-fleet.js';
import { queueMemoryOf } from './queue-memory-view-model.js';
import { queueChartsOf, queueFindings, queueHeadOf } from './queue-view-model.js';

const WORDS: Readonly<Record<string, string>> = {
  [OTHER_TENANTS]: 'all others',
  [NO_TENANT]: 'no tenant in the data',
  [UNREAD_TENANT]: 'not read: new, or data above 16 KB',
};

/** @param showsData tenants are text from job data: roles that may not see those see no table. */
function tenantTableOf(tenants: readonly TenantShare[] | null, showsData: boolean): TenantTableProps {
  return { rows: showsData && tenants ? tenants.map(rowOf) : null };
}

function rowOf(share: TenantShare): TenantRowProps {
  const { tenant, jobs } = share;
  const isExact = jobs.low === jobs.value && jobs.high === jobs.value;
  const words = Object.hasOwn(WORDS, tenant) ? WORDS[tenant] : undefined;
  return {
    tenant: words ?? tenant,
    isRest: words !== undefined,
    share: formatRatio(share.shareOfBacklog),
    jobs: isExact
      ? formatCount(jobs.value)
      : `${formatCount(jobs.value)} (${formatCount(jobs.low)} to ${formatCount(jobs.high)})`,
    // What was not read has no size that is known.
    memory: share.bytes > 0 ? formatEstimate(share) : '–',
  };
}

/** What changes in the section of job types. */
function jobTypeParts(view: TypeContext): readonly Part[] {
  const { queue, instance } = view;
  return [
    swapPart('job-types-summary', html(<JobTypeSummary queue={queue} />)),
    swapPart('job-types-notes', html(<JobTypeNotes queue={queue} />)),
    ...listParts(
      'types',
      shownTypes(queue).map((type) => ({
        id: typeRowId(instance, queue.id, type.name),
        html: html(<JobTypeRow type={type} {...view} />),
      })),
    ),
  ];
}

function typesOf(deps: AppDeps, queue: QueueState, instance: string, role: Role, nowMs: number): TypeContext {
  return {
    queue,
    instance,
    canAct: includesRole(role, 'operator'),
    showsErrors: includesRole(role, deps.jobDataRole),
    nowMs,
  };
}

export interface QueuePageQuery {
  readonly instance: string;
  readonly queue: string;
  readonly state: string | undefined;
  readonly cursor: string | undefined;
  /** What was just done on it: see parked.tsx. */
  readonly last?: Readonly<Record<string, string>>;
}

export async function queuePage(deps: AppDeps, actor: Actor, query: QueuePageQuery) {
  const snapshot = snapshotOf(deps, query.instance);
  const queue = unreadQueue(snapshot, query.queue)?.last ?? queueIn(snapshot, query.queue);
  const { instance } = snapshot;
  // While somebody looks at it, it is read at every tick.
  deps.watch.refreshSoon(instance, queue.id);
  const state = parseJobState(query.state) ?? usualState(queue);
  const cursor = Math.max(0, Math.floor(Number(query.cursor) || 0));
  const jobs = await jobsOrProblem(deps, instance, queue.id, { state, cursor, limit: JOBS_A_PAGE });
  const nowMs = deps.now();
  const liveUrl = `/live?${new URLSearchParams({ view: 'queue', instance, queue: queue.id })}`;
  const frame = {
    actor,
    nowMs,
    current: '/queues',
    crumbs: crumbsTo(instance),
    subject: queue.name,
    liveUrl,
    hasCharts: true,
  };
  const showsData = includesRole(actor.role, deps.jobDataRole);
  return (
    <QueuePage
      chrome={chromeOf(deps, frame)}
      view={{
        head: queueHeadOf(deps, queue, snapshot, actor.role, nowMs),
        findings: queueFindings(deps, instance, queue.id, actor.role, nowMs),
        charts: queueChartsOf(queue, instance),
        jobTypes: typesOf(deps, queue, instance, actor.role, nowMs),
        ...queueFleetOf(queue, snapshot, actor.role, nowMs),
        memory: queueMemoryOf(queue, snapshot, actor.role, nowMs),
        tenants: tenantTableOf(queue.tenants, showsData),
        parked: await parkedOf(deps, parkedPlace(instance, queue.id, actor.role)),
        lastOfParked: lastOfParked(query.last ?? {}),
        canary: canaryFormOf(instance, queue.id, actor.role),
        jobs: jobTableOf({
          queue,
          instance,
          state,
          cursor,
          ...jobs,
          showsData,
          mayReplay: includesRole(actor.role, 'operator'),
          nowMs,
        }),
      }}
    />
  );
}

/** What changes on a queue's page; the jobs stay as they were asked for. null where there is no such queue. */
export function queueLive(deps: AppDeps, role: Role, instance: string, queueId: string): LiveView | null {
  // A stream is one role's: the hub never shares it with another (see `key`).
  const showsData = includesRole(role, deps.jobDataRole);
  const find = () => {
    const snapshot = deps.watch.snapshot(instance);
    return snapshot && queueOrLast(snapshot, queueId);
  };
  if (!find()) return null;
  const parked = parkedLive(deps, parkedPlace(instance, queueId, role));
  return {
    key: JSON.stringify(['queue', role, instance, queueId]),
    render: () => {
      const snapshot = deps.watch.snapshot(instance);
      const queue = find();
      const nowMs = deps.now();
      if (!snapshot || !queue) return frameParts(deps, nowMs, queueId);
      deps.watch.refreshSoon(instance, queueId);
      return [
        ...frameParts(deps, nowMs, queue.name),
        swapPart('queue-head', html(<QueueHead {...queueHeadOf(deps, queue, snapshot, role, nowMs)} />)),
        ...findingParts(queueFindings(deps, instance, queueId, role, nowMs).findings),
        ...jobTypeParts(typesOf(deps, queue, instance, role, nowMs)),
        ...fleetParts(queueFleetOf(queue, snapshot, role, nowMs)),
        swapPart(
          'queue-memory',
          html(<QueueMemorySection {...queueMemoryOf(queue, snapshot, role, nowMs)} />),
        ),
        swapPart('tenants', html(<TenantTable {...tenantTableOf(queue.tenants, showsData)} />)),
        ...parked(),
        eventPart('charts', 'charts', chartTexts(queueChartsOf(queue, instance))),
      ];
    },
  };
}

function parkedPlace(instance: string, queue: string, role: Role): ParkedPlace {
  return { role, back: queuePath(instance, queue), of: { instance, queue } };
}

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
  const nowMs = deps.now();
  const frame = {
    actor,
    nowMs,
    current: '/queues',
    crumbs: crumbsTo(instance, queue),
    subject: `job ${jobId}`,
    liveUrl: '/live?view=frame',
  };
  const { role } = actor;
  return (
    <JobPage
      chrome={chromeOf(deps, frame)}
      job={jobPageOf({ job, queue, instance, role, jobDataRole: deps.jobDataRole, nowMs })}
    />
  );
}

/** A Redis that can't be asked for jobs must not take the rest of the page with it. */
async function jobsOrProblem(
  deps: AppDeps,
  instance: string,
  queueId: string,
  query: Parameters<AppDeps['listJobs']>[2],
) {
  try {
    return { page: await deps.listJobs(instance, queueId, query), problem: null };
  } catch (error) {
    if (error instanceof JobsUnavailable) return { page: null, problem: `${error.message}.` };
    throw error;
  }
}
