import type { FC } from 'hono/jsx';
import { formatCount, formatThings } from '../server/model/format.js';
import type { QueueSort } from '../server/model/queue-sort.js';
import { ActHeading, BulkBar, CheckHeading, Options, OrderHeld } from './controls.js';
import { SignalMark } from './docs-mark.js';
import { type QueueListPlace, type QueueQuery, queueListPath } from './links.js';
import { QueueRow, type QueueRowProps } from './queue-row.js';

export interface QueueTableProps {
  /** One page of them. */
  readonly rows: readonly QueueRowProps[];
  readonly query: QueueQuery;
  /** The page that it stands on. */
  readonly place: QueueListPlace;
  /** The page that is shown, from 1, and how many there are. */
  readonly page: number;
  readonly pages: number;
  /** How many come before the first row, how many the search has found, and how many there are. */
  readonly before: number;
  readonly found: number;
  readonly total: number;
  readonly canAct: boolean;
  /** Queues are still looked for. */
  readonly isLooking: boolean;
}

const SORT_LABELS: Readonly<Record<QueueSort, string>> = {
  trouble: 'trouble',
  name: 'name',
  backlog: 'waiting',
  oldest: 'oldest job',
  arrivals: 'rate in',
  departures: 'rate out',
  drain: 'time to drain',
  memory: 'memory',
  failed: 'failed jobs',
};

