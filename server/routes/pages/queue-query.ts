import type { QueueQuery } from '../../../views/links.js';
import { QUEUE_SORTS, type QueueSort } from '../../model/queue-sort.js';

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

function isSort(text: string | undefined): text is QueueSort {
  return QUEUE_SORTS.some((sort) => sort === text);
}
