import type { MemoryKind } from '../server/model/memory.js';

/** What each kind of data is called, as BullMQ calls it where it has a name. */
export const MEMORY_KIND_WORDS: Readonly<Record<MemoryKind, string>> = {
  payload: 'Payload (data)',
  options: 'Job options (opts)',
  'stack-traces': 'Stack traces',
  'return-values': 'Return values',
  logs: 'Job logs',
  'job-overhead': 'Job metadata',
  structure: 'State lists',
  events: 'Events',
  schedulers: 'Job schedulers',
  locks: 'Job locks',
  settings: 'Settings and metrics',
};

/** What each state of a job is called where its memory is shown. */
export const HELD_STATE_WORDS: Readonly<Record<string, string>> = {
  waiting: 'Waiting',
  prioritized: 'Prioritized',
  active: 'Active',
  delayed: 'Delayed',
  'waiting-children': 'Waiting for children',
  completed: 'Completed',
  failed: 'Failed',
};