const COLUMNS: readonly {
  readonly label: string;
  readonly hint: string;
  /** null: can't be sorted by. */
  readonly sort: QueueSort | null;
  readonly kind: string;
  readonly signal?: string;
}[] = [
  { label: 'Queue', hint: 'Sort by name', sort: 'name', kind: 'name' },
  { label: 'State', hint: 'Sort by trouble, worst first', sort: 'trouble', kind: 'state' },
  {
    label: 'Waiting',
    hint: 'Jobs that workers could take now, and the last 15 minutes of that',
    sort: 'backlog',
    kind: 'depth number',
    signal: 'queue_backlog_jobs',
  },
  {
    label: 'Oldest',
    hint: 'Age of the oldest waiting job',
    sort: 'oldest',
    kind: 'age number',
    signal: 'queue_oldest_waiting_seconds',
  },
  {
    label: 'In / out',
    hint: 'Jobs added per second (an upper bound: duplicates count too), and jobs that end per second',
    sort: 'arrivals',
    kind: 'rates number',
    signal: 'queue_arrivals_per_second',
  },
  {
    label: 'Drains in',
    hint: 'Time until nothing waits, at these rates',
    sort: 'drain',
    kind: 'age number',
    signal: 'queue_drain_seconds',
  },
  {
    label: 'Memory',
    hint: 'Estimated from samples, and its share of what Redis holds',
    sort: 'memory',
    kind: 'memory number',
    signal: 'queue_memory_bytes',
  },
  {
    label: 'Slots',
    hint: 'Jobs that run, of those that its workers may run at once; and the global concurrency',
    sort: null,
    kind: 'slots number',
    signal: 'queue_worker_slots_busy',
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

/** Attributes of a link or form that changes what the table shows: the page is morphed, so scroll and focus stay. */
function changesPage(href: string, keepsHistory: boolean): Record<string, string> {
  return {
    'hx-get': href,
    'hx-target': '#page',
    'hx-select': '#page',
    'hx-swap': 'outerMorph show:none',
    [keepsHistory ? 'hx-push-url' : 'hx-replace-url']: 'true',
  };
}

/** Queues of all Redises, a page of them. */
export const QueueTable: FC<QueueTableProps> = (table) => (
  <section id="queues" class="queues" aria-labelledby="queues-title">
    <div class="queues-head">
      <h2 id="queues-title">Queues</h2>
      <Search query={table.query} place={table.place} />
      <QueueRange {...table} />
      <OrderHeld of="queues" release="Sort now" />
      {table.canAct ? (
        <a
          class="small-button"
          href={`/action/group?${new URLSearchParams({ search: table.query.search })}`}
          data-drawer=""
        >
          Act on a group…
        </a>
      ) : null}
    </div>
    <form id="bulk" action="/action" method="get" data-bulk="">
      {table.canAct ? <BulkBar acts={BULK} /> : null}
      <table class="queue-table">
        <thead>
          <tr>
            {table.canAct ? <CheckHeading what="queues" /> : null}
            {COLUMNS.map((column) => (
              <Heading column={column} query={table.query} place={table.place} />
            ))}
            {table.canAct ? <ActHeading /> : null}
          </tr>
        </thead>
        <tbody id="queue-rows" data-list="queues">
          {table.rows.map((row) => (
            <QueueRow {...row} />
          ))}
        </tbody>
      </table>
    </form>
    {table.rows.length === 0 ? <Empty {...table} /> : null}
    {table.pages > 1 && table.place === '/queues' ? <Pages {...table} /> : null}
    {table.pages > 1 && table.place === '/' ? (
      <p>
        <a href={queueListPath('/queues', table.query)}>All queues</a>
      </p>
    ) : null}
  </section>
);

const Search: FC<Pick<QueueTableProps, 'query' | 'place'>> = ({ query, place }) => (
  <search>
    <form
      class="queue-search"
      action={place}
      method="get"
      {...changesPage(place, false)}
      hx-trigger="submit, input changed delay:250ms from:#search, change from:#sort"
      hx-sync="this:replace"
    >
      <label class="visually-hidden" for="search">
        Search queues
      </label>
      <input
        id="search"
        type="search"
        name="search"
        value={query.search}
        placeholder="Search  ( / )"
        autocomplete="off"
        spellcheck={false}
      />
      <label class="sort-label" for="sort">
        Sort by
      </label>
      <select id="sort" name="sort">
        <Options of={Object.entries(SORT_LABELS)} chosen={query.sort} />
      </select>
      <button class="small-button no-script-only" type="submit">
        Show
      </button>
    </form>
  </search>
);

const Heading: FC<
  Pick<QueueTableProps, 'query' | 'place'> & { readonly column: (typeof COLUMNS)[number] }
> = ({ column: { label, hint, sort, kind, signal }, query, place }) => {
  const about = <SignalMark name={signal} />;
  if (sort === null)
    return (
      <th scope="col" class={`cell-${kind}`} title={hint}>
        {label}
        {about}
      </th>
    );
  const href = queueListPath(place, { ...query, sort, page: 1 });
  const isSorted = sort === query.sort;
  const isAscending = sort === 'name';
  return (
    <th
      scope="col"
      class={`cell-${kind}`}
      aria-sort={isSorted ? (isAscending ? 'ascending' : 'descending') : undefined}
      title={hint}
    >
      <a href={href} {...changesPage(href, true)}>
        {label}
        {isSorted ? <span aria-hidden="true">{isAscending ? ' ▲' : ' ▼'}</span> : null}
      </a>
      {about}
    </th>
  );
};

/** "1–50 of 1,204 queues" */
export const QueueRange: FC<Pick<QueueTableProps, 'before' | 'found' | 'total' | 'rows'>> = ({
  before,
  found,
  total,
  rows,
}) => {
  const all =
    found === total || found === 0
      ? formatThings(total, 'queue')
      : `${formatCount(found)} found, ${formatCount(total)} in all`;
  return (
    <p id="queues-range" class="range">
      {rows.length === found
        ? all
        : `${formatCount(before + 1)}–${formatCount(before + rows.length)} of ${all}`}
    </p>
  );
};

const Empty: FC<QueueTableProps> = ({ total, query, isLooking }) => (
  <p class="empty">
    {total > 0
      ? `No queue has “${query.search}” in its name.`
      : isLooking
        ? 'Looking for queues…'
        : 'No BullMQ queue is in this Redis yet. One that is added appears here within seconds.'}
  </p>
);

const Pages: FC<QueueTableProps> = ({ query, page, pages }) => {
  const numbers = [...new Set([1, page - 2, page - 1, page, page + 1, page + 2, pages])].filter(
    (number) => number >= 1 && number <= pages,
  );
  return (
    <nav class="pages" aria-label="Pages of queues">
      <PageLink label="Previous" to={page - 1} query={query} page={page} pages={pages} />
      {numbers.map((number) => (
        <PageLink label={formatCount(number)} to={number} query={query} page={page} pages={pages} />
      ))}
      <PageLink label="Next" to={page + 1} query={query} page={page} pages={pages} />
    </nav>
  );
};

const PageLink: FC<
  Pick<QueueTableProps, 'query' | 'page' | 'pages'> & { readonly label: string; readonly to: number }
> = ({ label, to, query, page, pages }) => {
  if (to === page || to < 1 || to > pages)
    return (
      <span
        class={to === page ? 'page-link is-current' : 'page-link'}
        aria-current={to === page ? 'page' : undefined}
      >
        {label}
      </span>
    );
  const href = queueListPath('/queues', { ...query, page: to });
  return (
    <a class="page-link" href={href} {...changesPage(href, true)}>
      {label}
    </a>
  );
};
