import { z } from 'zod';
import { EVERY_WORKER, type OrderedConcurrency } from '../../agent/protocol.js';
import { planBasisOf } from '../forecast/input-of.js';
import type { ActionWarning, WorkerResult } from '../model/action.js';
import { ActionError, type Forecast } from '../model/action.js';
import { formatCount, formatDuration } from '../model/format.js';
import type { QueueState } from '../model/snapshot.js';
import type { KeptOrder, WorkerState } from '../model/worker.js';
import type { Action } from './action.js';
import { forecast } from './forecast.js';
import { giveOrder, listeners, standingOf, whyNoOrders } from './give-order.js';
import { appliedOf, verifiedOf } from './order-answers.js';
import { queueOf } from './queue-target.js';
import { type SlotsOrdered, slotsAfter, slotsAsked, slotsOf, slotsOrdered } from './slots-for-all.js';
import {
  endArgs,
  endOf,
  forMs,
  hasEnded,
  isSameOrder,
  NO_TIME,
  orderForAll,
  ownOrder,
  raiseWarnings,
  slots,
  slotsInWords,
  untilMs,
  untilWords,
  whileFull,
} from './worker-settings.js';

const ONE_OF = 'give exactly one of value, factor and drainWithinSeconds';
/** Arguments of workers.concurrency. */
export const workersSchema = z
  .strictObject({
    value: slots.nullable().optional(),
    factor: z.number().gt(0, 'must be above 0').max(1_000, 'must be at most 1000').optional(),
    drainWithinSeconds: z
      .number('must be a number of seconds')
      .min(1, 'must be at least 1 s')
      .max(86_400, 'must be at most 86400 s (a day)')
      .optional(),
    forMs,
    untilMs,
  })
  .superRefine((args, context) => {
    const given = [args.value, args.factor, args.drainWithinSeconds].filter((one) => one !== undefined);
    if (given.length !== 1) context.addIssue({ code: 'custom', path: ['value'], message: ONE_OF });
    if (args.value === null && args.forMs !== undefined)
      context.addIssue({ code: 'custom', path: ['forMs'], message: NO_TIME });
  });
type Args = z.infer<typeof workersSchema>;

interface State {
  readonly workers: readonly WorkerState[];
  /** Orders that the queue keeps, as they stand in Redis. */
  readonly standing: readonly KeptOrder[];
  readonly former: KeptOrder | null;
  /** What is ordered; or why nothing can be. */
  readonly ordered: SlotsOrdered;
  /** Filled by apply, for verify. */
  results: readonly WorkerResult[];
}

/** Local concurrency of all workers of a queue, live: what ended the Cypress incident (incidents.md, 1). */
export const workersConcurrency: Action<Args, State> = {
  name: 'workers.concurrency',
  title: 'Concurrency of all workers',
  about:
    'How many jobs each worker of this queue runs at once, changed in the running processes. A number for each, a factor of what each was deployed with, or as many as drain the backlog within a time. Kept for workers that start later.',
  scope: 'queue',
  role: 'operator',
  isDestructive: false,
  schema: workersSchema,
  unavailable: whyNoOrders,
  async read(context, args) {
    const queue = queueOf(context);
    const workers = listeners(queue.id, context.snapshot, context.nowMs);
    const standing = await standingOf(context);
    const former = orderForAll(standing, 'concurrency');
    const ordered = hasEnded(args, context.nowMs)
      ? { value: null }
      : slotsOrdered(args, queue, workers, standing, planBasisOf(context.snapshot, queue.id));
    return { workers, standing, former, ordered, results: [] };
  },
  preview(state, args, context) {
    const queue = queueOf(context);
    if ('why' in state.ordered) {
      const text = `No number of slots does that: ${state.ordered.why}.`;
      return { ...nothing(queue, state), summary: text, warnings: [{ text, instead: [] }] };
    }
    const { value } = state.ordered;
    const wanted = (worker: WorkerState): number => slotsOf(worker, value, state.standing);
    const asked = (worker: WorkerState): number => slotsAsked(worker, value, state.standing);
    const before = state.workers.map((worker) => worker.agent?.concurrency.now ?? 0);
    const after = state.workers.map(wanted);
    const total = sum(after);
    const isRaise = total > sum(before);
    const running = sum(state.workers.map((worker) => worker.agent?.running ?? 0));
    const able = planBasisOf(context.snapshot, queue.id)?.workers;
    const told = forecast(context, able ? slotsAfter(able, value, state.standing) : null);
    return {
      ...nothing(queue, state),
      summary: `${summaryOf(args, after, value)}${untilWords(args, context.nowMs)}.`,
      fields: [{ label: 'slots of its workers', before: slotsInWords(before), after: slotsInWords(after) }],
      effects: [
        `${formatCount(running)} jobs run now in ${formatCount(sum(before))} slots of ${formatCount(state.workers.length)} workers; ${formatCount(total)} may then.`,
        ...told.effects,
        ...drainWords(args, queue, total, told.forecast),
        ...capWords(queue, total),
      ],
      warnings: [
        ...whileFull(context.snapshot, isRaise),
        ...raiseWarnings(state.workers, asked),
        ...told.warnings,
        ...ownWarnings(state),
      ],
      isNoop: isSameOrder(state.former, value, endOf(args, context.nowMs)),
      forecast: told.forecast,
    };
  },
  async apply(context, args, state) {
    if ('why' in state.ordered)
      throw new ActionError(
        'invalid',
        `${args.factor === undefined ? 'drainWithinSeconds' : 'factor'}: ${state.ordered.why}`,
      );
    state.results = await giveOrder(
      context,
      { setting: 'concurrency', value: state.ordered.value },
      [EVERY_WORKER],
      endOf(args, context.nowMs),
    );
    const now = state.results.flatMap(({ concurrency }) => concurrency ?? []);
    const isTakenBack = state.ordered.value === null;
    const what =
      now.length > 0
        ? `slots are ${slotsInWords(now)}`
        : isTakenBack
          ? 'as deployed'
          : wordsOf(state.ordered.value);
    return appliedOf(state.results, what, isTakenBack);
  },
  async verify(_context, _args, state) {
    const before = state.workers.map((worker) => worker.agent?.concurrency.now ?? 0);
    const after = state.results.flatMap(({ concurrency }) => concurrency ?? []);
    return verifiedOf(state.results, [
      { label: 'slots of its workers', before: slotsInWords(before), after: slotsInWords(after) },
    ]);
  },
  undo({ former }) {
    const value = former?.setting === 'concurrency' ? former.value : null;
    if (former === null || value === null) return { action: 'workers.concurrency', args: { value: null } };
    const isFactor = typeof value === 'object' && 'factor' in value;
    const args = isFactor ? { factor: value.factor } : { value };
    return { action: 'workers.concurrency', args: { ...args, ...endArgs(former) } };
  },
};

