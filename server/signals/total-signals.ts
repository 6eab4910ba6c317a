import { sightOf } from '../model/sight.js';
import type { QueueState, Snapshot } from '../watch/snapshot.js';
import type { InstanceSignal } from './signal.js';

/** Sums over all queues of an instance: right even where single queues are folded away. */
export const TOTAL_SIGNALS: readonly InstanceSignal[] = [
  {
    scope: 'instance',
    name: 'counted_bytes',
    help: 'Memory that counts against maxmemory, of all nodes.',
    unit: 'bytes',
    kind: 'gauge',
    read: whileLive((snapshot) => snapshot.nodes.reduce((sum, { countedBytes }) => sum + countedBytes, 0)),
  },
  {
    scope: 'instance',
    name: 'redis_keys',
    help: 'Keys in this Redis.',
    unit: 'count',
    kind: 'gauge',
    read: whileLive((snapshot) => snapshot.discovery.keys),
  },
  {
    scope: 'instance',
    name: 'queues',
    help: 'Queues that the console watches in this Redis.',
    unit: 'count',
    kind: 'gauge',
    read: whileLive((snapshot) => snapshot.queues.length),
  },
  {
    scope: 'instance',
    name: 'backlog_jobs',
    help: 'Jobs of all queues that workers could take now.',
    unit: 'jobs',
    kind: 'gauge',
    read: total((queue) => queue.backlog),
  },
  {
    scope: 'instance',
    name: 'active_jobs',
    help: 'Jobs of all queues that run now.',
    unit: 'jobs',
    kind: 'gauge',
    read: total((queue) => queue.counts.active),
  },
  {
    scope: 'instance',
    name: 'arrivals_per_second',
    help: 'Jobs added per second, all queues; an upper bound, as duplicates count.',
    unit: 'jobs/s',
    kind: 'gauge',
    read: total((queue) => queue.rates?.arrivalsPerSecond ?? 0),
  },
  {
    scope: 'instance',
    name: 'departures_per_second',
    help: 'Jobs finished or removed per second, all queues; an upper bound, as duplicates count.',
    unit: 'jobs/s',
    kind: 'gauge',
    read: total((queue) => queue.rates?.departuresPerSecond ?? 0),
  },
];

/** Old sums are no sums of now: nothing is exposed while the console is blind. */
function whileLive(read: (snapshot: Snapshot) => number): InstanceSignal['read'] {
  return (snapshot, nowMs) => (sightOf(snapshot, nowMs).isLive ? read(snapshot) : null);
}

function total(read: (queue: QueueState) => number): InstanceSignal['read'] {
  return whileLive((snapshot) => snapshot.queues.reduce((sum, queue) => sum + read(queue), 0));
}
