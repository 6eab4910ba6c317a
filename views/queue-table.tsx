import type { FC } from 'hono/jsx';
import { BulkBar } from './bulk-bar.js';
import { QueueRow, type QueueRowProps } from './queue-row.js';

export interface Column {
  readonly label: string;
  readonly hint: string;
  /** null: can't be sorted by. */
  readonly href: string | null;
  readonly isSorted: boolean;
  readonly isAscending: boolean;
  readonly isNumber: boolean;
  readonly kind: string;
}

export interface PageLink {
  readonly label: string;
  readonly href: string | null;
  readonly isCurrent: boolean;
}

export interface QueueTableProps {
  readonly rows: readonly QueueRowProps[];
  readonly columns: readonly Column[];
  readonly search: string;
  readonly sort: string;
  readonly sorts: readonly { readonly value: string; readonly label: string }[];
  /** "1–50 of 1,204 queues" */
  readonly range: string;
  readonly pages: readonly PageLink[];
  /** Named actions for what is selected; none for who may not act. */
  readonly bulk: readonly { readonly action: string; readonly label: string }[];
  readonly groupHref: string | null;
  /** Said in place of rows. */
  readonly empty: string;
}

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

export const QueueTable: FC<QueueTableProps> = (table) => (
  <section id="queues" class="queues" aria-labelledby="queues-title">
    <div class="queues-head">
      <h2 id="queues-title">Queues</h2>
      <search>
        <form
          class="queue-search"
          action="/"
          method="get"
          {...changesPage('/', false)}
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
            value={table.search}
            placeholder="Search  ( / )"
            autocomplete="off"
            spellcheck={false}
          />
          <label class="sort-label" for="sort">
            Sort by
          </label>
          <select id="sort" name="sort">
            {table.sorts.map((sort) => (
              <option value={sort.value} selected={sort.value === table.sort}>
                {sort.label}
              </option>
            ))}
          </select>
          <button class="small-button no-script-only" type="submit">
            Show
          </button>
        </form>
      </search>
      <p id="queues-range" class="range">
        {table.range}
      </p>
      <p class="order-held" data-held="queues" hidden>
        <span data-held-text="">Order held while you are here</span>
        <button type="button" class="small-button" data-release="">
          Sort now
        </button>
      </p>
      {table.groupHref ? (
        <a class="small-button" href={table.groupHref} data-drawer="">
          Act on a group…
        </a>
      ) : null}
    </div>
    <form id="bulk" action="/action" method="get" data-bulk="">
      {table.bulk.length > 0 ? <BulkBar acts={table.bulk} /> : null}
      <table class="queue-table">
        <thead>
          <tr>
            {table.bulk.length > 0 ? (
              <th class="cell-check" scope="col">
                <label class="check">
                  <input type="checkbox" data-check-all="" aria-label="Select all queues shown" />
                </label>
              </th>
            ) : null}
            {table.columns.map((column) => (
              <th
                scope="col"
                class={`${column.isNumber ? 'number ' : ''}cell-${column.kind}`}
                aria-sort={column.isSorted ? (column.isAscending ? 'ascending' : 'descending') : undefined}
                title={column.hint}
              >
                {column.href ? (
                  <a href={column.href} {...changesPage(column.href, true)}>
                    {column.label}
                    {column.isSorted ? (
                      <span aria-hidden="true">{column.isAscending ? ' ▲' : ' ▼'}</span>
                    ) : null}
                  </a>
                ) : (
                  column.label
                )}
              </th>
            ))}
            {table.bulk.length > 0 ? (
              <th scope="col" class="cell-flow">
                <span class="visually-hidden">Act</span>
              </th>
            ) : null}
          </tr>
        </thead>
        <tbody id="queue-rows" data-list="queues">
          {table.rows.map((row) => (
            <QueueRow {...row} />
          ))}
        </tbody>
      </table>
    </form>
    {table.rows.length === 0 ? <p class="empty">{table.empty}</p> : null}
    {table.pages.length > 0 ? (
      <nav class="pages" aria-label="Pages of queues">
        {table.pages.map((page) =>
          page.href === null ? (
            <span
              class={page.isCurrent ? 'page-link is-current' : 'page-link'}
              aria-current={page.isCurrent ? 'page' : undefined}
            >
              {page.label}
            </span>
          ) : (
            <a class="page-link" href={page.href} {...changesPage(page.href, true)}>
              {page.label}
            </a>
          ),
        )}
      </nav>
    ) : null}
  </section>
);
