import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { planBasisOf, rateLimitAfter } from '../forecast/plan-basis.js';
import type { ActionWarning } from '../model/action.js';
import { formatDuration, formatRate } from '../model/format.js';
import { isFull } from '../model/queue-verdict.js';
import { inShortWindows, LONGEST_WINDOW_MS, MAX_RATE, perSecond } from '../model/rate-limit.js';
import type { RateLimit } from '../model/snapshot.js';
import { type QueueControl, readControl, setRateLimit } from '../redis/queue-control.js';
import { type Action, type ActionContext, changed, warning } from './action.js';
import { forecast } from './forecast.js';
import { handleOf, oldVersionWarning, rateInWords, targetQueue, whyNoWrites } from './queue-target.js';

const COUNTING_MS = 30;
/** Arguments of queue.rate-limit. */
const rateLimitSchema = z.strictObject({
  max: z
    .int('must be a whole number of jobs, or null for no limit')
    .min(
      1,
      'must be at least 1: a limit of 0 is no stop in BullMQ (one job passes each window); use queue.pause',
    )
    .max(MAX_RATE, `must be at most ${MAX_RATE}`)
    .nullable(),
  durationMs: z
    .int('must be a whole number of milliseconds')
    .min(1, 'must be at least 1 ms')
    .max(LONGEST_WINDOW_MS, `must be at most ${LONGEST_WINDOW_MS} ms (a day)`)
    .default(1000),
  /** Written as given, not as the same rate in short windows: what undo needs to restore what stood there. */
  isExact: z.boolean('must be true or false').default(false),
});
type Args = z.infer<typeof rateLimitSchema>;

/** Global rate limit, written so that it means what was typed. */
export const rateLimit: Action<Args, QueueControl> = {
  name: 'queue.rate-limit',
  title: 'Global rate limit',
  about:
    'How many jobs of this queue may start per time, over all its workers. Without one, limiters in the workers’ own code count.',
  scope: 'queue',
  role: 'operator',
  schema: rateLimitSchema,
  unavailable: ({ snapshot }) => whyNoWrites(snapshot),
  read: (context) => readControl(handleOf(context)),
  preview(control, args, context) {
    const queue = targetQueue(context);
    const wanted = limitOf(args);
    const leaving = queue.rates?.departuresPerSecond ?? 0;
    const basis = planBasisOf(context.snapshot, queue.id);
    const outlook = forecast(context, basis && { rateLimit: rateLimitAfter(wanted, basis) });
    return {
      summary:
        wanted === null
          ? 'The global limit is removed; a limiter in the workers’ own code counts again.'
          : `At most ${formatRate(perSecond(wanted))} start, over all workers.`,
      fields: [changed('global rate limit', rateInWords(control.rateLimit), rateInWords(wanted))],
      effects: [
        `Now ${formatRate(leaving)} leave the queue and ${formatRate(queue.rates?.arrivalsPerSecond ?? 0)} arrive.`,
        ...outlook.effects,
        ...(wanted && wanted.durationMs !== args.durationMs
          ? [
              `Written as ${rateInWords(wanted)}: the same rate in short windows, so that a later change counts within a second.`,
            ]
          : []),
        ...(wanted === null && (control.rateLimit?.durationMs ?? 0) > 5_000
          ? ['Workers that sleep in the old window may take up to 30 s to notice.']
          : []),
      ],
      warnings: [
        ...warningsOf(control, wanted, leaving, queue.observedLimiterMs),
        ...outlook.warnings,
        ...(wanted ? oldVersionWarning(control.version, 'a global rate limit') : []),
      ],
      affected: { queues: 1, workers: queue.workers, jobs: queue.backlog },
      mechanism:
        'Fields max and duration of the queue’s meta hash. BullMQ takes the global max but the duration of a worker’s own limiter where it has one.',
      isNoop: rateInWords(control.rateLimit) === rateInWords(wanted),
      forecast: outlook.forecast,
    };
  },
  async apply(context, args) {
    const wanted = limitOf(args);
    const heldMs = await setRateLimit(handleOf(context), wanted);
    const held =
      heldMs > 0
        ? ` The application itself holds the queue for ${formatDuration(heldMs / 1000)} more; that is left as it is.`
        : '';
    return {
      summary:
        wanted === null
          ? `The global rate limit is removed.${held}`
          : `The global rate limit is ${rateInWords(wanted)}.${held}`,
    };
  },
  async verify(context, args, before) {
    const wanted = limitOf(args);
    const after = await readOnceCounting(context, wanted);
    const ok = rateInWords(after.rateLimit) === rateInWords(wanted);
    return {
      ok,
      summary: ok
        ? 'Redis holds the limit; the rate that follows is measured over the next seconds.'
        : `Redis holds ${rateInWords(after.rateLimit)}: something else has changed it meanwhile.`,
      fields: [changed('global rate limit', rateInWords(before.rateLimit), rateInWords(after.rateLimit))],
      warnings: wanted ? otherWindow(wanted, after.limiterTtlMs) : [],
    };
  },
  change: (args, basis) => ({ rateLimit: rateLimitAfter(limitOf(args), basis) }),
  undo: (control) => ({
    action: 'queue.rate-limit',
    args:
      control.rateLimit && control.rateLimit.max >= 1
        ? {
            max: control.rateLimit.max,
            durationMs: Math.max(1, control.rateLimit.durationMs || 1000),
            isExact: true,
          }
        : { max: null },
  }),
};

