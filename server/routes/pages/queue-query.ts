import type { QueueListPlace, QueueQuery } from '../../../views/links.js';
import { QUEUE_SORTS, type QueueSort } from '../../model/queue-sort.js';

/** Rows on the overview, which has more to show, and a page of all queues. */
export const ROWS_OF: Readonly<Record<QueueListPlace, number>> = { '/': 20, '/queues': 50 };
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
