import type { Column, PageLink, QueueTableProps } from '../../../views/queue-table.js';
import { type ProblemOf, problemsByQueue } from '../../findings/trouble.js';
import { formatCount, formatThings } from '../../model/format.js';
import { includesRole, type Role } from '../../model/role.js';
import type { QueueState, Snapshot, UnreadQueue } from '../../model/snapshot.js';
import { type QueueSort, weightOf } from '../api/queue-list.js';
import type { AppDeps } from '../app-deps.js';
import { type QueueQuery, queueQueryString, ROWS_PER_PAGE } from './queue-query.js';
import { queueRowOf, unreadRowOf } from './queue-row-view-model.js';

interface Found {
  readonly queue: QueueState | UnreadQueue;
  readonly snapshot: Snapshot;
  readonly weight: number;
}

const SORT_LABELS: Readonly<Record<QueueSort, string>> = {
  trouble: 'trouble',
  name: 'name',
  backlog: 'waiting',
  oldest: 'oldest job',
  arrivals: 'rate in',
  departures: 'rate out',
  drain: 'time to empty',
  memory: 'memory',
  failed: 'failed jobs',
};

const COLUMNS: readonly {
  readonly label: string;
  readonly hint: string;
  readonly sort: QueueSort | null;
  readonly kind: string;
  readonly isNumber: boolean;
}[] = [
  { label: 'Queue', hint: 'Sort by name', sort: 'name', kind: 'name', isNumber: false },
  { label: 'State', hint: 'Sort by trouble, worst first', sort: 'trouble', kind: 'state', isNumber: false },
  {
    label: 'Waiting',
    hint: 'Jobs that workers could take now, and the last minutes of that',
    sort: 'backlog',
    kind: 'depth',
    isNumber: true,
  },
  { label: 'Active', hint: 'Jobs that run now', sort: null, kind: 'active', isNumber: true },
  {
    label: 'In /s',
    hint: 'Jobs added per second (an upper bound: duplicates count too)',
    sort: 'arrivals',
    kind: 'rate',
    isNumber: true,
  },
  { label: 'Out /s', hint: 'Jobs that end per second', sort: 'departures', kind: 'rate', isNumber: true },
  { label: 'Oldest', hint: 'Age of the oldest waiting job', sort: 'oldest', kind: 'age', isNumber: true },
  {
    label: 'Empty in',
    hint: 'Time until nothing waits, at these rates',
    sort: 'drain',
    kind: 'age',
    isNumber: true,
  },
  {
    label: 'Memory',
    hint: 'Estimated from samples, and its share of what Redis holds',
    sort: 'memory',
    kind: 'memory',
    isNumber: true,
  },
  { label: 'Failed', hint: 'Failed jobs that are kept', sort: 'failed', kind: 'count', isNumber: true },
  { label: 'Workers', hint: 'Connected workers', sort: null, kind: 'workers', isNumber: true },
  {
    label: 'At once',
    hint: 'Global concurrency: jobs that may run at once over all workers',
    sort: null,
    kind: 'setting',
    isNumber: true,
  },
  {
    label: 'Limit',
    hint: 'Global rate limit over all workers',
    sort: null,
    kind: 'setting',
    isNumber: true,
  },
];

const BULK = [
  { action: 'queue.pause', label: 'Pause' },
  { action: 'queue.resume', label: 'Resume' },
  { action: 'queue.concurrency', label: 'Concurrency' },
  { action: 'workers.concurrency', label: 'Workers’ concurrency' },
  { action: 'queue.rate-limit', label: 'Rate limit' },
  { action: 'queue.trim-events', label: 'Trim events' },
  { action: 'queue.clean-finished', label: 'Clean finished' },
] as const;

/** One page of the queues of all instances: worst of all first. */
export function queueTableOf(
  deps: Pick<AppDeps, 'watch'>,
  query: QueueQuery,
  role: Role,
  nowMs: number,
): QueueTableProps {
  const snapshots = deps.watch.snapshots();
  const problemOf = problemsByQueue(deps.watch.findings());
  const found = findQueues(snapshots, query, nowMs, problemOf);
  const total = snapshots.reduce((sum, { queues, unread }) => sum + queues.length + unread.queues.length, 0);
  const lastPage = Math.max(1, Math.ceil(found.length / ROWS_PER_PAGE));
  const page = Math.min(query.page, lastPage);
  const start = (page - 1) * ROWS_PER_PAGE;
  const shown = found.slice(start, start + ROWS_PER_PAGE);
  const canAct = includesRole(role, 'operator');
  const context = { problemOf, canAct, hasManyInstances: snapshots.length > 1 };
  return {
    rows: shown.map(({ queue, snapshot }) =>
      'counts' in queue ? queueRowOf(queue, snapshot, context) : unreadRowOf(queue, snapshot, context),
    ),
    columns: COLUMNS.map((column) => columnOf(column, query)),
    search: query.search,
    sort: query.sort,
    sorts: Object.entries(SORT_LABELS).map(([value, label]) => ({ value, label })),
    range: rangeInWords(start, shown.length, found.length, total),
    pages: lastPage > 1 ? pageLinks(query, page, lastPage) : [],
    bulk: canAct ? BULK : [],
    groupHref: canAct ? `/action/group?${new URLSearchParams({ search: query.search })}` : null,
    empty: emptyInWords(snapshots, query, total),
  };
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
  // Ties stand by id, so that rows don't jump.
  return found.sort((a, b) => compare(b.weight, a.weight) || compare(a.queue.id, b.queue.id));
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function columnOf(column: (typeof COLUMNS)[number], query: QueueQuery): Column {
  const { sort, ...rest } = column;
  return {
    ...rest,
    href: sort === null ? null : hrefOf({ ...query, sort, page: 1 }),
    isSorted: sort === query.sort,
    isAscending: sort === 'name',
  };
}

function hrefOf(query: QueueQuery): string {
  const parts = queueQueryString(query);
  return parts === '' ? '/' : `/?${parts}`;
}

function pageLinks(query: QueueQuery, page: number, last: number): readonly PageLink[] {
  const numbers = [...new Set([1, page - 2, page - 1, page, page + 1, page + 2, last])].filter(
    (n) => n >= 1 && n <= last,
  );
  const link = (label: string, to: number): PageLink => ({
    label,
    href: to === page || to < 1 || to > last ? null : hrefOf({ ...query, page: to }),
    isCurrent: false,
  });
  return [
    link('Previous', page - 1),
    ...numbers.map((n) => ({ ...link(formatCount(n), n), isCurrent: n === page })),
    link('Next', page + 1),
  ];
}

function rangeInWords(start: number, shown: number, found: number, total: number): string {
  if (found === 0) return formatThings(total, 'queue');
  const all =
    found === total
      ? formatThings(total, 'queue')
      : `${formatCount(found)} found, ${formatCount(total)} in all`;
  return shown === found ? all : `${formatCount(start + 1)}–${formatCount(start + shown)} of ${all}`;
}

function emptyInWords(snapshots: readonly Snapshot[], query: QueueQuery, total: number): string {
  if (total > 0) return `No queue has “${query.search}” in its name.`;
  if (snapshots.some((snapshot) => snapshot.discovery.lastPassAtMs === null)) return 'Looking for queues…';
  return 'No BullMQ queue is in this Redis yet. One that is added appears here within seconds.';
}
