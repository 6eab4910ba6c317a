import { isMemoryOfNow } from '../model/memory-shares.js';
import { queueSignals } from './signal.js';

/** What a queue holds in Redis; bytes are estimates from samples. */
export const QUEUE_MEMORY_SIGNALS = queueSignals([
  {
    name: 'queue_events_entries',
    help: 'Entries of the events stream.',
    unit: 'count',
    fold: 'sum',
    read: (queue) => queue.eventsLength,
  },
  {
    name: 'queue_memory_bytes',
    help: 'Memory of the queue, estimated.',
    unit: 'bytes',
    fold: 'sum',
    read: (queue) => (isMemoryOfNow(queue) ? (queue.memory?.totalBytes ?? null) : null),
  },
  {
    name: 'queue_backlog_bytes',
    help: 'Memory of jobs that still have to run, estimated.',
    unit: 'bytes',
    fold: 'sum',
    read: ({ memory }) => memory?.backlogBytes ?? null,
  },
  {
    name: 'queue_completed_bytes',
    help: 'Memory of completed jobs, estimated.',
    unit: 'bytes',
    fold: 'sum',
    read: ({ memory }) => memory?.completedBytes ?? null,
  },
  {
    name: 'queue_failed_bytes',
    help: 'Memory of failed jobs, estimated.',
    unit: 'bytes',
    fold: 'sum',
    read: ({ memory }) => memory?.failedBytes ?? null,
  },
  {
    name: 'queue_events_bytes',
    help: 'Memory of the events stream, estimated.',
    unit: 'bytes',
    fold: 'sum',
    read: ({ memory }) => memory?.eventsBytes ?? null,
  },
]);

/** How many jobs a queue holds, by state. */
export const QUEUE_JOB_SIGNALS = queueSignals([
  {
    name: 'queue_waiting_jobs',
    help: 'Jobs that wait, those in the paused list of BullMQ 5 included.',
    unit: 'jobs',
    fold: 'sum',
    read: ({ counts }) => counts.waiting,
  },
  {
    name: 'queue_prioritized_jobs',
    help: 'Jobs that wait with a priority.',
    unit: 'jobs',
    fold: 'sum',
    read: ({ counts }) => counts.prioritized,
  },
  {
    name: 'queue_active_jobs',
    help: 'Jobs that run now.',
    unit: 'jobs',
    fold: 'sum',
    read: ({ counts }) => counts.active,
  },
  {
    name: 'queue_delayed_jobs',
    help: 'Jobs that wait for their time.',
    unit: 'jobs',
    fold: 'sum',
    read: ({ counts }) => counts.delayed,
  },
  {
    name: 'queue_waiting_children_jobs',
    help: 'Jobs that wait for their children.',
    unit: 'jobs',
    fold: 'sum',
    read: ({ counts }) => counts.waitingChildren,
  },
  {
    name: 'queue_completed_jobs',
    help: 'Completed jobs that are kept.',
    unit: 'jobs',
    fold: 'sum',
    read: ({ counts }) => counts.completed,
  },
  {
    name: 'queue_failed_jobs',
    help: 'Failed jobs that are kept.',
    unit: 'jobs',
    fold: 'sum',
    read: ({ counts }) => counts.failed,
  },
  {
    name: 'queue_legacy_paused_jobs',
    help: 'Waiting jobs in the paused list that BullMQ 5 fills.',
    unit: 'jobs',
    fold: 'sum',
    read: ({ counts }) => counts.legacyPaused,
  },
  {
    name: 'queue_backlog_jobs',
    help: 'Jobs that workers could take now: waiting, prioritized, and delayed that are due.',
    unit: 'jobs',
    fold: 'sum',
    read: (queue) => queue.backlog,
  },
  {
    name: 'queue_unfinished_jobs',
    help: 'Jobs that are neither completed nor failed.',
    unit: 'jobs',
    fold: 'sum',
    read: (queue) => queue.unfinished,
  },
  {
    name: 'queue_added_jobs_total',
    help: 'Jobs ever added, by the id counter of BullMQ; duplicates count.',
    unit: 'jobs',
    kind: 'counter',
    fold: 'none',
    read: (queue) => queue.addedTotal,
  },
]);
