import { lacksQueues } from '../model/finding.js';
import { freshnessOf } from '../model/sight.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { type InstanceSignal, instanceSignals } from './signal.js';

/** Sums over all queues of an instance: right even where single queues are folded away. */
export const TOTAL_SIGNALS = instanceSignals([
  {
    name: 'counted_bytes',
    help: 'Memory that counts against maxmemory, of all nodes.',
    unit: 'bytes',
    read: whileLive(({ nodes, unread }) =>
      unread.nodes.length > 0 ? null : nodes.reduce((sum, { countedBytes }) => sum + countedBytes, 0),
    ),
  },
  {
    name: 'redis_keys',
    help: 'Keys in this Redis.',
    unit: 'count',
    read: whileLive((snapshot) => snapshot.discovery.keys),
  },
  {
    name: 'queues',
    help: 'Queues that the console watches in this Redis.',
    unit: 'count',
    read: whileLive(({ queues, unread }) => queues.length + unread.queues.length),
  },
  {
    name: 'queues_unread',
    help: 'Queues of which nothing is known now, as Redis refuses their reads or a master does not answer; no sum holds them.',
    unit: 'count',
    read: whileLive(({ unread }) => unread.queues.length),
  },
  {
    name: 'backlog_jobs',
    help: 'Jobs of all queues that workers could take now.',
    unit: 'jobs',
    read: total((queue) => queue.backlog),
  },
  {
    name: 'active_jobs',
    help: 'Jobs of all queues that run now.',
    unit: 'jobs',
    read: total((queue) => queue.counts.active),
  },
  {
    name: 'arrivals_per_second',
    help: 'Jobs added per second, all queues; an upper bound, as duplicates count.',
    unit: 'jobs/s',
    read: total((queue) => queue.rates?.arrivalsPerSecond ?? 0),
  },
  {
    name: 'departures_per_second',
    help: 'Jobs finished or removed per second, all queues; an upper bound, as duplicates count.',
    unit: 'jobs/s',
    read: total((queue) => queue.rates?.departuresPerSecond ?? 0),
  },
]);

/** Old sums are no sums of now: nothing is exposed while the console is blind. */
function whileLive(read: (snapshot: Snapshot) => number | null): InstanceSignal['read'] {
  return (snapshot, nowMs) => (freshnessOf(snapshot, nowMs).isLive ? read(snapshot) : null);
}

/** Not known while it would lack a queue that was in it before: the sum of the rest would pass for a fall. */
function total(read: (queue: QueueState) => number): InstanceSignal['read'] {
  return whileLive(({ queues, unread }) =>
    lacksQueues(unread) ? null : queues.reduce((sum, queue) => sum + read(queue), 0),
  );
}
