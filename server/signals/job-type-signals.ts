import { isMemoryOfNow } from '../model/memory-shares.js';
import { jobTypeSignals } from './signal.js';

/** What each job type does; of those that hold most work, as each is a series. Counts are estimates from samples. */
export const JOB_TYPE_SIGNALS = jobTypeSignals([
  {
    name: 'job_type_waiting_jobs',
    help: 'Jobs of this type that workers could take now, estimated.',
    unit: 'jobs',
    read: ({ waiting }) => waiting?.value ?? null,
  },
  {
    name: 'job_type_completed_per_second',
    help: 'Jobs of this type completed a second, over 10 s.',
    unit: 'jobs/s',
    read: ({ completedPerSecond }) => completedPerSecond,
  },
  {
    name: 'job_type_failed_per_second',
    help: 'Runs of this type that failed a second, over 10 s.',
    unit: 'jobs/s',
    read: ({ failedPerSecond }) => failedPerSecond,
  },
  {
    name: 'job_type_run_p50_seconds',
    help: 'Median run time of this type over the last one to two minutes.',
    unit: 'seconds',
    read: ({ run }) => seconds(run?.p50Ms),
  },
  {
    name: 'job_type_run_p95_seconds',
    help: '95th percentile of run times of this type over the last one to two minutes.',
    unit: 'seconds',
    read: ({ run }) => seconds(run?.p95Ms),
  },
  {
    name: 'job_type_run_p99_seconds',
    help: '99th percentile of run times of this type over the last one to two minutes.',
    unit: 'seconds',
    read: ({ run }) => seconds(run?.p99Ms),
  },
  {
    name: 'job_type_slow_threshold_seconds',
    help: 'Run time from which a person has said that this type is slow.',
    unit: 'seconds',
    read: ({ slowThresholdMs }) => seconds(slowThresholdMs),
  },
  {
    name: 'job_type_memory_bytes',
    help: 'Memory of the jobs of this type in all states, estimated.',
    unit: 'bytes',
    read: ({ memoryBytes }, queue) => (isMemoryOfNow(queue) ? memoryBytes : null),
  },
]);

function seconds(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1000;
}
