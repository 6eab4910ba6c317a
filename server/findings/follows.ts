import { globMatcher } from '../model/text.js';

/** What the jobs of a queue do, as signals: follows from whatever holds the queue up. */
const FLOW = [
  'signal:queue_arrivals_per_second',
  'signal:queue_departures_per_second',
  'signal:queue_growth_per_second',
  'signal:queue_oldest_waiting_seconds',
  'signal:queue_drain_seconds',
  'signal:queue_silent_seconds',
  'signal:queue_waiting_jobs',
  'signal:queue_backlog_jobs',
  'signal:queue_unfinished_jobs',
  'signal:queue_delayed_jobs',
  'signal:queue_worker_slots_busy',
  'signal:queue_rate_limited_seconds',
  'signal:job_type_waiting_jobs',
  'signal:job_type_completed_per_second',
  'signal:job_type_failed_per_second',
  'signal:job_type_run_*',
  'signal:job_type_silent_seconds',
  'signal:backlog_jobs',
  'signal:active_jobs',
  'signal:arrivals_per_second',
  'signal:departures_per_second',
];
const QUEUE_FLOW = [
  'queue.stuck',
  'queue.growing',
  'queue.overloaded',
  'queue.noisy-neighbour',
  'queue.no-workers',
  'queue.workers-paused',
];
const TYPES = ['jobtype.*'];
const MEMORY = [
  'memory.*',
  'signal:queue_memory_bytes',
  'signal:queue_*_bytes',
  'signal:job_type_memory_bytes',
  'signal:redis_used_ratio',
  'signal:redis_*_bytes',
  'signal:redis_full_in_seconds',
  'signal:redis_growth_bytes_per_second',
];

interface Consequence {
  readonly causes: readonly string[];
  readonly effects: readonly string[];
  readonly within: 'instance' | 'queue';
}

/** What follows from what: codes of findings, and signals by their names. */
const CONSEQUENCES: readonly Consequence[] = [
  // What can't be seen can't be judged: everything else is what was last seen.
  { causes: ['redis.unreachable'], effects: ['*'], within: 'instance' },
  { causes: ['signal:redis_up'], effects: ['console.stale', 'signal:console_*'], within: 'instance' },
  {
    causes: ['console.stale'],
    effects: ['queue.*', ...TYPES, 'worker.*', 'memory.*', 'signal:*'],
    within: 'instance',
  },
  // Producers are refused and workers stop: depth, latency and silence of every queue follow.
  {
    causes: ['redis.full', 'signal:redis_full'],
    effects: ['redis.filling', ...QUEUE_FLOW, ...TYPES, 'worker.*', ...MEMORY, ...FLOW],
    within: 'instance',
  },
  // Its sentence names the holder.
  { causes: ['redis.filling'], effects: MEMORY, within: 'instance' },
  {
    causes: ['redis.read-only', 'redis.unsaved'],
    effects: [...QUEUE_FLOW, ...TYPES, 'worker.*', ...FLOW],
    within: 'instance',
  },
  {
    causes: ['queue.no-workers', 'queue.workers-paused'],
    effects: [
      'queue.stuck',
      'queue.growing',
      'queue.overloaded',
      ...TYPES,
      'worker.*',
      'signal:queue_workers',
      'signal:queue_heartbeat_age_seconds',
      ...FLOW,
    ],
    within: 'queue',
  },
  {
    causes: ['queue.paused-with-backlog', 'queue.stuck'],
    effects: ['jobtype.absent', ...FLOW],
    within: 'queue',
  },
  {
    causes: ['jobtype.failing', 'jobtype.batch-wait', 'queue.noisy-neighbour', 'queue.overloaded'],
    effects: ['queue.growing', ...FLOW],
    within: 'queue',
  },
];

/** The same, ready to be asked: which codes are causes, and what is an effect of them. */
export const CAUSES = CONSEQUENCES.map(({ causes, effects, within }) => ({
  within,
  causes: new Set(causes),
  isEffect: anyGlob(effects),
}));

function anyGlob(globs: readonly string[]): (text: string) => boolean {
  const known = new Map<string, boolean>();
  const matchers = globs.map(globMatcher);
  return (text) => {
    let is = known.get(text);
    if (is === undefined) {
      is = matchers.some((matches) => matches(text));
      // Causes are codes and names of signals: some hundred at most.
      known.set(text, is);
    }
    return is;
  };
}

interface Trouble {
  /** Code of a finding, or `signal:` and its name. */
  readonly cause: string;
  readonly queue: string | null;
}

/** Does one trouble of a Redis follow from another one of it? Its own kind explains nothing. */
export function followsFrom(effect: Trouble, cause: Trouble): boolean {
  return CAUSES.some(
    ({ causes, isEffect, within }) =>
      causes.has(cause.cause) &&
      !causes.has(effect.cause) &&
      isEffect(effect.cause) &&
      // A cause that stands for many queues is about each of them.
      (within === 'instance' || cause.queue === null || cause.queue === effect.queue),
  );
}
