import { nodeSignals } from './signal.js';

/** Memory of a Redis node against what bounds it. */
export const MEMORY_SIGNALS = nodeSignals([
  {
    name: 'redis_used_bytes',
    help: 'Memory that Redis has allocated (used_memory).',
    unit: 'bytes',
    read: (node) => node.usedBytes,
  },
  {
    name: 'redis_counted_bytes',
    help: 'Memory that counts against maxmemory: used_memory less mem_not_counted_for_evict.',
    unit: 'bytes',
    read: (node) => node.countedBytes,
  },
  {
    name: 'redis_rss_bytes',
    help: 'Memory that the operating system has given to Redis.',
    unit: 'bytes',
    read: (node) => node.rssBytes,
  },
  {
    name: 'redis_max_bytes',
    help: 'maxmemory; 0 when none is set.',
    unit: 'bytes',
    read: (node) => node.maxBytes,
  },
  {
    name: 'redis_limit_bytes',
    help: 'The limit that counts: maxmemory, else that of the container or host.',
    unit: 'bytes',
    read: (node) => node.limit?.bytes ?? null,
  },
  {
    name: 'redis_used_ratio',
    help: 'redis_counted_bytes of redis_limit_bytes.',
    unit: 'ratio',
    read: (node) => node.usedRatio,
  },
  {
    name: 'redis_host_bytes',
    help: 'Memory of the machine, as Redis reports it.',
    unit: 'bytes',
    read: (node) => node.hostBytes,
  },
  {
    name: 'redis_fragmentation_ratio',
    help: 'mem_fragmentation_ratio of Redis: resident to allocated memory.',
    unit: 'ratio',
    read: (node) => node.fragmentationRatio,
  },
  {
    name: 'redis_growth_bytes_per_second',
    help: 'Growth of memory by a robust fit; 0 when no trend is significant.',
    unit: 'bytes/s',
    read: (node) => node.forecast?.growthBytesPerSecond ?? null,
  },
  {
    name: 'redis_full_in_seconds',
    help: 'Time until the limit at the present growth; 0 when full, absent when not filling.',
    unit: 'seconds',
    read: (node) => (node.isFull ? 0 : (node.forecast?.fullInSeconds ?? null)),
  },
  {
    name: 'redis_full',
    help: 'Whether Redis is over its limit and refuses writes that add memory.',
    unit: 'bool',
    read: (node) => (node.isFull ? 1 : 0),
  },
  {
    name: 'redis_noeviction',
    help: 'Whether maxmemory-policy is noeviction, as BullMQ needs it.',
    unit: 'bool',
    read: (node) => (node.policy === 'noeviction' ? 1 : 0),
  },
  {
    name: 'redis_refused_commands_per_second',
    help: 'Commands refused for lack of memory per second.',
    unit: 'count/s',
    read: (node) => node.refusedPerSecond,
  },
  {
    name: 'redis_evicted_keys_total',
    help: 'Keys that Redis deleted by itself at its limit, since it was started.',
    unit: 'count',
    kind: 'counter',
    read: (node) => node.evictedKeys,
  },
  {
    name: 'redis_evicted_keys_per_second',
    help: 'Keys that Redis deletes by itself per second.',
    unit: 'count/s',
    read: (node) => node.evictedPerSecond,
  },
  {
    name: 'redis_client_output_bytes',
    help: 'Output buffers of normal and pub/sub clients.',
    unit: 'bytes',
    read: (node) => node.clientOutputBytes,
  },
]);
