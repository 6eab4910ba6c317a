import type { Point, Span } from '../../../views/drawn/geometry.js';
import type { QueueListPlace, QueueQuery } from '../../../views/links.js';
import { QueueRow, queueRowId } from '../../../views/queue-row.js';
import { QueueRange, type QueueTableProps } from '../../../views/queue-table.js';
import { type ProblemOf, problemsByQueue } from '../../findings/trouble.js';
import type { Parking } from '../../model/parking.js';
import { QUEUE_SORTS, type QueueSort } from '../../model/queue-sort.js';
import { includesRole, type Role } from '../../model/role.js';
import type { QueueState, Snapshot, UnreadQueue } from '../../model/snapshot.js';
import { weightOf } from '../api/queue-list.js';
import type { AppDeps } from '../app-deps.js';
import { html, listParts, type Part, swapPart } from '../live/hub.js';

/** Rows on the overview, which has more to show, and a page of all queues. */
const ROWS_OF: Readonly<Record<QueueListPlace, number>> = { '/': 20, '/queues': 50 };
const LONGEST_SEARCH = 200;
const LAST_PAGE = 10_000;

/** Any address gives a table: what makes no sense in it is left out. */
export function parseQueueQuery(query: Readonly<Record<string, string | undefined>>): QueueQuery {
  const page = Number(query.page ?? '1');
  return {
    search: (query.search ?? '').slice(0, LONGEST_SEARCH),
    sort: isSort(query.sort) ? query.sort : 'trouble',
    page: Number.isInteger(page) && page >= 1 && page <= LAST_PAGE ? page : 1,
  };
}

function isSort(text: string | undefined): text is QueueSort {
  return QUEUE_SORTS.some((sort) => sort === text);
}

interface Found {
  readonly queue: QueueState | UnreadQueue;
  readonly snapshot: Snapshot;
  readonly weight: number;
}

const DEPTH_MS = 15 * 60_000;
/** Rows move on in steps of what a sparkline draws as one place: else all fifty would be sent at every tick. */
const DEPTH_STEP_MS = DEPTH_MS / 40;

interface QueueTableAsk {
  readonly query: QueueQuery;
  readonly place: QueueListPlace;
  readonly role: Role;
  /** Parkings with jobs on disk. */
  readonly held: readonly Parking[];
  readonly nowMs: number;
}

/** One page of the queues of all instances: worst of all first. */
export function queueTableOf(
  { watch }: Pick<AppDeps, 'watch'>,
  { query, place, role, held, nowMs }: QueueTableAsk,
): QueueTableProps {
  const most = ROWS_OF[place];
  const snapshots = watch.snapshots();
  const problemOf = problemsByQueue(watch.findings());
  const found = findQueues(snapshots, query, nowMs, problemOf);
  const pages = Math.max(1, Math.ceil(found.length / most));
  const page = place === '/' ? 1 : Math.min(query.page, pages);
  const before = (page - 1) * most;
  const toMs = Math.ceil(nowMs / DEPTH_STEP_MS) * DEPTH_STEP_MS;
  const span = { fromMs: toMs - DEPTH_MS, toMs };
  const canAct = includesRole(role, 'operator');
  return {
    rows: firstOf(found, before + most)
      .slice(before)
      .map(({ queue, snapshot }) => ({
        queue,
        snapshot,
        span,
        canAct,
        hasManyInstances: snapshots.length > 1,
        parked: held
          .filter((parking) => parking.instance === snapshot.instance && parking.queue === queue.id)
          .reduce((sum, { remaining }) => sum + remaining, 0),
        problem: problemOf(snapshot.instance, queue.id),
        depths: 'counts' in queue ? depthsOf(watch, snapshot.instance, queue, span) : [],
      })),
    query,
    place,
    page,
    pages,
    before,
    found: found.length,
    total: snapshots.reduce((sum, { queues, unread }) => sum + queues.length + unread.queues.length, 0),
    canAct,
    isLooking: snapshots.some(({ discovery }) => discovery.lastPassAtMs === null),
  };
}

/** What changes of the table. */
export function queueTableParts(table: QueueTableProps): readonly Part[] {
  return [
    ...listParts(
      'queues',
      table.rows.map((row) => ({
        id: queueRowId(row.snapshot.instance, row.queue.id),
        html: html(<QueueRow {...row} />),
      })),
    ),
    swapPart('queues-range', html(<QueueRange {...table} />)),
  ];
}

/** How many waited lately, and now. */
function depthsOf(
  watch: Pick<AppDeps['watch'], 'queueSeries'>,
  instance: string,
  { id, backlog, readAtMs }: QueueState,
  { fromMs }: Span,
): readonly Point[] {
  const { atMs, values } = watch.queueSeries(instance, id);
  const kept = atMs.map((at, i) => ({ atMs: at, value: values.backlog?.[i] ?? null }));
  return [...kept.filter(({ atMs: at }) => at >= fromMs), { atMs: readAtMs, value: backlog }];
}

function findQueues(
  snapshots: readonly Snapshot[],
  query: QueueQuery,
  nowMs: number,
  problemOf: ProblemOf,
): readonly Found[] {
  const wanted = query.search.trim().toLowerCase();
  const found: Found[] = [];
  for (const snapshot of snapshots) {
    for (const queue of snapshot.unread.queues) {
      if (wanted !== '' && !queue.id.toLowerCase().includes(wanted)) continue;
      const { last } = queue;
      // Nobody knows how bad it is: above what is known to be bad.
      const weight =
        query.sort === 'trouble'
          ? Number.POSITIVE_INFINITY
          : last && weightOf(last, query.sort, snapshot, nowMs, problemOf);
      found.push({ queue, snapshot, weight: weight ?? 0 });
    }
    for (const queue of snapshot.queues) {
      if (wanted !== '' && !queue.id.toLowerCase().includes(wanted)) continue;
      found.push({ queue, snapshot, weight: weightOf(queue, query.sort, snapshot, nowMs, problemOf) });
    }
  }
  return found;
}

/** Beyond this all are sorted. */
const MAX_PICKED = 100;

/** The first of them in order: of thousands a few are shown, so the others are not sorted. */
function firstOf(found: readonly Found[], most: number): readonly Found[] {
  if (most > MAX_PICKED) return found.toSorted(worstFirst).slice(0, most);
  const first: Found[] = [];
  for (const one of found) {
    const last = first[most - 1];
    if (last !== undefined && worstFirst(last, one) < 0) continue;
    const at = first.findIndex((other) => worstFirst(one, other) < 0);
    first.splice(at < 0 ? first.length : at, 0, one);
    first.length = Math.min(first.length, most);
  }
  return first;
}

/** Ties stand by id, so that rows don't jump. */
function worstFirst(a: Found, b: Found): number {
  return compare(b.weight, a.weight) || compare(a.queue.id, b.queue.id);
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
