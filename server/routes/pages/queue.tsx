import { CanaryForm } from '../../../views/canary.js';
import type { ChartProps } from '../../../views/chart.js';
import { JobView } from '../../../views/job-page.js';
import { JobTypeRow, type TypeContext, typeRowId } from '../../../views/job-type-row.js';
import { JobTypeNotes, JobTypeSummary, JobTypeTable, shownTypes } from '../../../views/job-types.js';
import { JobsTab, type JobsTabProps } from '../../../views/jobs-tab.js';
import { QUEUE_TABS, type QueueTab, queuePath } from '../../../views/links.js';
import { QueueHead, type QueueHeadProps } from '../../../views/queue-head.js';
import { QueueMemorySection } from '../../../views/queue-memory.js';
import { QueuePage } from '../../../views/queue-page.js';
import { QueueSettings } from '../../../views/queue-settings.js';
import { QueueWorkers } from '../../../views/queue-workers.js';
import type { TenantRowProps, TenantTableProps } from '../../../views/tenant-table.js';
import { TenantTable } from '../../../views/tenant-table.js';
import { isAboutQueue, problemsByQueue } from '../../findings/trouble.js';
import { queueOrLast, unreadQueue } from '../../model/finding.js';
import { formatCount, formatEstimate, formatRate, formatRatio } from '../../model/format.js';
import type { TenantShare } from '../../model/job-type.js';
import { type Actor, includesRole, type Role } from '../../model/role.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';
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
import { findingListOf, findingParts } from './finding-parts.js';
import { failedWith } from './job-type.js';
import { JOBS_A_PAGE, jobPageOf, jobTableOf, parseJobState, usualState } from './job-view-model.js';
import { frameParts } from './overview.js';
import { lastOfParked, type ParkedPlace, parkedLive, parkedOf } from './parked.js';
import { fleetParts, queueFleetOf } from './queue-fleet.js';
import { queueMemoryProps } from './queue-memory-view-model.js';

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
  readonly tab: string | undefined;
  readonly state: string | undefined;
  readonly cursor: string | undefined;
  /** A job's id that was looked for here, and not found. */
  readonly job: string | undefined;
  /** What was just done on it: see parked.tsx. */
  readonly last?: Readonly<Record<string, string>>;
}

export function parseQueueTab(text: string | undefined): QueueTab {
  return QUEUE_TABS.find((known) => known === text) ?? 'jobs';
}

export async function queuePage(deps: AppDeps, actor: Actor, query: QueuePageQuery) {
  const snapshot = snapshotOf(deps, query.instance);
  const queue = unreadQueue(snapshot, query.queue)?.last ?? queueIn(snapshot, query.queue);
  const { instance } = snapshot;
  // While somebody looks at it, it is read at every tick.
  deps.watch.refreshSoon(instance, queue.id);
  const tab = parseQueueTab(query.tab);
  const nowMs = deps.now();
  const frame = {
    actor,
    nowMs,
    current: '/queues',
    crumbs: crumbsTo(instance),
    subject: queue.name,
    liveUrl: `/live?${new URLSearchParams({ view: 'queue', instance, queue: queue.id, tab })}`,
    hasCharts: true,
  };
  const { role } = actor;
  return (
    <QueuePage
      chrome={chromeOf(deps, frame)}
      head={headOf(deps, queue, snapshot, role)}
      findings={queueFindings(deps, instance, queue.id, role, nowMs)}
      charts={queueChartsOf(queue, instance)}
      tab={tab}
    >
      {await tabOf(deps, role, tab, { queue, snapshot, query, nowMs })}
    </QueuePage>
  );
}

interface TabContext {
  readonly queue: QueueState;
  readonly snapshot: Snapshot;
  readonly query: QueuePageQuery;
  readonly nowMs: number;
}

/** What is behind a tab. */
async function tabOf(
  deps: AppDeps,
  role: Role,
  tab: QueueTab,
  { queue, snapshot, query, nowMs }: TabContext,
) {
  const { instance } = snapshot;
  switch (tab) {
    case 'types':
      return <JobTypeTable {...typesOf(deps, queue, instance, role, nowMs)} />;
    case 'workers':
      return <QueueWorkers {...queueFleetOf(queue, snapshot, role, nowMs)} />;
    case 'memory': {
      const showsData = includesRole(role, deps.jobDataRole);
      return (
        <>
          <QueueMemorySection {...queueMemoryProps(queue, snapshot, role, nowMs)} />
          <TenantTable {...tenantTableOf(queue.tenants, showsData)} />
        </>
      );
    }
    case 'settings': {
      const canary = canaryFormOf(instance, queue.id, role);
      return (
        <>
          <QueueSettings
            queue={queue}
            instance={instance}
            canAct={includesRole(role, 'operator')}
            nowMs={nowMs}
          />
          {canary ? <CanaryForm {...canary} /> : null}
        </>
      );
    }
    case 'jobs':
      return <JobsTab {...(await jobsTabOf(deps, role, { queue, snapshot, query, nowMs }))} />;
  }
}