/** The window began anew: where jobs wait, workers count in it within a moment, and then its length can be seen. */
async function readOnceCounting(context: ActionContext, wanted: RateLimit | null): Promise<QueueControl> {
  const after = await readControl(handleOf(context));
  const isIdle = after.waiting + after.prioritized === 0 || targetQueue(context).workers === 0;
  // While Redis is full idle workers take nothing, and so count nothing.
  if (wanted === null || after.limiterTtlMs > 0 || isIdle || isFull(context.snapshot)) return after;
  await setTimeout(COUNTING_MS);
  return readControl(handleOf(context));
}

/** The limit as it is written. */
function limitOf(args: Args): RateLimit | null {
  if (args.max === null) return null;
  const typed = { max: args.max, durationMs: args.durationMs };
  return args.isExact ? typed : inShortWindows(typed);
}

/** A window longer than the one that was written is a worker's own: its duration replaces the global one. */
function otherWindow(wanted: RateLimit, windowMs: number): readonly string[] {
  if (windowMs <= wanted.durationMs * 1.05) return [];
  const meant = Math.max(1, Math.round((wanted.max * windowMs) / wanted.durationMs));
  return [
    `Workers count in windows of at least ${windowMs} ms of their own, so this means ${formatRate((wanted.max * 1000) / windowMs)} and not ${formatRate(perSecond(wanted))}; a max of ${meant} per 1000 ms would give the rate that was asked for.`,
  ];
}

/**
 * Longest window of a worker's own limiter that has been seen; 0 where none shows. A window that is no longer than the
 * global limit's own says nothing; without a global limit any window is a worker's.
 */
function workersWindowMs(control: QueueControl, observedMs: number): number {
  const seenMs = Math.max(observedMs, control.limiterTtlMs);
  return seenMs > (control.rateLimit?.durationMs ?? 0) * 1.05 ? seenMs : 0;
}

function warningsOf(
  control: QueueControl,
  wanted: RateLimit | null,
  leavingPerSecond: number,
  observedMs: number,
): readonly ActionWarning[] {
  const warnings: ActionWarning[] = [];
  if (wanted && control.rateLimit === null && perSecond(wanted) > leavingPerSecond && leavingPerSecond > 0) {
    warnings.push(
      warning(
        `This is above the ${formatRate(leavingPerSecond)} that leave now. If the workers have a stricter limiter of their own, the global max replaces theirs and the queue speeds up.`,
      ),
    );
  }
  if (wanted)
    for (const text of otherWindow(wanted, workersWindowMs(control, observedMs)))
      warnings.push(warning(text));
  if (wanted === null && control.rateLimit) {
    warnings.push(
      warning(
        'Without the limit jobs start as fast as workers can take them: what they call must bear that.',
      ),
    );
  }
  return warnings;
}
