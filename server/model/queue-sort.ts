/** By what a list of queues can be sorted; largest first, but names from A. */
export const QUEUE_SORTS = [
  'trouble',
  'name',
  'backlog',
  'oldest',
  'arrivals',
  'departures',
  'drain',
  'memory',
  'failed',
] as const;
export type QueueSort = (typeof QUEUE_SORTS)[number];

export interface QueueListQuery {
  /** Part of id, in any case. */
  readonly search: string;
  readonly sort: QueueSort;
}
