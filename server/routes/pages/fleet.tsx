import { FleetHead } from '../../../views/fleet-head.js';
import { type FleetGroup, FleetGroups, FleetPage, type FleetProps } from '../../../views/fleet-page.js';
import { actionPath, queuePath, replayFormPath } from '../../../views/links.js';
import type { TimelineProps } from '../../../views/timeline.js';
import { moment } from '../../../views/words.js';
import { WorkerRow } from '../../../views/worker-table.js';
import { formatThings } from '../../model/format.js';
import { type Actor, includesRole, type Role } from '../../model/role.js';
import type { Snapshot } from '../../model/snapshot.js';
import { ALL_INSTANCES, type TimelineEntry, type TimelineKind } from '../../model/timeline-entry.js';
import { plainName } from '../../model/words.js';
import type { WorkerState } from '../../model/worker.js';
import { byTrouble, VERDICT_ORDER } from '../../model/worker.js';
import type { AppDeps } from '../app-deps.js';
import type { LiveView } from '../live/hub.js';
import { html, listParts, swapPart } from '../live/part.js';
import { chromeOf } from './chrome.js';
import { frameParts } from './overview.js';
import {
  fleetHeadOf,
  slotsInWords,
  verdictsInWords,
  WORKER_VERDICTS,
  workerTableOf,
} from './worker-view-model.js';

const LABELS: Partial<Record<TimelineKind, string>> = { 'marker.deploy': 'Deploy', 'marker.note': 'Note' };

function timelineOf(
  entries: readonly TimelineEntry[],
  nowMs: number,
  hasManyInstances: boolean,
  mayReplay = false,
): TimelineProps {
  return {
    entries: entries.map((entry) => ({
      id: entry.id,
      at: moment(entry.atMs, nowMs),
      place: hasManyInstances ? (entry.instance === ALL_INSTANCES ? 'all' : entry.instance) : '',
      label: LABELS[entry.kind] ?? '',
      text: entry.text,
      by: byWhom(entry),
      replayHref: mayReplay ? replayHrefOf(entry) : null,
    })),
  };
}

/** After a deploy or a crash jobs fail that can be made up for; of which queue is asked where the event does not say. */
function replayHrefOf({ kind, queue, instance, atMs }: TimelineEntry): string | null {
  if (kind !== 'marker.deploy' && kind !== 'worker.crashed') return null;
  const at = instance === ALL_INSTANCES ? {} : { instance };
  return replayFormPath({ ...at, queue: queue ?? '', fromMs: atMs });
}

function byWhom({ actor, queue }: TimelineEntry): string {
  if (!actor) return '';
  return `by ${plainName(actor)}${queue === null ? '' : `, ${plainName(queue.slice(queue.lastIndexOf(':') + 1))}`}`;
}

const MAX_ROWS = 200;
const MAX_GROUPS = 60;
const GROUPINGS = ['queue', 'host', 'verdict'] as const;
type Grouping = (typeof GROUPINGS)[number];

export interface FleetQuery {
  readonly by: Grouping;
  readonly search: string;
}

/** Bounded, and never an error: what is not known is the first. */
export function parseFleetQuery(query: Readonly<Record<string, string | undefined>>): FleetQuery {
  return {
    by: GROUPINGS.find((known) => known === query.by) ?? 'queue',
    search: (query.search ?? '').slice(0, 200),
  };
}

export async function fleetPage(deps: AppDeps, actor: Actor, query: FleetQuery) {
  const nowMs = deps.now();
  const liveUrl = `/live?${new URLSearchParams({ view: 'fleet', ...query })}`;
  const frame = { actor, nowMs, current: '/workers', subject: 'workers', liveUrl };
  const view: FleetProps = {
    ...fleetOf(deps, actor.role, query, nowMs),
    by: query.by,
    search: query.search,
    groupings: GROUPINGS.map((grouping) => ({
      label: grouping,
      href: `/workers?${new URLSearchParams({ by: grouping, search: query.search })}`,
      isCurrent: grouping === query.by,
    })),
    timeline: timelineOf(
      await deps.timeline.list({ limit: 20 }),
      nowMs,
      deps.watch.snapshots().length > 1,
      includesRole(actor.role, 'operator'),
    ),
  };
  return <FleetPage chrome={chromeOf(deps, frame)} view={view} />;
}

