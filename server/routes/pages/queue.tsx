import { CanaryForm } from '../../../views/canary.js';
import { chartTexts } from '../../../views/chart.js';
import { JobTypeRow, type TypeContext, typeRowId } from '../../../views/job-type-row.js';
import { JobTypeNotes, JobTypeSummary, JobTypeTable, shownTypes } from '../../../views/job-types.js';
import { JobsTab } from '../../../views/jobs-tab.js';
import { QUEUE_TABS, type QueueTab } from '../../../views/links.js';
import { QueueHead, type QueueHeadProps } from '../../../views/queue-head.js';
import { QueueMemorySection } from '../../../views/queue-memory.js';
import { QueuePage } from '../../../views/queue-page.js';
import { QueueSettings } from '../../../views/queue-settings.js';
import { QueueWorkers } from '../../../views/queue-workers.js';
import { TenantTable } from '../../../views/tenant-table.js';
import { isAboutQueue, problemsByQueue } from '../../findings/trouble.js';
import { queueOrLast, unreadQueue } from '../../model/finding.js';
import { whyReadOnly } from '../../model/queue-kind.js';
import { type Actor, includesRole, type Role } from '../../model/role.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';
import { queueIn, snapshotOf } from '../api/env.js';
import type { AppDeps } from '../app-deps.js';
import type { LiveView } from '../live/hub.js';
import { eventPart, html, listParts, type Part, swapPart } from '../live/hub.js';
import { canaryFormOf } from './canary.js';
import { chromeOf, crumbsTo } from './chrome.js';
import { findingListOf, findingParts } from './finding-parts.js';
import { frameParts } from './overview.js';
import { parkedLive } from './parked.js';
import { queueChartsOf } from './queue-charts.js';
import { fleetParts, queueFleetOf } from './queue-fleet.js';
import { jobsTabOf, parkedPlace, type QueuePageQuery, type TabContext } from './queue-jobs.js';

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
    canAct: mayAct(role, queue),
    showsErrors: includesRole(role, deps.jobDataRole),
    nowMs,
  };
}

function mayAct(role: Role, queue: QueueState): boolean {
  return includesRole(role, 'operator') && whyReadOnly(queue) === null;
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
      findings={{
        ...queueFindings(deps, instance, queue.id, role, nowMs),
        ...(whyReadOnly(queue) === null ? {} : { calm: 'It is not judged: only queues of BullMQ are.' }),
      }}
      charts={queueChartsOf(queue, instance)}
      time={query.time}
      nowMs={nowMs}
      tab={tab}
    >
      {await tabOf(deps, role, tab, { queue, snapshot, query, nowMs })}
    </QueuePage>
  );
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
    case 'memory':
      return (
        <>
          <QueueMemorySection {...{ queue, snapshot, role, nowMs }} />
          <TenantTable tenants={tenantsFor(deps, role, queue)} />
        </>
      );
    case 'settings': {
      const canary = whyReadOnly(queue) === null ? canaryFormOf(instance, queue.id, role) : null;
      return (
        <>
          <QueueSettings queue={queue} instance={instance} canAct={mayAct(role, queue)} nowMs={nowMs} />
          {canary ? <CanaryForm {...canary} /> : null}
        </>
      );
    }
    case 'jobs':
      return <JobsTab {...(await jobsTabOf(deps, role, { queue, snapshot, query, nowMs }))} />;
  }
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
        ...findingParts(queueFindings(deps, instance, queueId, role, nowMs)),
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
    case 'memory':
      return [
        swapPart('queue-memory', html(<QueueMemorySection {...{ queue, snapshot, role, nowMs }} />)),
        swapPart('tenants', html(<TenantTable tenants={tenantsFor(deps, role, queue)} />)),
      ];
    case 'settings': {
      const canAct = mayAct(role, queue);
      const settings = <QueueSettings queue={queue} instance={instance} canAct={canAct} nowMs={nowMs} />;
      return [swapPart('queue-settings', html(settings))];
    }
    case 'jobs':
      return [];
  }
}

/** Tenants are text from job data: null for roles that may not see that. */
function tenantsFor(deps: AppDeps, role: Role, queue: QueueState) {
  return includesRole(role, deps.jobDataRole) ? queue.tenants : null;
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
    canAct: mayAct(role, queue),
  };
}

function queueFindings(deps: AppDeps, instance: string, queueId: string, role: Role, nowMs: number) {
  return findingListOf(deps, role, nowMs, (finding) => isAboutQueue(finding, instance, queueId), true);
}
