import { FleetHead, type FleetHeadProps } from '../../../views/fleet-head.js';
import { FleetPage } from '../../../views/fleet-page.js';
import { actionPath, queuePath, replayFormPath } from '../../../views/links.js';
import type { TimelineProps } from '../../../views/timeline.js';
import { elementId, moment } from '../../../views/words.js';
import { amongPeers } from '../../../views/worker-peers.js';
import { bareName, type WorkerRowProps, workerRowId } from '../../../views/worker-row.js';
import { type WorkerGroup, WorkerLine, type WorkerTableProps } from '../../../views/worker-table.js';
import { workerWordsOf } from '../../../views/worker-words.js';
import { type Actor, includesRole, type Role } from '../../model/role.js';
import type { Snapshot } from '../../model/snapshot.js';
import { ALL_INSTANCES, type TimelineEntry, type TimelineKind } from '../../model/timeline-entry.js';
import { plainName } from '../../model/words.js';
import type { WorkerState } from '../../model/worker.js';
import { byTrouble, VERDICT_ORDER } from '../../model/worker.js';
import type { AppDeps } from '../app-deps.js';
import type { LiveView } from '../live/hub.js';
import { html, listParts, type Part, swapPart } from '../live/hub.js';
import { chromeOf } from './chrome.js';
import { frameParts } from './overview.js';

const LABELS: Partial<Record<TimelineKind, string>> = { 'marker.deploy': 'Deploy', 'marker.note': 'Note' };

/** Entries of the timeline as lines of a page. */
export function timelineOf(
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
const EVENTS = 5;
const GROUPINGS = ['queue', 'host', 'status'] as const;
type Grouping = (typeof GROUPINGS)[number];

interface FleetQuery {
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
  const entries = await deps.timeline.list({ limit: EVENTS });
  const hasMany = deps.watch.snapshots().length > 1;
  return (
    <FleetPage
      chrome={chromeOf(deps, frame)}
      {...fleetOf(deps, actor.role, query, nowMs)}
      {...query}
      groupings={GROUPINGS.map((grouping) => ({
        label: grouping,
        href: `/workers?${new URLSearchParams({ by: grouping, search: query.search })}`,
        isCurrent: grouping === query.by,
      }))}
      timeline={timelineOf(entries, nowMs, hasMany, includesRole(actor.role, 'operator'))}
    />
  );
}

/** What changes on the page of all workers. */
export function fleetLive(deps: AppDeps, role: Role, query: FleetQuery): LiveView {
  return {
    key: JSON.stringify(['fleet', role, query]),
    render: () => {
      const nowMs = deps.now();
      const { head, table } = fleetOf(deps, role, query, nowMs);
      return [
        ...frameParts(deps, nowMs, 'workers'),
        swapPart(head.id, html(<FleetHead {...head} />)),
        ...workerParts(table),
      ];
    },
  };
}

/** What changes of a table of workers. */
export function workerParts({ lines, canAct }: WorkerTableProps): readonly Part[] {
  return listParts(
    'workers',
    lines.map((line) => ({
      id: 'worker' in line ? workerRowId(line.snapshot.instance, line.worker.id) : line.id,
      html: html(<WorkerLine line={line} canAct={canAct} />),
    })),
  );
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
): { readonly head: FleetHeadProps; readonly table: WorkerTableProps } {
  const snapshots = deps.watch.snapshots();
  const text = query.search.toLowerCase();
  const all: readonly Placed[] = snapshots.flatMap((snapshot) =>
    snapshot.workers
      .filter((worker) => textOf(worker).includes(text))
      .map((worker) => ({ worker, snapshot })),
  );
  const workers = all.map(({ worker }) => worker);
  return {
    head: { id: 'fleet-head', workers, snapshots, nowMs },
    table: tableOf(all, query, role, snapshots),
  };
}

function textOf({ label, queueId, host, agent }: WorkerState): string {
  const labels = Object.entries(agent?.labels ?? {}).flat();
  return [label, queueId, host ?? '', ...labels].join(' ').toLowerCase();
}

/** Worst groups first, and in each its worst workers. */
function tableOf(
  all: readonly Placed[],
  { by }: FleetQuery,
  role: Role,
  snapshots: readonly Snapshot[],
): WorkerTableProps {
  const canAct = includesRole(role, 'operator');
  const hasManyInstances = snapshots.length > 1;
  const peers = new Map(snapshots.map(({ instance, workers }) => [instance, amongPeers(workers)] as const));
  const groups = new Map<string, Placed[]>();
  for (const one of all.toSorted((a, b) => byTrouble(a.worker, b.worker))) {
    const key = keyOf(one, by);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  const worst = (group: readonly Placed[]): number =>
    Math.min(...group.map(({ worker }) => VERDICT_ORDER.indexOf(worker.verdict)));
  const sorted = [...groups]
    .sort(([nameA, a], [nameB, b]) => worst(a) - worst(b) || b.length - a.length || (nameA < nameB ? -1 : 1))
    .slice(0, MAX_GROUPS);
  const lines: (WorkerRowProps | WorkerGroup)[] = [];
  let left = MAX_ROWS;
  for (const [name, group] of sorted) {
    if (left === 0) break;
    lines.push(groupOf(name, group, by, canAct, hasManyInstances));
    const shown = group.slice(0, left);
    left -= shown.length;
    lines.push(
      ...shown.map(({ worker, snapshot }) => ({
        worker,
        snapshot,
        peers: peers.get(snapshot.instance)?.get(worker.id) ?? null,
        canAct,
        hasQueue: by !== 'queue',
        hasManyInstances,
      })),
    );
  }
  return { lines, canAct, beyond: all.length - (MAX_ROWS - left) };
}

function keyOf({ worker, snapshot }: Placed, by: Grouping): string {
  if (by === 'status') return workerWordsOf(worker).word;
  if (by === 'host') return worker.host ?? 'host not known';
  return `${snapshot.instance} ${worker.queueId}`;
}

function groupOf(
  name: string,
  group: readonly Placed[],
  by: Grouping,
  canAct: boolean,
  hasManyInstances: boolean,
): WorkerGroup {
  const workers = group.map(({ worker }) => worker);
  const [first] = group;
  const id = elementId('workers', `${by} ${name}`);
  if (by !== 'queue' || first === undefined)
    return { id, name: plainName(name), href: null, workers, action: null };
  const { queueId } = first.worker;
  const { instance } = first.snapshot;
  const hasAgent = workers.some(({ agent }) => agent !== null);
  return {
    id,
    name: hasManyInstances ? `${plainName(instance)} · ${bareName(queueId)}` : bareName(queueId),
    href: queuePath(instance, queueId),
    workers,
    action:
      canAct && hasAgent
        ? {
            label: 'Concurrency',
            href: actionPath({ action: 'workers.concurrency', instance, queues: [queueId] }),
          }
        : null,
  };
}
