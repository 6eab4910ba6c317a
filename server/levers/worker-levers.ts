import { z } from 'zod';
import type { OrderedValue, WorkerLimiter } from '../../agent/protocol.js';
import { formatCount } from '../model/format.js';
import type { AgentFacts, WorkerState } from '../watch/worker-state.js';
import { appliedOf, giveOrder, scopeOf, verifiedOf, whyNoOrders } from './give-order.js';
import {
  type Field,
  type Lever,
  type LeverContext,
  LeverError,
  type LeverWarning,
  type Preview,
  type Undo,
  type WorkerResult,
} from './lever.js';
import { queueOf } from './queue-target.js';
import { forMs, raiseWarnings, slots, untilWords, whileFull } from './worker-settings.js';

interface State {
  readonly worker: WorkerState;
  readonly agent: AgentFacts;
  results: readonly WorkerResult[];
}

interface Kind<Args> {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly schema: z.ZodType<Args>;
  readonly ordered: (args: Args, state: State) => OrderedValue;
  readonly summary: (args: Args, state: State) => string;
  readonly field: (args: Args, state: State) => Field;
  readonly effects?: (
    args: Args,
    state: State,
    context: Omit<LeverContext, 'link' | 'agents' | 'newId'>,
  ) => readonly string[];
  readonly warnings?: (
    args: Args,
    state: State,
    context: Omit<LeverContext, 'link' | 'agents' | 'newId'>,
  ) => readonly LeverWarning[];
  readonly isNoop: (args: Args, state: State) => boolean;
  readonly done: string;
  readonly undo: (state: State) => Undo | null;
}

/** What levers on one worker have in common: an order to it, kept under its name where it has one. */
function workerLever<Args extends { forMs?: number | undefined }>(kind: Kind<Args>): Lever<Args, State> {
  return {
    name: kind.name,
    title: kind.title,
    about: kind.about,
    scope: 'worker',
    role: 'operator',
    isDestructive: false,
    schema: kind.schema,
    unavailable: whyNoOrders,
    async read({ target }) {
      const { worker } = target;
      if (!worker?.agent)
        throw new LeverError('invalid', 'workers: this lever acts on a worker with the agent');
      return { worker, agent: worker.agent, results: [] };
    },
    preview(state, args, context): Preview {
      return {
        summary: `${kind.summary(args, state)}${untilWords(args.forMs)}.`,
        fields: [kind.field(args, state)],
        effects: [...(kind.effects?.(args, state, context) ?? []), keptWords(state)],
        warnings: kind.warnings?.(args, state, context) ?? [],
        affected: { queues: 1, workers: 1, jobs: state.agent.running },
        predictedFreedBytes: null,
        isReversible: true,
        mechanism:
          'An order to the agent in the worker’s process, published and kept in the queue’s meta hash.',
        isNoop: kind.isNoop(args, state) && args.forMs === undefined,
      };
    },
    async apply(context, args, state) {
      state.results = await giveOrder(context, kind.ordered(args, state), args.forMs);
      return appliedOf(state.results, kind.done);
    },
    async verify(_context, args, state) {
      const field = kind.field(args, state);
      const [result] = state.results;
      const after =
        kind.name === 'worker.concurrency' && result?.concurrency != null
          ? formatCount(result.concurrency)
          : field.after;
      return verifiedOf(state.results, [
        { ...field, after: result?.result === 'applied' ? after : field.before },
      ]);
    },
    undo: (state) => kind.undo(state),
  };
}

function keptWords({ worker }: State): string {
  return worker.agent?.key
    ? `Kept for ${worker.agent.key}: it holds after a restart too.`
    : 'This worker has no name, so the order ends with it; attach(worker, { name }) makes it outlast a restart.';
}

const concurrencySchema = z.strictObject({ value: slots.nullable(), forMs });

