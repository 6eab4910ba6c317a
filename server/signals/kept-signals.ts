import { SIGNALS } from './index.js';
import type { Signal } from './signal.js';

/**
 * What is kept of queues and job types, of which there are thousands: what charts draw and rules ask for. What others
 * follow from (growth is arrivals less departures) or hardly ever change is left out.
 */
const KEPT_OF_MANY: ReadonlySet<string> = new Set([
  'queue_backlog_jobs',
  'queue_active_jobs',
  'queue_delayed_jobs',
  'queue_completed_jobs',
  'queue_failed_jobs',
  'queue_arrivals_per_second',
  'queue_departures_per_second',
  'queue_oldest_waiting_seconds',
  'queue_paused',
  'queue_paused_by_spillway',
  'queue_concurrency_limit',
  'queue_rate_limit_per_second',
  'queue_workers',
  'queue_memory_bytes',
  'queue_worker_slots',
  'queue_worker_slots_busy',
  'queue_workers_troubled',
  'job_type_waiting_jobs',
  'job_type_completed_per_second',
  'job_type_failed_per_second',
  'job_type_run_p50_seconds',
  'job_type_run_p95_seconds',
  'job_type_memory_bytes',
]);

/** The signals that history keeps: every gauge of an instance and of a node, and of queues and job types those above. */
export const KEPT_SIGNALS: readonly Signal[] = SIGNALS.filter(({ scope, kind, name }) =>
  scope === 'instance' || scope === 'node' ? kind === 'gauge' : KEPT_OF_MANY.has(name),
);
