import { z } from 'zod';
import { EVERY_WORKER, type OrderedConcurrency } from '../../agent/protocol.js';
import { slotsToDrain } from '../model/capacity.js';
import { formatCount, formatDuration } from '../model/format.js';
import type { QueueState } from '../watch/snapshot.js';
import type { KeptOrder, WorkerState } from '../watch/worker-state.js';
import { departuresWith, flowAfter } from './flow-after.js';
import { appliedOf, giveOrder, listeners, verifiedOf, whyNoOrders } from './give-order.js';
import { type Lever, LeverError, type WorkerResult } from './lever.js';
import { isFull, queueOf } from './queue-target.js';
import {
  forMs,
  MOST_SLOTS,
  raiseWarnings,
  slots,
  slotsInWords,
  untilWords,
  whileFull,
} from './worker-settings.js';

const ONE_OF = 'give exactly one of value, factor and drainWithinSeconds';
const schema = z
  .strictObject({
    value: slots.nullable().optional(),
    factor: z.number().gt(0, 'must be above 0').max(1_000, 'must be at most 1000').optional(),
    drainWithinSeconds: z
      .number('must be a number of seconds')
      .min(1, 'must be at least 1 s')
      .max(86_400, 'must be at most 86400 s (a day)')
      .optional(),
    forMs,
  })
  .superRefine((args, context) => {
    const given = [args.value, args.factor, args.drainWithinSeconds].filter((one) => one !== undefined);
    if (given.length !== 1) context.addIssue({ code: 'custom', path: ['value'], message: ONE_OF });
  });
type Args = z.infer<typeof schema>;

interface State {
  readonly workers: readonly WorkerState[];
  readonly former: KeptOrder | null;
  /** What is ordered; or why nothing can be. */
  readonly ordered: { readonly value: OrderedConcurrency } | { readonly why: string };
  /** Filled by apply, for verify. */
  results: readonly WorkerResult[];
}