export const workerConcurrency = workerLever<z.infer<typeof concurrencySchema>>({
  name: 'worker.concurrency',
  title: 'Concurrency of one worker',
  about: 'How many jobs this worker runs at once, changed in the running process. null: as deployed.',
  schema: concurrencySchema,
  ordered: ({ value }) => ({ setting: 'concurrency', value }),
  summary: ({ value }, { worker, agent }) =>
    value === null
      ? `${worker.label} runs as many jobs at once as it was deployed with: ${formatCount(agent.concurrency.deployed)}`
      : `${worker.label} runs up to ${formatCount(value)} jobs at once`,
  field: ({ value }, { agent }) => ({
    label: 'slots',
    before: formatCount(agent.concurrency.now),
    after: formatCount(value ?? agent.concurrency.deployed),
  }),
  effects: (_args, { agent }) => [`${formatCount(agent.running)} jobs run now; none is stopped.`],
  warnings: ({ value }, { worker, agent }, { snapshot }) => {
    const wanted = value ?? agent.concurrency.deployed;
    return [...whileFull(snapshot, wanted > agent.concurrency.now), ...raiseWarnings([worker], () => wanted)];
  },
  isNoop: ({ value }, { agent }) => value !== null && value === agent.concurrency.now,
  done: 'its slots are as ordered',
  undo: ({ worker, agent }) => ({
    lever: 'worker.concurrency',
    args: { value: hasOwn(worker, 'concurrency') ? agent.concurrency.now : null },
  }),
});

const pauseSchema = z.strictObject({ forMs });

export const workerPause = workerLever<z.infer<typeof pauseSchema>>({
  name: 'worker.pause',
  title: 'Take one worker out of the pool',
  about: 'This worker takes no more jobs; what it has in hand it finishes. The queue’s other workers go on.',
  schema: pauseSchema,
  ordered: () => ({ setting: 'paused', value: true }),
  summary: (_args, { worker }) => `${worker.label} takes no more jobs, and finishes what it has in hand`,
  field: (_args, { agent }) => ({
    label: 'state',
    before: agent.paused === null ? 'taking jobs' : 'paused',
    after: 'paused',
  }),
  effects: (_args, { worker, agent }, { snapshot, target }) => {
    const others = snapshot.workers.filter(
      (one) => one.queueId === worker.queueId && one.id !== worker.id && one.agent?.paused === null,
    );
    const left = others.reduce((sum, one) => sum + (one.agent?.concurrency.now ?? 0), 0);
    return [
      `${formatCount(agent.running)} jobs that it runs go on; ${formatCount(left)} slots of ${formatCount(others.length)} other workers with the agent are left for ${target.queue?.name ?? 'the queue'}.`,
    ];
  },
  warnings: (_args, { worker }, { snapshot }) => {
    const others = snapshot.workers.filter((one) => one.queueId === worker.queueId && one.id !== worker.id);
    const alone: readonly LeverWarning[] =
      others.length === 0
        ? [{ text: 'It is the only worker of its queue: nothing is taken until it is resumed.', instead: [] }]
        : [];
    return [...alone, ...whileFull(snapshot, false)];
  },
  isNoop: (_args, { agent }) => agent.paused === 'order',
  done: 'it takes no more jobs',
  undo: () => ({ lever: 'worker.resume', args: {} }),
});

export const workerResume = workerLever<{ forMs?: undefined }>({
  name: 'worker.resume',
  title: 'Put one worker back into the pool',
  about: 'This worker takes jobs again, whoever has paused it.',
  schema: z.strictObject({}),
  // An order is taken back; a pause of the application's own, or one that all of the queue's workers have, is overruled.
  ordered: (_args, { worker }) => ({ setting: 'paused', value: hasOwn(worker, 'paused') ? null : false }),
  summary: (_args, { worker }) => `${worker.label} takes jobs again`,
  field: (_args, { agent }) => ({
    label: 'state',
    before: agent.paused === null ? 'taking jobs' : 'paused',
    after: 'taking jobs',
  }),
  isNoop: (_args, { agent }) => agent.paused === null,
  done: 'it takes jobs',
  undo: () => ({ lever: 'worker.pause', args: {} }),
});