/** What changes on the fleet page. */
export function fleetLive(deps: AppDeps, role: Role, query: FleetQuery): LiveView {
  return {
    key: JSON.stringify(['fleet', role, query]),
    render: () => {
      const nowMs = deps.now();
      const { head, groups, table } = fleetOf(deps, role, query, nowMs);
      return [
        ...frameParts(deps, nowMs, 'workers'),
        swapPart(head.id, html(<FleetHead {...head} />)),
        swapPart('fleet-groups', html(<FleetGroups groups={groups} />)),
        ...listParts(
          'workers',
          table.rows.map((row) => ({ id: row.id, html: html(<WorkerRow {...row} />) })),
        ),
      ];
    },
  };
}

interface Placed {
  readonly worker: WorkerState;
  readonly snapshot: Snapshot;
}

function fleetOf(
  deps: AppDeps,
  role: Role,
  query: FleetQuery,
  nowMs: number,
): Pick<FleetProps, 'head' | 'groups' | 'table'> {
  const snapshots = deps.watch.snapshots();
  const text = query.search.toLowerCase();
  const all: Placed[] = snapshots.flatMap((snapshot) =>
    snapshot.workers
      .filter((worker) => textOf(worker).includes(text))
      .map((worker) => ({ worker, snapshot })),
  );
  const sorted = all.sort((a, b) => byTrouble(a.worker, b.worker));
  const context = { role, nowMs, hasQueue: true, hasManyInstances: snapshots.length > 1 };
  return {
    head: fleetHeadOf(
      'fleet-head',
      sorted.map(({ worker }) => worker),
      snapshots,
      { orders: [], actions: [] },
      nowMs,
    ),
    groups: groupsOf(sorted, query, role, snapshots.length > 1),
    table: workerTableOf(sorted, context, MAX_ROWS),
  };
}

function textOf({ label, queueId, host, agent }: WorkerState): string {
  const labels = Object.entries(agent?.labels ?? {}).flat();
  return [label, queueId, host ?? '', ...labels].join(' ').toLowerCase();
}

/** Worst groups first. */
function groupsOf(
  all: readonly Placed[],
  { by }: FleetQuery,
  role: Role,
  hasManyInstances: boolean,
): readonly FleetGroup[] {
  const groups = new Map<string, Placed[]>();
  for (const one of all) {
    const key = keyOf(one, by);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  const worst = (group: readonly Placed[]): number =>
    Math.min(...group.map(({ worker }) => VERDICT_ORDER.indexOf(worker.verdict)));
  return [...groups]
    .sort(([nameA, a], [nameB, b]) => worst(a) - worst(b) || b.length - a.length || (nameA < nameB ? -1 : 1))
    .slice(0, MAX_GROUPS)
    .map(([name, group]) => groupOf(name, group, by, role, hasManyInstances));
}

function keyOf({ worker, snapshot }: Placed, by: Grouping): string {
  if (by === 'verdict') return WORKER_VERDICTS[worker.verdict].word;
  if (by === 'host') return worker.host ?? 'host not known';
  return `${snapshot.instance} ${worker.queueId}`;
}

function groupOf(
  name: string,
  group: readonly Placed[],
  by: Grouping,
  role: Role,
  hasManyInstances: boolean,
): FleetGroup {
  const workers = group.map(({ worker }) => worker);
  const [first] = group;
  const troubled = workers.filter(({ verdict, outlier }) => verdict !== 'healthy' || outlier !== null);
  const isQueue = by === 'queue' && first !== undefined;
  const queueId = first?.worker.queueId ?? '';
  const instance = first?.snapshot.instance ?? '';
  const bare = queueId.slice(queueId.lastIndexOf(':') + 1);
  return {
    name: plainName(isQueue ? (hasManyInstances ? `${instance} · ${bare}` : bare) : name),
    href: isQueue ? queuePath(instance, queueId) : null,
    workers: formatThings(group.length, 'worker'),
    trouble: troubled.length === 0 ? '' : verdictsInWords(troubled),
    slots: slotsInWords(workers),
    action:
      isQueue && includesRole(role, 'operator') && workers.some(({ agent }) => agent !== null)
        ? {
            label: 'Concurrency',
            href: actionPath({ action: 'workers.concurrency', instance, queues: [queueId] }),
          }
        : null,
  };
}