async function jobsTabOf(
  deps: AppDeps,
  role: Role,
  { queue, snapshot, query, nowMs }: TabContext,
): Promise<JobsTabProps> {
  const { instance } = snapshot;
  const state = parseJobState(query.state) ?? usualState(queue);
  const cursor = Math.max(0, Math.floor(Number(query.cursor) || 0));
  const jobs = await jobsOrProblem(deps, instance, queue.id, { state, cursor, limit: JOBS_A_PAGE });
  return {
    parked: await parkedOf(deps, parkedPlace(instance, queue.id, role)),
    lastOfParked: lastOfParked(query.last ?? {}),
    errors: state === 'failed' ? await failedWith(deps, role, instance, queue) : null,
    jobs: jobTableOf({
      queue,
      instance,
      state,
      cursor,
      ...jobs,
      missing: query.job ?? null,
      showsData: includesRole(role, deps.jobDataRole),
      mayReplay: includesRole(role, 'operator'),
      nowMs,
    }),
    nowMs,
  };
}

/** What changes on a queue's page; the jobs stay as they were asked for. null where there is no such queue. */
export function queueLive(
  deps: AppDeps,
  role: Role,
  instance: string,
  queueId: string,
  tab: QueueTab,
): LiveView | null {
  const find = () => {
    const snapshot = deps.watch.snapshot(instance);
    return snapshot && queueOrLast(snapshot, queueId);
  };
  if (!find()) return null;
  const parked = parkedLive(deps, parkedPlace(instance, queueId, role));
  return {
    // A stream is one role's: the hub never shares it with another.
    key: JSON.stringify(['queue', role, instance, queueId, tab]),
    render: () => {
      const snapshot = deps.watch.snapshot(instance);
      const queue = find();
      const nowMs = deps.now();
      if (!snapshot || !queue) return frameParts(deps, nowMs, queueId);
      deps.watch.refreshSoon(instance, queueId);
      return [
        ...frameParts(deps, nowMs, queue.name),
        swapPart('queue-head', html(<QueueHead {...headOf(deps, queue, snapshot, role)} />)),
        ...findingParts(queueFindings(deps, instance, queueId, role, nowMs).findings),
        eventPart('charts', 'charts', chartTexts(queueChartsOf(queue, instance))),
        ...(tab === 'jobs' ? parked() : tabParts(deps, role, tab, queue, snapshot, nowMs)),
      ];
    },
  };
}

function tabParts(
  deps: AppDeps,
  role: Role,
  tab: QueueTab,
  queue: QueueState,
  snapshot: Snapshot,
  nowMs: number,
): readonly Part[] {
  const { instance } = snapshot;
  switch (tab) {
    case 'types':
      return jobTypeParts(typesOf(deps, queue, instance, role, nowMs));
    case 'workers':
      return fleetParts(queueFleetOf(queue, snapshot, role, nowMs));
    case 'memory': {
      const tenants = tenantTableOf(queue.tenants, includesRole(role, deps.jobDataRole));
      return [
        swapPart(
          'queue-memory',
          html(<QueueMemorySection {...queueMemoryProps(queue, snapshot, role, nowMs)} />),
        ),
        swapPart('tenants', html(<TenantTable {...tenants} />)),
      ];
    }
    case 'settings': {
      const canAct = includesRole(role, 'operator');
      const settings = <QueueSettings queue={queue} instance={instance} canAct={canAct} nowMs={nowMs} />;
      return [swapPart('queue-settings', html(settings))];
    }
    case 'jobs':
      return [];
  }
}

function headOf(
  deps: Pick<AppDeps, 'watch'>,
  queue: QueueState,
  snapshot: Snapshot,
  role: Role,
): QueueHeadProps {
  return {
    queue,
    snapshot,
    problem: problemsByQueue(deps.watch.findings())(snapshot.instance, queue.id),
    unread: unreadQueue(snapshot, queue.id) ?? null,
    canAct: includesRole(role, 'operator'),
  };
}

function queueFindings(deps: AppDeps, instance: string, queueId: string, role: Role, nowMs: number) {
  return findingListOf(deps, role, nowMs, (finding) => isAboutQueue(finding, instance, queueId), true);
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
    <JobView
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

function queueChartsOf(queue: QueueState, instance: string): readonly ChartProps[] {
  const href = `${queuePath(instance, queue.id)}/series.json`;
  const history = String(new URLSearchParams({ instance, queue: queue.id }));
  const { rates } = queue;
  return [
    {
      id: 'chart-depth',
      title: 'Waiting and active',
      text: `${formatCount(queue.backlog)} waiting, ${formatCount(queue.counts.active)} active`,
      unit: 'jobs',
      lines: [
        { label: 'waiting', key: 'backlog', signal: 'queue_backlog_jobs', colour: 'one' },
        { label: 'active', key: 'active', signal: 'queue_active_jobs', colour: 'two' },
      ],
      href,
      history,
      limit: null,
    },
    {
      id: 'chart-rates',
      title: 'Jobs per second',
      text: rates
        ? `${formatRate(rates.arrivalsPerSecond)} in, ${formatRate(rates.departuresPerSecond)} out`
        : 'not measured yet',
      unit: 'perSecond',
      lines: [
        { label: 'in', key: 'arrivalsPerSecond', signal: 'queue_arrivals_per_second', colour: 'two' },
        { label: 'out', key: 'departuresPerSecond', signal: 'queue_departures_per_second', colour: 'one' },
      ],
      href,
      history,
      limit: null,
    },
  ];
}
