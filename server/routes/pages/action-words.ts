import { formatBytes, formatCount, formatRateLimit, formatThings } from '../../model/format.js';
import { fullestNode } from '../../model/queue-verdict.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';
import { plainName } from '../../model/words.js';
import type { WorkerState } from '../../model/worker.js';

/** How an argument is asked for. What stands in no list is asked for by its own name, so a new action works without. */
interface ArgWords {
  readonly label: string;
  readonly hint: string;
  readonly noneLabel?: string;
  readonly choices?: Readonly<Record<string, string>>;
  /** Not for people: carried along. */
  readonly isHidden?: boolean;
}

/** What undo gives, so that what it brings back ends when it would have. */
const UNTIL_MS = { label: 'Until', hint: '', isHidden: true };
const FOR_MS: ArgWords = { label: 'Expires', hint: '' };

const WORDS: Readonly<Record<string, ArgWords>> = {
  'queue.concurrency value': {
    label: 'Jobs at once, over all workers',
    hint: 'Workers’ own concurrency still counts. To stop the queue, pause it instead.',
    noneLabel: 'No global limit',
  },
  'queue.park jobType': { label: 'Job type (empty: all)', hint: '' },
  'queue.park state': {
    label: 'Jobs that are',
    hint: '',
    choices: { all: 'waiting, prioritized or delayed' },
  },
  'queue.park most': { label: 'At most (empty: all)', hint: '' },
  'queue.unpark parking': { label: 'Parking', hint: '', isHidden: true },
  'queue.unpark ratePerSecond': {
    label: 'Max rate, jobs/s',
    hint: 'Empty: 1,000, or as fast as it goes without auto-throttle.',
  },
  'queue.unpark guard': { label: 'Auto-throttle', hint: 'Slows down by itself when live jobs suffer.' },
  'queue.rate-limit max': {
    label: 'Jobs that may start',
    hint: 'Over all workers together.',
    noneLabel: 'No global limit',
  },
  'queue.rate-limit durationMs': { label: 'per', hint: 'Written in short windows of the same rate.' },
  'queue.rate-limit isExact': { label: 'Written as given', hint: '', isHidden: true },
  'queue.trim-events keep': { label: 'Newest entries to keep', hint: 'Of each queue’s events stream.' },
  'queue.clean-finished state': {
    label: 'Which jobs',
    hint: '',
    choices: { completed: 'Completed', failed: 'Failed: they can’t be retried afterwards' },
  },
  'queue.clean-finished olderThanMs': { label: 'Finished longer ago than', hint: 'Empty: of any age.' },
  'queue.clean-finished keep': { label: 'Newest jobs to keep', hint: 'Of each queue. 0: none.' },
  'redis.raise-maxmemory maxBytes': {
    label: 'New maxmemory',
    hint: 'In force at once, on every master. A restart brings the configured value back.',
  },
  'sequence roomBytes': { label: 'Free memory that is enough', hint: '', isHidden: true },
  'workers.concurrency value': {
    label: 'Jobs at once, each worker',
    hint: 'In every running worker of the queue, and in those that start later.',
    noneLabel: 'As deployed',
  },
  'workers.concurrency factor': {
    label: 'Times what each was deployed with',
    hint: '2: twice as many slots.',
  },
  'workers.concurrency drainWithinSeconds': {
    label: 'Drain within, seconds',
    hint: 'As many slots as that takes, by what a job takes now.',
  },
  'workers.concurrency forMs': FOR_MS,
  'workers.concurrency untilMs': UNTIL_MS,
  'worker.concurrency value': {
    label: 'Jobs at once',
    hint: 'In this worker only. To stop it, pause it instead.',
    noneLabel: 'As deployed',
  },
  'worker.concurrency forMs': FOR_MS,
  'worker.concurrency untilMs': UNTIL_MS,
  'worker.pause forMs': FOR_MS,
  'worker.pause untilMs': UNTIL_MS,
  'worker.limiter max': {
    label: 'Jobs that may start',
    hint: 'Counted over all workers of the queue; this one stops when they have started so many.',
    noneLabel: 'No limiter of its own',
  },
  'worker.limiter durationMs': { label: 'per', hint: '' },
  'worker.limiter asDeployed': { label: 'As deployed', hint: '', isHidden: true },
  'worker.limiter forMs': FOR_MS,
  'worker.limiter untilMs': UNTIL_MS,
  'jobtype.threshold type': { label: 'Job type', hint: '', isHidden: true },
  'jobtype.threshold slowThresholdMs': {
    label: 'Slow from a run time of',
    hint: '',
    noneLabel: 'No threshold',
  },
  'job.remove removeChildren': { label: 'Remove its child jobs too', hint: '' },
};

