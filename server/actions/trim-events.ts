import { z } from 'zod';
import { formatBytes, formatCount } from '../model/format.js';
import { type EventsSize, readEventsSize, trimEvents as trim } from '../redis/relief.js';
import type { Action } from './action.js';
import { handleOf, whyNoWrites } from './queue-target.js';

const schema = z.strictObject({
  keep: z.int('must be a whole number of entries').min(0, 'must be 0 or more').max(1_000_000).default(100),
});
type Args = z.infer<typeof schema>;

/** Cuts a queue's events stream: the least harmful way to make room. */
export const trimEvents: Action<Args, EventsSize> = {
  name: 'queue.trim-events',
  title: 'Trim events',
  about:
    'Removes old entries of the queue’s events stream. No job is touched; a listener that is behind misses what is removed.',
  scope: 'queue',
  role: 'operator',
  isDestructive: false,
  schema,
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
        {
          label: 'events kept',
          before: formatCount(size.length),
          after: formatCount(Math.min(size.length, args.keep)),
        },
      ],
      effects: ['No job is touched. BullMQ fills the stream again up to its own limit as jobs run.'],
      warnings: [],
      affected: { queues: 1, workers: null, jobs: 0 },
      predictedFreedBytes: freed,
      isReversible: false,
      mechanism: 'XTRIM MAXLEN on the events stream, which Redis accepts over maxmemory.',
      isNoop: removed === 0,
    };
  },
  async apply(context, args) {
    const { removed, freedBytes } = await trim(handleOf(context), args.keep);
    const freed = freedBytes === null ? '' : ` and freed ${formatBytes(freedBytes)}`;
    return { summary: `Removed ${formatCount(removed)} entries${freed}.`, freedBytes, affectedJobs: 0 };
  },
  async verify(context, args, before) {
    const after = await readEventsSize(handleOf(context));
    // Jobs go on running while this is read, so a few entries more than asked for are right.
    const ok = after.length <= Math.max(args.keep + 1_000, args.keep * 2);
    return {
      ok,
      summary: `${formatCount(after.length)} entries are left.`,
      fields: [
        { label: 'events kept', before: formatCount(before.length), after: formatCount(after.length) },
      ],
      warnings: [],
    };
  },
  undo: () => null,
};

function predictedBytes(size: EventsSize, keep: number): number {
  if (size.length === 0) return 0;
  return Math.round(size.bytes * Math.max(0, 1 - keep / size.length));
}
