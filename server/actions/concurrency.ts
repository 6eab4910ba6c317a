import { z } from 'zod';
import type { ActionWarning } from '../model/action.js';
import { formatCount } from '../model/format.js';
import { isFull } from '../model/queue-verdict.js';
import { MAX_CONCURRENCY } from '../model/rate-limit.js';
import type { Snapshot } from '../model/snapshot.js';
import { type QueueControl, readControl, setConcurrency } from '../redis/queue-control.js';
import { parsePauseRecord } from '../redis/queue-reading.js';
import { type Action, changed, warning } from './action.js';
import { forecast } from './forecast.js';
import {
  handleOf,
  limitInWords,
  makeRoomFirst,
  oldVersionWarning,
  targetQueue,
  whyNoWrites,
} from './queue-target.js';

/** Arguments of queue.concurrency. */
const concurrencySchema = z.strictObject({
  value: z
    .int(`must be a whole number from 1 to ${MAX_CONCURRENCY}, or null for no limit`)
    .min(1, 'must be at least 1: to stop the queue use queue.pause, which remembers the former value')
    .max(MAX_CONCURRENCY, `must be at most ${MAX_CONCURRENCY}`)
    .nullable(),
});
type Args = z.infer<typeof concurrencySchema>;

/** Global concurrency: how many jobs of a queue may run at once over all workers. */
export const concurrency: Action<Args, QueueControl> = {
  name: 'queue.concurrency',
  title: 'Global concurrency',
  about:
    'How many jobs of this queue may run at once over all its workers. Workers’ own concurrency still counts.',
  scope: 'queue',
  role: 'operator',
  schema: concurrencySchema,
  unavailable: ({ snapshot }) => whyNoWrites(snapshot),
  read: (context) => readControl(handleOf(context)),
  preview(control, args, context) {
    const queue = targetQueue(context);
    const isPausedBySpillway = control.pauseRecord !== null && control.concurrency === 0;
    const before = settingOf(control);
    const outlook = forecast(context, { globalConcurrency: args.value });
    return {
      summary: isPausedBySpillway
        ? `The queue stays paused; ${limitInWords(args.value)} will be in force when it is resumed.`
        : args.value === null
          ? 'Only the workers’ own concurrency limits this queue.'
          : `At most ${formatCount(args.value)} jobs of this queue run at once, whatever the workers allow.`,
      fields: [changed('global concurrency', limitInWords(before), limitInWords(args.value))],
      effects: [effectOf(control, args.value), ...outlook.effects],
      warnings: [
        ...whenFull(context.snapshot, control, args.value),
        ...outlook.warnings,
        ...(args.value === null ? [] : oldVersionWarning(control.version, 'global concurrency')),
      ],
      affected: { queues: 1, workers: queue.workers, jobs: control.active },
      mechanism:
        'Field concurrency of the queue’s meta hash, as BullMQ’s setGlobalConcurrency writes it; an application that sets it at start-up overwrites this.',
      isNoop: before === args.value,
      forecast: outlook.forecast,
    };
  },
  async apply(context, args) {
    const isInForce = await setConcurrency(handleOf(context), args.value);
    const summary = isInForce
      ? `Global concurrency is ${limitInWords(args.value)}.`
      : `It will be ${limitInWords(args.value)} after the resume.`;
    return { summary };
  },
  async verify(context, args, before) {
    const after = await readControl(handleOf(context));
    const ok = settingOf(after) === args.value;
    return {
      ok,
      summary: ok
        ? 'Redis holds the new value.'
        : `Redis holds ${limitInWords(settingOf(after))}: something else has changed it meanwhile.`,
      fields: [
        changed('global concurrency', limitInWords(settingOf(before)), limitInWords(settingOf(after))),
      ],
    };
  },
  change: ({ value }) => ({ globalConcurrency: value }),
  undo: (control) => {
    const value = settingOf(control);
    return value === 0
      ? { action: 'queue.pause', args: {} }
      : { action: 'queue.concurrency', args: { value } };
  },
};

/** What is meant to be in force: on a paused queue that is what its resume will restore. */
function settingOf(control: QueueControl): number | null {
  if (control.pauseRecord === null || control.concurrency !== 0) return control.concurrency;
  return parsePauseRecord(control.pauseRecord)?.formerConcurrency ?? null;
}

function effectOf(control: QueueControl, value: number | null): string {
  const running = formatCount(control.active);
  if (value === null) return `${running} jobs run now; more may start as far as workers have free slots.`;
  if (value < control.active)
    return `${running} jobs run now: none is stopped, and none starts until fewer than ${value} run.`;
  return `${running} jobs run now; up to ${formatCount(value)} may, as far as workers have free slots.`;
}

/** While full, slots keep going only by taking the next job as they finish one; fewer slots break that chain. */
function whenFull(snapshot: Snapshot, control: QueueControl, value: number | null): readonly ActionWarning[] {
  if (!isFull(snapshot)) return [];
  const before = settingOf(control);
  if (value !== null && (value < control.active || (before !== null && value < before))) {
    return [
      warning(
        'Redis is full: slots that stop now don’t start again before there is room, so lowering may stop what still drains. Make room first.',
        makeRoomFirst(snapshot),
      ),
    ];
  }
  return [
    warning(
      'Redis is full: more concurrency does not drain faster now, it adds refused calls. Make room first.',
      makeRoomFirst(snapshot),
    ),
  ];
}
