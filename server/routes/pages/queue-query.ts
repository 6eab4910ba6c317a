import { QUEUE_SORTS, type QueueListQuery, type QueueSort } from '../api/queue-list.js';

/** What the table of queues shows: all of it is in the page's address. */
export interface QueueQuery extends QueueListQuery {
  /** From 1. */
  readonly page: number;
}

export const ROWS_PER_PAGE = 50;
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

/** The same as part of an address; the parts that go without saying are left out. */
export function queueQueryString(query: QueueQuery): string {
  const parts = new URLSearchParams();
  if (query.search !== '') parts.set('search', query.search);
  if (query.sort !== 'trouble') parts.set('sort', query.sort);
  if (query.page !== 1) parts.set('page', String(query.page));
  return parts.toString();
}

function isSort(text: string | undefined): text is QueueSort {
  return QUEUE_SORTS.some((sort) => sort === text);
}
