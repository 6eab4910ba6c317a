import { z } from 'zod';
import { formatBytes, formatCount, formatDuration } from '../model/format.js';
import {
  type CleanEstimate,
  type CleanRange,
  cleanFinishedJobs,
  type EventsSize,
  estimateClean,
  readEventsSize,
  trimEventStream,
} from '../redis/relief.js';
import { type Action, changed } from './action.js';
import { handleOf, whyNoWrites } from './queue-target.js';

const trimSchema = z.strictObject({
  keep: z.int('must be a whole number of entries').min(0, 'must be 0 or more').max(1_000_000).default(100),
});
type TrimArgs = z.infer<typeof trimSchema>;

/** Cuts a queue's events stream: the least harmful way to make room. */
export const trimEventsAction: Action<TrimArgs, EventsSize> = {
  name: 'queue.trim-events',
  title: 'Trim events',
  about:
    'Removes old entries of the queue’s events stream. No job is touched; a listener that is behind misses what is removed.',
  scope: 'queue',
  role: 'operator',
  schema: trimSchema,
  unavailable: ({ snapshot }) => whyNoWrites(snapshot),
  read: (context) => readEventsSize(handleOf(context)),
  preview(size, args) {
    const removed = Math.max(0, size.length - args.keep);
    const freed = predictedBytes(size, args.keep);
    return {
      summary:
        removed === 0
          ? 'There is nothing to trim.'
          : `Removes ${formatCount(removed)} of ${formatCount(size.length)} entries and should free about ${formatBytes(freed)}.`,
      fields: [
        changed('events kept', formatCount(size.length), formatCount(Math.min(size.length, args.keep))),
      ],
      effects: ['No job is touched. BullMQ fills the stream again up to its own limit as jobs run.'],
      affected: { queues: 1, workers: null, jobs: 0 },
      predictedFreedBytes: freed,
      mechanism: 'XTRIM MAXLEN on the events stream, which Redis accepts over maxmemory.',
      isNoop: removed === 0,
    };
  },
  async apply(context, args) {
    const { removed, freedBytes } = await trimEventStream(handleOf(context), args.keep);
    const freed = freedBytes === null ? '' : ` and freed ${formatBytes(freedBytes)}`;
    return { summary: `Removed ${formatCount(removed)} entries${freed}.`, freedBytes };
  },
  async verify(context, args, before) {
    const after = await readEventsSize(handleOf(context));
    // Jobs go on running while this is read, so a few entries more than asked for are right.
    const ok = after.length <= Math.max(args.keep + 1_000, args.keep * 2);
    return {
      ok,
      summary: `${formatCount(after.length)} entries are left.`,
      fields: [changed('events kept', formatCount(before.length), formatCount(after.length))],
    };
  },
};

function predictedBytes(size: EventsSize, keep: number): number {
  if (size.length === 0) return 0;
  return Math.round(size.bytes * Math.max(0, 1 - keep / size.length));
}

const schema = z.strictObject({
  state: z.enum(['completed', 'failed'], 'must be completed or failed'),
  olderThanMs: z.int('must be a whole number of milliseconds').min(0, 'must be 0 or more').optional(),
  keep: z.int('must be a whole number of jobs').min(0, 'must be 0 or more').default(0),
});
type Args = z.infer<typeof schema>;

/** Removes finished jobs by age and count. */
export const cleanFinishedAction: Action<Args, CleanEstimate> = {
  name: 'queue.clean-finished',
  title: 'Clean finished jobs',
  about:
    'Removes completed or failed jobs, oldest first, by age and down to a number kept. Jobs that still have to run are never touched.',
  scope: 'queue',
  role: 'operator',
  // Results of completed jobs are gone; a failed one could still be retried.
  losesJobs: ({ state }) => state === 'failed',
  schema,
  unavailable: ({ snapshot }) => whyNoWrites(snapshot),
  read: (context, args) => estimateClean(handleOf(context), rangeOf(args, context.nowMs)),
  preview(estimate, args) {
    const after = estimate.total - estimate.matching;
    return {
      summary:
        estimate.matching === 0
          ? `No ${args.state} job matches.`
          : `Removes ${formatCount(estimate.matching)} of ${formatCount(estimate.total)} ${args.state} jobs${ageInWords(args)} and should free about ${formatBytes(estimate.bytes)}.`,
      fields: [changed(`${args.state} jobs`, formatCount(estimate.total), formatCount(after))],
      effects: [
        `The estimate is from ${formatCount(estimate.sampled)} of these jobs.`,
        args.state === 'failed'
          ? 'What is removed can no longer be retried or looked into.'
          : 'Results and logs of what is removed are gone.',
      ],
      affected: { queues: 1, workers: null, jobs: estimate.matching },
      predictedFreedBytes: estimate.bytes,
      mechanism:
        'A script that removes 200 jobs a call, which Redis accepts over maxmemory. Failed children that a parent still waits for stay.',
      isNoop: estimate.matching === 0,
    };
  },
  async apply(context, args) {
    const result = await cleanFinishedJobs(handleOf(context), rangeOf(args, context.nowMs));
    const skipped =
      result.skipped > 0
        ? ` ${formatCount(result.skipped)} stay, because a parent job still waits for them.`
        : '';
    const freed = result.freedBytes === null ? '' : ` and freed ${formatBytes(result.freedBytes)}`;
    const early =
      result.endedBecause === null
        ? ''
        : ` ${formatCount(result.remaining)} more match and are still there: ${result.endedBecause}. Do it again for the rest.`;
    return {
      summary: `Removed ${formatCount(result.removed)} ${args.state} jobs${freed}.${skipped}${early}`,
      freedBytes: result.freedBytes,
      isUnchanged: result.removed === 0,
    };
  },
  async verify(context, args, before) {
    const after = await estimateClean(handleOf(context), rangeOf(args, context.nowMs));
    return {
      // Children that were skipped still match; all else is gone.
      ok: after.matching <= before.matching,
      summary: `${formatCount(after.total)} ${args.state} jobs are left.`,
      fields: [changed(`${args.state} jobs`, formatCount(before.total), formatCount(after.total))],
    };
  },
};

function rangeOf(args: Args, nowMs: number): CleanRange {
  return {
    state: args.state,
    untilMs: args.olderThanMs === undefined ? null : nowMs - args.olderThanMs,
    keep: args.keep,
  };
}

function ageInWords(args: Args): string {
  const age =
    args.olderThanMs === undefined
      ? ''
      : ` that finished more than ${formatDuration(args.olderThanMs / 1000)} ago`;
  return args.keep > 0 ? `${age}, keeping the newest ${formatCount(args.keep)},` : age;
}
