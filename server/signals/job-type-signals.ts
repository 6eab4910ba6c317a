import { isMemoryOfNow } from '../model/memory-shares.js';
import type { JobTypeSignal } from './signal.js';

/** What each job type does; of those that hold most work, as each is a series. Counts are estimates from samples. */
export const JOB_TYPE_SIGNALS: readonly JobTypeSignal[] = [
  {
    scope: 'job-type',
    name: 'job_type_waiting_jobs',
    help: 'Jobs of this type that workers could take now, estimated.',
    unit: 'jobs',
    kind: 'gauge',
    read: ({ waiting }) => waiting?.value ?? null,
  },
  {
    scope: 'job-type',
    name: 'job_type_completed_per_second',
    help: 'Jobs of this type completed a second, over 10 s.',
    unit: 'jobs/s',
    kind: 'gauge',
    read: ({ completedPerSecond }) => completedPerSecond,
  },
  {
    scope: 'job-type',
    name: 'job_type_failed_per_second',
    help: 'Runs of this type that failed a second, over 10 s.',
    unit: 'jobs/s',
    kind: 'gauge',
    read: ({ failedPerSecond }) => failedPerSecond,
  },
  {
    scope: 'job-type',
    name: 'job_type_run_p50_seconds',
    help: 'Median run time of this type over the last one to two minutes.',
    unit: 'seconds',
    kind: 'gauge',
    read: ({ run }) => seconds(run?.p50Ms),
  },
  {
    scope: 'job-type',
    name: 'job_type_run_p95_seconds',
    help: '95th percentile of run times of this type over the last one to two minutes.',
    unit: 'seconds',
    kind: 'gauge',
    read: ({ run }) => seconds(run?.p95Ms),
  },
  {
    scope: 'job-type',
    name: 'job_type_run_p99_seconds',
    help: '99th percentile of run times of this type over the last one to two minutes.',
    unit: 'seconds',
    kind: 'gauge',
    read: ({ run }) => seconds(run?.p99Ms),
  },
  {
    scope: 'job-type',
    name: 'job_type_slow_threshold_seconds',
    help: 'Run time from which a person has said that this type is slow.',
    unit: 'seconds',
    kind: 'gauge',
    read: ({ slowThresholdMs }) => seconds(slowThresholdMs),
  },
  {
    scope: 'job-type',
    name: 'job_type_memory_bytes',
    help: 'Memory of the jobs of this type in all states, estimated.',
    unit: 'bytes',
    kind: 'gauge',
    read: ({ memoryBytes }, queue) => (isMemoryOfNow(queue) ? memoryBytes : null),
  },
];

function seconds(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1000;
}
