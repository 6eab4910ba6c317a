import type { Severity } from '../model/finding.js';
import { type AlertRule, EVERYTHING } from './rule.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

type Default = Omit<AlertRule, 'isEnabled' | 'scope' | 'runbookUrl'>;

const finding = (
  id: string,
  name: string,
  code: string,
  leastSeverity: Severity,
  forMs: number,
): Default => ({
  id,
  name,
  severity: 'finding',
  condition: { kind: 'finding', code, leastSeverity },
  forMs,
  keepFiringMs: MINUTE,
});

/**
 * What is on from the first start. Most are over what the console finds by itself, which knows causes and remedies; the
 * others are about memory, the one thing that ends everything at once, and silence. The `for` is as long as a deploy or a
 * burst lasts where users are not hurt yet, and short where they are.
 */
const DEFAULTS: readonly Default[] = [
  finding('redis-full', 'Redis is full', 'redis.full', 'warning', 5 * SECOND),
  finding('redis-filling', 'Redis is filling', 'redis.filling', 'warning', 30 * SECOND),
  finding('redis-unreachable', 'Redis is unreachable', 'redis.unreachable', 'warning', 10 * SECOND),
  finding('redis-data-lost', 'Jobs were lost', 'redis.data-lost', 'warning', 0),
  finding('redis-unread', 'Part of Redis can not be read', 'redis.unread', 'warning', 30 * SECOND),
  finding('console-blind', 'The console sees nothing', 'console.stale', 'warning', 30 * SECOND),
  finding(
    'console-starved',
    'The console’s host has no CPU to spare',
    'console.starved',
    'warning',
    30 * SECOND,
  ),
  finding('host-starved', 'A worker host has no CPU to spare', 'host.starved', 'warning', 30 * SECOND),
  finding('redis-read-only', 'Redis takes no writes', 'redis.read-only', 'warning', 10 * SECOND),
  finding(
    'redis-unsaved',
    'Redis refuses writes, as it can not save',
    'redis.unsaved',
    'critical',
    10 * SECOND,
  ),
  finding('redis-evicts', 'Redis may delete jobs', 'redis.eviction-policy', 'warning', MINUTE),
  finding('no-workers', 'No workers', 'queue.no-workers', 'warning', 30 * SECOND),
  finding('workers-paused', 'All workers are paused', 'queue.workers-paused', 'warning', MINUTE),
  finding('queue-stuck', 'A queue is stuck', 'queue.stuck', 'warning', MINUTE),
  finding('queue-overloaded', 'A queue is overloaded', 'queue.overloaded', 'warning', 5 * MINUTE),
  finding('queue-growing', 'A queue grows', 'queue.growing', 'warning', 5 * MINUTE),
  finding('noisy-neighbour', 'A queue holds up others', 'queue.noisy-neighbour', 'warning', 2 * MINUTE),
  finding('type-failing', 'A job type fails', 'jobtype.failing', 'warning', 30 * SECOND),
  finding('type-absent', 'A job type is missing', 'jobtype.absent', 'warning', MINUTE),
  finding('type-batch-wait', 'A job type waits in its slots', 'jobtype.batch-wait', 'warning', 2 * MINUTE),
  finding('memory', 'Memory is taken up', 'memory.*', 'warning', 5 * MINUTE),
  finding('workers', 'Workers are in trouble', 'worker.*', 'warning', 30 * SECOND),
  {
    id: 'redis-memory',
    name: 'Redis nears its limit',
    severity: 'critical',
    condition: {
      kind: 'compare',
      signal: 'redis_used_ratio',
      is: 'above',
      threshold: 0.95,
      clear: 0.9,
    },
    forMs: 30 * SECOND,
    keepFiringMs: MINUTE,
  },
  {
    id: 'redis-full-soon',
    name: 'Redis is full in less than 30 min',
    severity: 'warning',
    condition: {
      kind: 'predicted',
      signal: 'redis_counted_bytes',
      reaches: 'limit',
      withinSeconds: 1800,
      clearSeconds: 3600,
      windowSeconds: 1800,
    },
    forMs: 2 * MINUTE,
    keepFiringMs: 2 * MINUTE,
  },
  {
    id: 'queue-memory',
    name: 'A queue takes most of the memory',
    severity: 'warning',
    condition: { kind: 'share-of-limit', signal: 'queue_memory_bytes', aboveRatio: 0.6, clearRatio: 0.5 },
    forMs: 5 * MINUTE,
    keepFiringMs: 5 * MINUTE,
  },
  {
    id: 'job-type-memory',
    name: 'A job type takes half of the memory',
    severity: 'warning',
    condition: { kind: 'share-of-limit', signal: 'job_type_memory_bytes', aboveRatio: 0.5, clearRatio: 0.4 },
    forMs: 5 * MINUTE,
    keepFiringMs: 5 * MINUTE,
  },
  {
    id: 'queue-silent',
    name: 'No completion for 5 min while jobs wait',
    severity: 'critical',
    condition: { kind: 'compare', signal: 'queue_silent_seconds', is: 'above', threshold: 300, clear: 30 },
    forMs: 10 * SECOND,
    keepFiringMs: 30 * SECOND,
  },
  {
    id: 'no-heartbeat',
    name: 'No heartbeat of any worker',
    severity: 'warning',
    condition: {
      kind: 'compare',
      signal: 'queue_heartbeat_age_seconds',
      is: 'above',
      threshold: 60,
      clear: 15,
    },
    forMs: 10 * SECOND,
    keepFiringMs: 30 * SECOND,
  },
];

export const DEFAULT_RULES: readonly AlertRule[] = DEFAULTS.map((rule) => ({
  ...rule,
  isEnabled: true,
  scope: EVERYTHING,
  runbookUrl: null,
}));