/** Local concurrency of all workers of a queue, live: what ended the Cypress incident (incidents.md, 1). */
export const workersConcurrency: Lever<Args, State> = {
  name: 'workers.concurrency',
  title: 'Concurrency of all workers',
  about:
    'How many jobs each worker of this queue runs at once, changed in the running processes. A number for each, a factor of what each was deployed with, or as many as drain the backlog within a time. Kept for workers that start later.',
  scope: 'queue',
  role: 'operator',
  isDestructive: false,
  schema,
  unavailable: whyNoOrders,
  async read(context, args) {
    const queue = queueOf(context);
    const workers = listeners(queue.id, context.snapshot, context.nowMs);
    const former =
      queue.keptOrders.find((order) => order.scope === EVERY_WORKER && order.setting === 'concurrency') ??
      null;
    return { workers, former, ordered: orderedOf(args, queue, workers), results: [] };
  },
  preview(state, args, context) {
    const queue = queueOf(context);
    if ('why' in state.ordered) {
      const text = `No number of slots does that: ${state.ordered.why}.`;
      return { ...nothing(queue, state), summary: text, warnings: [{ text, instead: [] }] };
    }
    const { value } = state.ordered;
    const wanted = (worker: WorkerState): number => slotsOf(worker, value);
    const before = state.workers.map((worker) => worker.agent?.concurrency.now ?? 0);
    const after = state.workers.map(wanted);
    const total = sum(after);
    const isRaise = total > sum(before);
    const running = sum(state.workers.map((worker) => worker.agent?.running ?? 0));
    const departures = isFull(context.snapshot) ? null : departuresWith(total, running, queue);
    return {
      ...nothing(queue, state),
      summary: `${summaryOf(args, after)}${untilWords(args.forMs)}.`,
      fields: [{ label: 'slots of its workers', before: slotsInWords(before), after: slotsInWords(after) }],
      effects: [
        `${formatCount(running)} jobs run now in ${formatCount(sum(before))} slots of ${formatCount(state.workers.length)} workers; ${formatCount(total)} may then.`,
        ...(departures === null ? [] : flowAfter(queue, departures, context.snapshot)),
        ...drainWords(args, queue, state.workers),
        ...capWords(queue, total),
      ],
      warnings: [...whileFull(context.snapshot, isRaise), ...raiseWarnings(state.workers, wanted)],
      isNoop:
        state.former === null
          ? value === null
          : sameValue(state.former.value, value) && args.forMs === undefined,
    };
  },
  async apply(context, args, state) {
    if ('why' in state.ordered) throw new LeverError('invalid', `drainWithinSeconds: ${state.ordered.why}`);
    state.results = await giveOrder(
      context,
      { setting: 'concurrency', value: state.ordered.value },
      args.forMs,
    );
    const now = state.results.flatMap(({ concurrency }) => concurrency ?? []);
    return appliedOf(state.results, `slots are ${slotsInWords(now)}`);
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
    const isFactor = typeof value === 'object' && value !== null && 'factor' in value;
    if (isFactor) return { lever: 'workers.concurrency', args: { factor: value.factor } };
    return { lever: 'workers.concurrency', args: { value: typeof value === 'number' ? value : null } };
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

function orderedOf(args: Args, queue: QueueState, workers: readonly WorkerState[]): State['ordered'] {
  if (args.factor !== undefined) return { value: { factor: args.factor } };
  if (args.drainWithinSeconds === undefined) return { value: args.value ?? null };
  const needed = slotsToDrain({
    backlog: queue.backlog,
    arrivalsPerSecond: queue.rates?.arrivalsPerSecond ?? 0,
    withinSeconds: args.drainWithinSeconds,
    workers,
  });
  if ('why' in needed) return needed;
  if (needed.perWorker > MOST_SLOTS)
    return {
      why: `it would take ${formatCount(needed.perWorker)} slots a worker: start more workers, or allow more time`,
    };
  return { value: needed.perWorker };
}

/** An order of the worker's own goes before the one for all. */
function slotsOf(worker: WorkerState, value: OrderedConcurrency): number {
  const own = worker.agent?.overrides.some(
    (order) => order.setting === 'concurrency' && order.scope !== EVERY_WORKER && order.isFollowed,
  );
  if (own) return worker.agent?.concurrency.now ?? 1;
  const deployed = worker.agent?.concurrency.deployed ?? 1;
  if (value === null) return deployed;
  return typeof value === 'number' ? value : Math.max(1, Math.round(deployed * value.factor));
}

function summaryOf(args: Args, after: readonly number[]): string {
  const each = after.length === 0 ? 'Workers that come' : 'Each worker';
  if (args.value === null) return 'Each worker runs as many jobs at once as it was deployed with';
  if (args.factor !== undefined)
    return `${each} runs ${args.factor} times as many jobs at once as it was deployed with: ${slotsInWords(after)}`;
  return `${each} runs up to ${formatCount(args.value ?? after[0] ?? 0)} jobs at once`;
}

function drainWords(args: Args, queue: QueueState, workers: readonly WorkerState[]): readonly string[] {
  if (args.drainWithinSeconds === undefined) return [];
  const needed = slotsToDrain({
    backlog: queue.backlog,
    arrivalsPerSecond: queue.rates?.arrivalsPerSecond ?? 0,
    withinSeconds: args.drainWithinSeconds,
    workers,
  });
  if ('why' in needed) return [];
  return [
    `A job holds a slot for ${formatDuration(needed.secondsPerJob)} now, so ${formatCount(needed.slots)} slots drain ${formatCount(queue.backlog)} within ${formatDuration(args.drainWithinSeconds)}.`,
  ];
}

function capWords(queue: QueueState, total: number): readonly string[] {
  if (queue.flow !== 'running') return ['The queue is stopped: slots stay empty until it is resumed.'];
  const words: string[] = [];
  if (queue.concurrency !== null && queue.concurrency < total)
    words.push(`The queue’s global concurrency of ${formatCount(queue.concurrency)} still counts.`);
  if (queue.rateLimit !== null) words.push('The queue’s global rate limit still counts.');
  return words;
}

function sameValue(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