function nothing(queue: QueueState, state: State) {
  return {
    summary: '',
    fields: [],
    effects: [],
    warnings: [],
    affected: { queues: 1, workers: state.workers.length, jobs: queue.backlog },
    predictedFreedBytes: null,
    isReversible: true,
    mechanism:
      'An order to the agents in the workers’ processes, published and kept in the queue’s meta hash; they set BullMQ’s Worker.concurrency.',
    isNoop: false,
  };
}

function ownWarnings({ workers, standing }: State): readonly ActionWarning[] {
  const own = workers.filter((worker) => ownOrder(worker, standing, 'concurrency') !== null);
  const [first] = own;
  if (!first) return [];
  const who =
    own.length === 1
      ? `${first.label} keeps its own order`
      : `${first.label} and ${own.length - 1} more keep their own orders`;
  return [{ text: `${who}, which ${own.length === 1 ? 'goes' : 'go'} before this one.`, instead: [] }];
}

function wordsOf(value: OrderedConcurrency): string {
  return typeof value === 'object' && value !== null
    ? `${value.factor} times what each is deployed with`
    : `${formatCount(value ?? 0)} slots each`;
}

function summaryOf(args: Args, after: readonly number[], value: OrderedConcurrency): string {
  const each = after.length === 0 ? 'Workers that come' : 'Each worker';
  if (value === null) return 'Each worker runs as many jobs at once as it was deployed with';
  if (args.factor !== undefined)
    return `${each} runs ${args.factor} times as many jobs at once as it was deployed with: ${slotsInWords(after)}`;
  return `${each} runs up to ${formatCount(typeof value === 'number' ? value : 0)} jobs at once`;
}

function drainWords(
  args: Args,
  queue: QueueState,
  total: number,
  forecast: Forecast | null,
): readonly string[] {
  const seconds = args.drainWithinSeconds;
  if (seconds === undefined) return [];
  const isLate = forecast !== null && (forecast.plan.drainSeconds ?? Number.POSITIVE_INFINITY) > seconds;
  return isLate
    ? [`That is more than ${formatDuration(seconds)}: more slots alone are not known to do it.`]
    : [`${formatCount(total)} slots drain ${formatCount(queue.backlog)} within ${formatDuration(seconds)}.`];
}

function capWords(queue: QueueState, total: number): readonly string[] {
  if (queue.flow !== 'running') return ['The queue is stopped: slots stay empty until it is resumed.'];
  const words: string[] = [];
  if (queue.concurrency !== null && queue.concurrency < total)
    words.push(`The queue’s global concurrency of ${formatCount(queue.concurrency)} still counts.`);
  if (queue.rateLimit !== null) words.push('The queue’s global rate limit still counts.');
  return words;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
