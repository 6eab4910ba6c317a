import { isMemoryOfNow } from '../model/memory-shares.js';
import type { QueueSignal } from './signal.js';

/** What a queue holds in Redis; bytes are estimates from samples. */
export const QUEUE_MEMORY_SIGNALS: readonly QueueSignal[] = [
  {
    scope: 'queue',
    name: 'queue_events_entries',
    help: 'Entries of the events stream.',
    unit: 'count',
    kind: 'gauge',
    fold: 'sum',
    read: (queue) => queue.eventsLength,
  },
  {
    scope: 'queue',
    name: 'queue_memory_bytes',
    help: 'Memory of the queue, estimated.',
    unit: 'bytes',
    kind: 'gauge',
    fold: 'sum',
    read: (queue) => (isMemoryOfNow(queue) ? (queue.memory?.totalBytes ?? null) : null),
  },
  {
    scope: 'queue',
    name: 'queue_backlog_bytes',
    help: 'Memory of jobs that still have to run, estimated.',
    unit: 'bytes',
    kind: 'gauge',
    fold: 'sum',
    read: ({ memory }) => memory?.backlogBytes ?? null,
  },
  {
    scope: 'queue',
    name: 'queue_completed_bytes',
    help: 'Memory of completed jobs, estimated.',
    unit: 'bytes',
    kind: 'gauge',
    fold: 'sum',
    read: ({ memory }) => memory?.completedBytes ?? null,
  },
  {
    scope: 'queue',
    name: 'queue_failed_bytes',
    help: 'Memory of failed jobs, estimated.',
    unit: 'bytes',
    kind: 'gauge',
    fold: 'sum',
    read: ({ memory }) => memory?.failedBytes ?? null,
  },
  {
    scope: 'queue',
    name: 'queue_events_bytes',
    help: 'Memory of the events stream, estimated.',
    unit: 'bytes',
    kind: 'gauge',
    fold: 'sum',
    read: ({ memory }) => memory?.eventsBytes ?? null,
  },
];
