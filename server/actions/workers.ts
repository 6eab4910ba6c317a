import { z } from 'zod';
import { EVERY_WORKER, type OrderedConcurrency } from '../../agent/protocol.js';
import { planBasisOf } from '../forecast/plan-basis.js';
import type { ActionWarning } from '../model/action.js';
import { ActionError, type Forecast } from '../model/action.js';
import { formatCount, formatDuration } from '../model/format.js';
import type { QueueState } from '../model/snapshot.js';
import type { Override, WorkerState } from '../model/worker.js';
import { type Action, changed, warning } from './action.js';
import { forecast } from './forecast.js';
import { giveOrder, listeners, overridesOf, takeBackAll, whyDeaf, whyNoOrders } from './give-order.js';
import { appliedOf, type Ordered, verifiedOf } from './order-answers.js';
import {
  endArgs,
  endOf,
  forMs,
  isPastEnd,
  isSameOverride,
  NO_TIME,
  overrideForAll,
  ownOverride,
  untilMs,
  untilWords,
} from './overrides.js';
import { targetQueue } from './queue-target.js';
import {
  concurrencyAfter,
  raiseWarnings,
  type SlotsOrdered,
  slots,
  slotsAfter,
  slotsAsked,
  slotsOfWorkers,
  slotsOrdered,
  whileFull,
} from './slots.js';

interface RevertState {
  readonly workers: readonly WorkerState[];
  /** As they stand in Redis. */
  readonly overrides: readonly Override[];
}

/** Takes back every order of a queue and of its workers: all are again as they were deployed. */
export const workersRevert: Action<object, RevertState, Ordered> = {
  name: 'workers.revert',
  title: 'Revert all workers',
  about: 'Takes back every order to the workers of this queue: all are again as they were deployed.',
  scope: 'queue',
  role: 'operator',
  schema: z.strictObject({}),
  // An order that ends workers at their start must be taken back while none of them is there.
  unavailable: (context) =>
    (context.target.queue?.overrides.length ?? 0) > 0 ? whyDeaf(context.snapshot) : whyNoOrders(context),
  async read(context) {
    const workers = listeners(targetQueue(context).id, context.snapshot, context.nowMs);
    return { workers, overrides: await overridesOf(context) };
  },
  preview({ workers, overrides }, _args, context) {
    const queue = targetQueue(context);
    const before = workers.map((worker) => worker.agent?.concurrency.now ?? 0);
    const after = workers.map((worker) => worker.agent?.concurrency.deployed ?? 0);
    const paused = workers.filter((worker) => worker.agent?.paused === 'order').length;
    const count = overrides.length;
    return {
      summary: `${count === 1 ? '1 order is' : `${formatCount(count)} orders are`} taken back; every worker is as it was deployed.`,
      fields: [
        changed('slots of its workers', slotsOfWorkers(before), slotsOfWorkers(after)),
        changed('overrides', formatCount(count), '0'),
      ],
      effects:
        paused > 0
          ? [`${paused === 1 ? '1 paused worker takes' : `${paused} paused workers take`} jobs again.`]
          : [],
      warnings: whileFull(context.snapshot, false),
      affected: { queues: 1, workers: workers.length, jobs: queue.backlog },
      mechanism: 'The overrides are removed from the queue’s meta hash, and the agents hear of it.',
      isNoop: count === 0,
    };
  },
  apply: async (context) => appliedOf(await takeBackAll(context), 'as deployed', true),
  async verify(_context, _args, { workers }, { workers: results }) {
    const before = workers.map((worker) => worker.agent?.concurrency.now ?? 0);
    const after = results.flatMap(({ concurrency }) => concurrency ?? []);
    return verifiedOf(results, [
      changed('slots of its workers', slotsOfWorkers(before), slotsOfWorkers(after)),
    ]);
  },
};

const ONE_OF = 'give exactly one of value, factor and drainWithinSeconds';
/** Arguments of workers.concurrency. */
const workersSchema = z
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
  readonly overrides: readonly Override[];
  readonly former: Override | null;
  /** What is ordered; or why nothing can be. */
  readonly ordered: SlotsOrdered;
}

