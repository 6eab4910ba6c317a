import { z } from 'zod';
import { formatBytes, formatCount, formatDuration } from '../model/format.js';
import {
  type CleanEstimate,
  type CleanRange,
  cleanFinished as clean,
  estimateClean,
} from '../redis/relief.js';
import type { Action } from './action.js';
import { handleOf, whyNoWrites } from './queue-target.js';

const schema = z.strictObject({
  state: z.enum(['completed', 'failed'], 'must be completed or failed'),
  olderThanMs: z.int('must be a whole number of milliseconds').min(0, 'must be 0 or more').optional(),
  keep: z.int('must be a whole number of jobs').min(0, 'must be 0 or more').default(0),
});
type Args = z.infer<typeof schema>;

/** Removes finished jobs by age and count. */
export const cleanFinished: Action<Args, CleanEstimate> = {
  name: 'queue.clean-finished',
  title: 'Clean finished jobs',
  about:
    'Removes completed or failed jobs, oldest first, by age and down to a number kept. Jobs that still have to run are never touched.',
  scope: 'queue',
  role: 'operator',
  isDestructive: true,
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
      fields: [
        { label: `${args.state} jobs`, before: formatCount(estimate.total), after: formatCount(after) },
      ],
      effects: [
        `The estimate is from ${formatCount(estimate.sampled)} of these jobs.`,
        args.state === 'failed'
          ? 'What is removed can no longer be retried or looked into.'
          : 'Results and logs of what is removed are gone.',
      ],
      warnings: [],
      affected: { queues: 1, workers: null, jobs: estimate.matching },
      predictedFreedBytes: estimate.bytes,
      isReversible: false,
      mechanism:
        'A script that removes 200 jobs a call, which Redis accepts over maxmemory. Failed children that a parent still waits for stay.',
      isNoop: estimate.matching === 0,
    };
  },
  async apply(context, args) {
    const result = await clean(handleOf(context), rangeOf(args, context.nowMs));
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
      affectedJobs: result.removed,
      isUnchanged: result.removed === 0,
    };
  },
  async verify(context, args, before) {
    const after = await estimateClean(handleOf(context), rangeOf(args, context.nowMs));
    return {
      // Children that were skipped still match; all else is gone.
      ok: after.matching <= before.matching,
      summary: `${formatCount(after.total)} ${args.state} jobs are left.`,
      fields: [
        { label: `${args.state} jobs`, before: formatCount(before.total), after: formatCount(after.total) },
      ],
      warnings: [],
    };
  },
  undo: () => null,
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
