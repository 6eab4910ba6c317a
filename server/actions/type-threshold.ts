import { z } from 'zod';
import { jobTypeOf } from '../../agent/job-type-of.js';
import type { ActionWarning } from '../model/action.js';
import { ActionError } from '../model/action.js';
import { formatRunTime } from '../model/format.js';
import type { JobTypeState } from '../model/job-type.js';
import { plainName } from '../model/words.js';
import { MAX_TYPE_THRESHOLDS } from '../watch/type-thresholds.js';
import { type Action, type ActionContext, changed, warning } from './action.js';
import { targetQueue } from './queue-target.js';

const MAX_MS = 86_400_000;
const schema = z.strictObject({
  type: z
    .string('must be the name of a job type')
    .min(1, 'must name a job type')
    .max(1_000, 'must be at most 1,000 characters')
    .overwrite(jobTypeOf)
    .refine((name) => name.isWellFormed(), 'must be valid Unicode, as every name in Redis is'),
  slowThresholdMs: z
    .int(`must be whole milliseconds from 1 to ${MAX_MS}, or null for none`)
    .min(1, 'must be at least 1 ms')
    .max(MAX_MS, `must be at most ${MAX_MS} ms, a day`)
    .nullable(),
});
type Args = z.infer<typeof schema>;

interface State {
  readonly thresholdMs: number | null;
  readonly isRoomLeft: boolean;
}

/** Run time from which a person calls a job type slow. Kept by the console; Redis and workers know nothing of it. */
export const typeThreshold: Action<Args, State> = {
  name: 'jobtype.threshold',
  title: 'Slow threshold',
  about:
    'From which run time a job type is called slow: more than one run in 20 takes longer. It is judged by it within seconds; nothing in Redis or in the workers changes.',
  scope: 'queue',
  role: 'operator',
  schema,
  unavailable: () => null,
  async read(context, args) {
    const { typeThresholds } = context;
    const thresholdMs = await typeThresholds.read(keyOf(context, args));
    return { thresholdMs, isRoomLeft: thresholdMs !== null || typeThresholds.count < MAX_TYPE_THRESHOLDS };
  },
  preview({ thresholdMs, isRoomLeft }, args, context) {
    const known = targetQueue(context).types.find(({ name }) => name === args.type) ?? null;
    const name = plainName(args.type);
    return {
      summary:
        args.slowThresholdMs === null
          ? `${name} is judged by its own past and by what it holds up only.`
          : `${name} is called slow when more than one run in 20 takes over ${formatRunTime(args.slowThresholdMs)}.`,
      fields: [fieldOf(thresholdMs, args.slowThresholdMs)],
      effects: args.slowThresholdMs === null ? [] : effectsOf(known, args.slowThresholdMs),
      warnings: warningsOf(known, isRoomLeft || args.slowThresholdMs === null),
      affected: { queues: 1, workers: null, jobs: 0 },
      mechanism: 'Kept in the console’s own store, by queue and job type; in force at the next judgement.',
      isNoop: thresholdMs === args.slowThresholdMs,
    };
  },
  async apply(context, args) {
    const by = { actor: context.actor, atMs: context.nowMs };
    if (!(await context.typeThresholds.set(keyOf(context, args), args.slowThresholdMs, by)))
      throw new ActionError('unavailable', NO_ROOM);
    return {
      summary:
        args.slowThresholdMs === null
          ? `${plainName(args.type)} has no threshold.`
          : `${plainName(args.type)} is slow from ${formatRunTime(args.slowThresholdMs)} on.`,
    };
  },
  async verify(context, args, before) {
    const heldMs = await context.typeThresholds.read(keyOf(context, args));
    const ok = heldMs === args.slowThresholdMs;
    return {
      ok,
      summary: ok
        ? 'The store holds the new value.'
        : `The store holds ${inWords(heldMs)}: it was changed meanwhile.`,
      fields: [fieldOf(before.thresholdMs, heldMs)],
    };
  },
  undo: ({ thresholdMs }, { type }) => ({
    action: 'jobtype.threshold',
    args: { type, slowThresholdMs: thresholdMs },
  }),
};

const NO_ROOM = `there are ${MAX_TYPE_THRESHOLDS.toLocaleString('en-US')} thresholds already: take some away first (set them to null)`;

function keyOf(context: ActionContext, { type }: Args) {
  return { instance: context.target.instance, queue: targetQueue(context).id, type };
}

function fieldOf(beforeMs: number | null, afterMs: number | null) {
  return changed('slow from', inWords(beforeMs), inWords(afterMs));
}

function inWords(ms: number | null): string {
  return ms === null ? 'none' : formatRunTime(ms);
}

function effectsOf(type: JobTypeState | null, thresholdMs: number): readonly string[] {
  if (!type?.run) return [];
  const p95 = formatRunTime(type.run.p95Ms);
  return [
    type.run.p95Ms > thresholdMs
      ? `It is slow by that now: 19 of 20 runs take up to ${p95}.`
      : `It is not slow by that now: 19 of 20 runs take up to ${p95}.`,
  ];
}

function warningsOf(type: JobTypeState | null, isRoomLeft: boolean): readonly ActionWarning[] {
  const texts = [
    ...(type
      ? []
      : [
          'No job of this type was seen in this queue lately: check the name, capitals too, or set it ahead.',
        ]),
    ...(isRoomLeft ? [] : [`This will be refused: ${NO_ROOM}.`]),
  ];
  return texts.map((text) => warning(text));
}