/** Local concurrency of all workers of a queue, live: what ended the Cypress incident (incidents.md, 1). */
export const workersConcurrency: Action<Args, State, Ordered> = {
  name: 'workers.concurrency',
  title: 'Concurrency of all workers',
  about:
    'How many jobs each worker of this queue runs at once, changed in the running processes. A number for each, a factor of what each was deployed with, or as many as drain the backlog within a time. Kept for workers that start later.',
  scope: 'queue',
  role: 'operator',
  schema: workersSchema,
  unavailable: whyNoOrders,
  async read(context, args) {
    const queue = targetQueue(context);
    const workers = listeners(queue.id, context.snapshot, context.nowMs);
    const overrides = await overridesOf(context);
    const former = overrideForAll(overrides, 'concurrency');
    const ordered = isPastEnd(args, context.nowMs)
      ? { value: null }
      : slotsOrdered(args, queue, workers, overrides, planBasisOf(context.snapshot, queue.id));
    return { workers, overrides, former, ordered };
  },
  preview(state, args, context) {
    const queue = targetQueue(context);
    if ('why' in state.ordered) {
      const text = `No number of slots does that: ${state.ordered.why}.`;
      return { ...nothing(queue, state), summary: text, warnings: [warning(text)] };
    }
    const { value } = state.ordered;
    const wanted = (worker: WorkerState): number => concurrencyAfter(worker, value, state.overrides);
    const asked = (worker: WorkerState): number => slotsAsked(worker, value, state.overrides);
    const before = state.workers.map((worker) => worker.agent?.concurrency.now ?? 0);
    const after = state.workers.map(wanted);
    const total = sum(after);
    const isRaise = total > sum(before);
    const running = sum(state.workers.map((worker) => worker.agent?.running ?? 0));
    const able = planBasisOf(context.snapshot, queue.id)?.workers;
    const outlook = forecast(context, able ? slotsAfter(able, value, state.overrides) : null);
    return {
      ...nothing(queue, state),
      summary: `${summaryOf(args, after, value)}${untilWords(args, context.nowMs)}.`,
      fields: [changed('slots of its workers', slotsOfWorkers(before), slotsOfWorkers(after))],
      effects: [
        `${formatCount(running)} jobs run now in ${formatCount(sum(before))} slots of ${formatCount(state.workers.length)} workers; ${formatCount(total)} may then.`,
        ...outlook.effects,
        ...drainWords(args, queue, total, outlook.forecast),
        ...capWords(queue, total),
      ],
      warnings: [
        ...whileFull(context.snapshot, isRaise),
        ...raiseWarnings(state.workers, asked),
        ...outlook.warnings,
        ...ownWarnings(state),
      ],
      isNoop: isSameOverride(state.former, value, endOf(args, context.nowMs)),
      forecast: outlook.forecast,
    };
  },
  async apply(context, args, state) {
    if ('why' in state.ordered)
      throw new ActionError(
        'invalid',
        `${args.factor === undefined ? 'drainWithinSeconds' : 'factor'}: ${state.ordered.why}`,
      );
    const results = await giveOrder(
      context,
      { setting: 'concurrency', value: state.ordered.value },
      [EVERY_WORKER],
      endOf(args, context.nowMs),
    );
    const now = results.flatMap(({ concurrency }) => concurrency ?? []);
    const isTakenBack = state.ordered.value === null;
    const what =
      now.length > 0
        ? `slots are ${slotsOfWorkers(now)}`
        : isTakenBack
          ? 'as deployed'
          : wordsOf(state.ordered.value);
    return appliedOf(results, what, isTakenBack);
  },
  async verify(_context, _args, state, { workers }) {
    const before = state.workers.map((worker) => worker.agent?.concurrency.now ?? 0);
    const after = workers.flatMap(({ concurrency }) => concurrency ?? []);
    return verifiedOf(workers, [
      changed('slots of its workers', slotsOfWorkers(before), slotsOfWorkers(after)),
    ]);
  },
  change(args, basis, snapshot) {
    const { overrides } = basis.queue;
    const workers = listeners(basis.queue.id, snapshot, snapshot.atMs);
    const ordered = slotsOrdered(args, basis.queue, workers, overrides, basis);
    return 'why' in ordered ? null : slotsAfter(basis.workers, ordered.value, overrides);
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
    affected: { queues: 1, workers: state.workers.length, jobs: queue.backlog },
    mechanism:
      'An order to the agents in the workers’ processes, published and kept in the queue’s meta hash; they set BullMQ’s Worker.concurrency.',
  };
}

function ownWarnings({ workers, overrides }: State): readonly ActionWarning[] {
  const own = workers.filter((worker) => ownOverride(worker, overrides, 'concurrency') !== null);
  const [first] = own;
  if (!first) return [];
  const who =
    own.length === 1
      ? `${first.label} keeps its own order`
      : `${first.label} and ${own.length - 1} more keep their own orders`;
  return [warning(`${who}, which ${own.length === 1 ? 'goes' : 'go'} before this one.`)];
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
    return `${each} runs ${args.factor} times as many jobs at once as it was deployed with: ${slotsOfWorkers(after)}`;
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