const limiterSchema = z.strictObject({
  max: z
    .int('must be a whole number of jobs, or null for no limit')
    .min(1, 'must be at least 1: to stop a worker use worker.pause')
    .max(10_000_000, 'must be at most 10000000')
    .nullable()
    .optional(),
  durationMs: z.int('must be a whole number of milliseconds').min(1).max(86_400_000).default(1_000),
  asDeployed: z.boolean('must be true or false').default(false),
  forMs,
});
type LimiterArgs = z.infer<typeof limiterSchema>;

export const workerLimiter = workerLever<LimiterArgs>({
  name: 'worker.limiter',
  title: 'Limiter of one worker',
  about:
    'This worker stops taking jobs when its queue has started `max` in a window: BullMQ counts all workers in one window in Redis. null: no limiter of its own.',
  schema: limiterSchema.superRefine((args, context) => {
    if (args.max === undefined && !args.asDeployed)
      context.addIssue({
        code: 'custom',
        path: ['max'],
        message: 'must be a whole number of jobs, or null for no limit',
      });
  }),
  ordered: (args) => ({ setting: 'limiter', value: limiterOf(args) }),
  summary: (args, { worker, agent }) =>
    `${worker.label} has ${words(args.asDeployed ? agent.limiter.deployed : asLimiter(args))} as its own limiter`,
  field: (args, { agent }) => ({
    label: 'limiter',
    before: words(agent.limiter.now),
    after: words(args.asDeployed ? agent.limiter.deployed : asLimiter(args)),
  }),
  effects: (_args, _state, context) => {
    const queue = queueOf(context);
    return queue.rateLimit
      ? ['The queue’s global max counts instead of this one; only its window is this worker’s.']
      : ['All workers of the queue are counted in one window, so this one may get fewer than max itself.'];
  },
  isNoop: (args, { agent }) => !args.asDeployed && words(agent.limiter.now) === words(asLimiter(args)),
  done: 'its limiter is as ordered',
  undo: ({ worker, agent }) =>
    hasOwn(worker, 'limiter')
      ? {
          lever: 'worker.limiter',
          args: agent.limiter.now
            ? { max: agent.limiter.now.max, durationMs: agent.limiter.now.durationMs }
            : { max: null },
        }
      : { lever: 'worker.limiter', args: { asDeployed: true } },
});

export const workerRevert = workerLever<{ forMs?: undefined }>({
  name: 'worker.revert',
  title: 'Revert one worker',
  about: 'Takes back the orders for this worker alone; those for every worker of its queue still hold.',
  schema: z.strictObject({}),
  ordered: () => ({ setting: 'all', value: null }),
  summary: (_args, { worker }) => `The orders for ${worker.label} alone are taken back`,
  field: (_args, { worker, agent }) => ({
    label: 'own orders',
    before: formatCount(agent.overrides.filter(({ scope }) => scope === scopeOf(worker)).length),
    after: '0',
  }),
  isNoop: (_args, { worker, agent }) => agent.overrides.every(({ scope }) => scope !== scopeOf(worker)),
  done: 'its own orders are taken back',
  undo: () => null,
});

function hasOwn(worker: WorkerState, setting: string): boolean {
  return (
    worker.agent?.overrides.some((order) => order.setting === setting && order.scope === scopeOf(worker)) ??
    false
  );
}

function limiterOf(args: LimiterArgs): WorkerLimiter | 'none' | null {
  return args.asDeployed ? null : (asLimiter(args) ?? 'none');
}

function asLimiter({ max, durationMs }: LimiterArgs): WorkerLimiter | null {
  return max == null ? null : { max, durationMs };
}

function words(limiter: WorkerLimiter | null): string {
  return limiter === null ? 'none' : `${formatCount(limiter.max)} per ${limiter.durationMs} ms`;
}
