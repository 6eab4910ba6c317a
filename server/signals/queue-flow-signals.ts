import { drainSecondsOf } from '../model/queue-verdict.js';
import { queueSignals } from './signal.js';

/** How jobs move through a queue, and what holds them. */
export const QUEUE_FLOW_SIGNALS = queueSignals([
  {
    name: 'queue_arrivals_per_second',
    help: 'Jobs added per second; an upper bound, as duplicates count.',
    unit: 'jobs/s',
    fold: 'sum',
    read: ({ rates }) => rates?.arrivalsPerSecond ?? null,
  },
  {
    name: 'queue_departures_per_second',
    help: 'Jobs finished or removed per second; an upper bound, as duplicates count.',
    unit: 'jobs/s',
    fold: 'sum',
    read: ({ rates }) => rates?.departuresPerSecond ?? null,
  },
  {
    name: 'queue_growth_per_second',
    help: 'Robust slope of the backlog.',
    unit: 'jobs/s',
    fold: 'sum',
    read: ({ rates }) => rates?.growthPerSecond ?? null,
  },
  {
    name: 'queue_oldest_waiting_seconds',
    help: 'Age of the oldest waiting job; absent when none waits.',
    unit: 'seconds',
    fold: 'max',
    read: ({ oldestWaitingAtMs }, _snapshot, nowMs) =>
      oldestWaitingAtMs === null ? null : Math.max(0, nowMs - oldestWaitingAtMs) / 1000,
  },
  {
    name: 'queue_drain_seconds',
    help: 'Time until the backlog is gone at the present rates; +Inf for never, absent when nothing drains.',
    unit: 'seconds',
    fold: 'max',
    read: drainSecondsOf,
  },
  {
    name: 'queue_paused',
    help: 'Whether the application paused the queue.',
    unit: 'bool',
    fold: 'max',
    read: (queue) => (queue.flow === 'paused' ? 1 : 0),
  },
  {
    name: 'queue_paused_by_spillway',
    help: 'Whether this console paused the queue.',
    unit: 'bool',
    fold: 'max',
    read: (queue) => (queue.flow === 'paused-by-spillway' ? 1 : 0),
  },
  {
    name: 'queue_concurrency_limit',
    help: 'Global concurrency; absent when none is set.',
    unit: 'count',
    fold: 'none',
    read: (queue) => queue.concurrency,
  },
  {
    name: 'queue_rate_limit_per_second',
    help: 'Global rate limit; absent when none is set.',
    unit: 'jobs/s',
    fold: 'none',
    read: ({ rateLimit }) =>
      rateLimit && rateLimit.durationMs > 0 ? (rateLimit.max * 1000) / rateLimit.durationMs : null,
  },
  {
    name: 'queue_rate_limited_seconds',
    help: 'How long a rate limiter still holds the workers.',
    unit: 'seconds',
    fold: 'max',
    read: (queue) => queue.rateLimitedForMs / 1000,
  },
  {
    name: 'queue_workers',
    help: 'Connected workers; absent where Redis does not let the console list clients.',
    unit: 'count',
    fold: 'sum',
    read: (queue) => queue.workers,
  },
]);