export function argWords(action: string, arg: string): ArgWords {
  const known = WORDS[`${action} ${arg}`];
  if (known) return known;
  const words = arg
    .replace(/(Ms|Bytes)$/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return { label: words.charAt(0).toUpperCase() + words.slice(1), hint: '', noneLabel: 'None' };
}

/** What pressing the button does, by what is typed; null: its title says it. */
export function actionVerb(action: string, args: Readonly<Record<string, unknown>>): string | null {
  const { value, maxBytes, max, state, steps } = args;
  switch (action) {
    case 'workers.concurrency':
    case 'worker.concurrency':
      if (typeof value === 'number') return `Set concurrency to ${formatCount(value)}`;
      return value === null ? 'Set concurrency as deployed' : null;
    case 'queue.concurrency':
      if (typeof value === 'number') return `Set global concurrency to ${formatCount(value)}`;
      return value === null ? 'Remove the global concurrency' : null;
    case 'queue.rate-limit':
      return typeof max === 'number' || max === null
        ? max === null
          ? 'Remove the rate limit'
          : `Limit to ${formatRateLimit(max, Number(args.durationMs ?? 1000))}`
        : null;
    case 'redis.raise-maxmemory':
      return typeof maxBytes === 'number' ? `Set maxmemory to ${formatBytes(maxBytes)}` : null;
    case 'queue.clean-finished':
      return state === 'failed' || state === 'completed' ? `Clean ${state} jobs` : null;
    case 'queue.park':
      return typeof args.jobType === 'string' ? `Park ${plainName(args.jobType)} jobs` : null;
    case 'sequence':
      return Array.isArray(steps) ? `Make room in ${formatThings(steps.length, 'step')}` : null;
    default:
      return null;
  }
}

/** What to put into the boxes first: what holds now, so that opening an action and applying it changes nothing. */
export function presentArgs(
  action: string,
  snapshot: Snapshot,
  queue: QueueState | null,
  worker: WorkerState | null = null,
): Record<string, unknown> {
  if (action === 'workers.concurrency' && queue) {
    const slots = snapshot.workers.flatMap((one) =>
      one.queueId === queue.id && one.agent ? one.agent.concurrency.now : [],
    );
    return slots.length > 0 ? { value: Math.max(...slots) } : {};
  }
  if (action === 'worker.concurrency' && worker?.agent) return { value: worker.agent.concurrency.now };
  if (action === 'worker.limiter' && worker?.agent) {
    const { now } = worker.agent.limiter;
    return now ? { max: now.max, durationMs: now.durationMs } : { max: null };
  }

  if (action === 'queue.concurrency' && queue) {
    return {
      value:
        queue.flow === 'paused-by-spillway' ? (queue.pause?.formerConcurrency ?? null) : queue.concurrency,
    };
  }
  if (action === 'queue.rate-limit' && queue) {
    return queue.rateLimit
      ? { max: queue.rateLimit.max, durationMs: queue.rateLimit.durationMs }
      : { max: null };
  }
  if (action === 'queue.clean-finished') return { state: 'completed', keep: 100 };
  if (action === 'redis.raise-maxmemory') {
    const held = fullestNode(snapshot)?.maxBytes ?? 0;
    return held > 0 ? { maxBytes: held } : {};
  }
  return {};
}
