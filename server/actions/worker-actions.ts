import { z } from 'zod';
import type { WorkerLimiter } from '../../agent/protocol.js';
import type { ActionWarning } from '../model/action.js';
import { formatCount } from '../model/format.js';
import type { Snapshot } from '../model/snapshot.js';
import type { Override, WorkerState } from '../model/worker.js';
import { changed, warning } from './action.js';
import { listeners } from './give-order.js';
import { endArgs, forMs, NO_TIME, overrideForAll, ownOverride, ownOverrides, untilMs } from './overrides.js';
import { targetQueue } from './queue-target.js';
import { raiseWarnings, slots, whileFull } from './slots.js';
import { type WorkerActionState, workerAction } from './worker-action.js';

const concurrencySchema = z
  .strictObject({ value: slots.nullable(), forMs, untilMs })
  .refine(({ value, forMs }) => value !== null || forMs === undefined, { path: ['forMs'], message: NO_TIME });

export const workerConcurrency = workerAction<z.infer<typeof concurrencySchema>>({
  name: 'worker.concurrency',
  title: 'Concurrency of one worker',
  about: 'How many jobs this worker runs at once, changed in the running process. null: as deployed.',
  schema: concurrencySchema,
  ordered: ({ value }) => ({ setting: 'concurrency', value }),
  summary: ({ value }, state) => {
    const { worker } = state;
    if (value !== null) return `${worker.label} runs up to ${formatCount(value)} jobs at once`;
    return forAll(state) === null
      ? `${worker.label} runs as many jobs at once as it was deployed with: ${formatCount(slotsWithout(state))}`
      : `${worker.label} runs as many jobs at once as is ordered for all workers of its queue: ${formatCount(slotsWithout(state))}`;
  },
  field: ({ value }, state) =>
    changed('slots', formatCount(state.agent.concurrency.now), formatCount(value ?? slotsWithout(state))),
  effects: (_args, { agent }) => [`${formatCount(agent.running)} jobs run now; none is stopped.`],
  warnings: ({ value }, state, { snapshot }) => {
    const { worker, agent } = state;
    const wanted = value ?? slotsWithout(state);
    return [...whileFull(snapshot, wanted > agent.concurrency.now), ...raiseWarnings([worker], () => wanted)];
  },
  done: 'its slots are as ordered',
  undo: ({ worker, agent, overrides }) => {
    const own = ownOverride(worker, overrides, 'concurrency');
    if (own === null) return { action: 'worker.concurrency', args: { value: null } };
    // A factor for one worker is no console's order: what it comes to is brought back.
    const value = typeof own.value === 'number' ? own.value : agent.concurrency.now;
    return { action: 'worker.concurrency', args: { value, ...endArgs(own) } };
  },
});

/** The order for every worker that holds where it has none of its own. */
function forAll({ agent, overrides }: WorkerActionState): Override | null {
  const order = overrideForAll(overrides, 'concurrency');
  return order && slotsBy(order, agent.concurrency.deployed) <= (agent.maxConcurrency ?? Number.MAX_VALUE)
    ? order
    : null;
}

function slotsWithout(state: WorkerActionState): number {
  const { deployed } = state.agent.concurrency;
  const order = forAll(state);
  return order === null ? deployed : slotsBy(order, deployed);
}

function slotsBy({ value }: Override, deployed: number): number {
  if (typeof value === 'number') return value;
  return typeof value === 'object' && value !== null && 'factor' in value
    ? Math.max(1, Math.round(deployed * value.factor))
    : deployed;
}

const pauseSchema = z.strictObject({ forMs, untilMs });

export const workerPause = workerAction<z.infer<typeof pauseSchema>>({
  name: 'worker.pause',
  title: 'Take one worker out of the pool',
  about: 'This worker takes no more jobs; what it has in hand it finishes. The queue’s other workers go on.',
  schema: pauseSchema,
  ordered: () => ({ setting: 'paused', value: true }),
  summary: (_args, { worker }) => `${worker.label} takes no more jobs, and finishes what it has in hand`,
  field: (_args, { agent }) => changed('state', agent.paused === null ? 'taking jobs' : 'paused', 'paused'),
  effects: (_args, { worker, agent }, { snapshot, target, nowMs }) => {
    const others = takingJobs(worker, snapshot, nowMs).filter((one) => one.agent !== null);
    const left = others.reduce((sum, one) => sum + (one.agent?.concurrency.now ?? 0), 0);
    return [
      `${formatCount(agent.running)} jobs that it runs go on; ${formatCount(left)} slots of ${formatCount(others.length)} other workers with the agent are left for ${target.queue?.name ?? 'the queue'}.`,
    ];
  },
  warnings: (_args, { worker }, { snapshot, nowMs }) => [
    ...lastOfItsQueue(worker, snapshot, nowMs),
    ...whileFull(snapshot, false),
  ],
  isAsAsked: (_args, { agent }) => agent.paused === 'order',
  done: 'it takes no more jobs',
  undo: ({ worker, overrides }) => {
    const own = ownOverride(worker, overrides, 'paused');
    return own?.value === true
      ? { action: 'worker.pause', args: endArgs(own) }
      : { action: 'worker.resume', args: {} };
  },
});

/** Workers of its queue that take jobs, as far as the console knows, without this one. */
function takingJobs(worker: WorkerState, snapshot: Snapshot, nowMs: number): readonly WorkerState[] {
  const heard = new Set(listeners(worker.queueId, snapshot, nowMs).map(({ id }) => id));
  return snapshot.workers.filter(
    (one) =>
      one.queueId === worker.queueId &&
      one.id !== worker.id &&
      (one.agent === null
        ? one.isConnected !== false
        : heard.has(one.id) && one.agent.paused === null && !one.agent.isClosing),
  );
}

function lastOfItsQueue(worker: WorkerState, snapshot: Snapshot, nowMs: number): readonly ActionWarning[] {
  if (worker.agent?.paused !== null || takingJobs(worker, snapshot, nowMs).length > 0) return [];
  const isAlone = snapshot.workers.every((one) => one.queueId !== worker.queueId || one.id === worker.id);
  const text = isAlone
    ? 'It is the only worker of its queue: nothing is taken until it is resumed.'
    : 'It is the last worker of its queue that takes jobs (the others are paused or not heard): nothing is taken until one is resumed.';
  return [warning(text)];
}

export const workerResume = workerAction<{ forMs?: undefined }>({
  name: 'worker.resume',
  title: 'Put one worker back into the pool',
  about: 'This worker takes jobs again, whoever has paused it.',
  schema: z.strictObject({}),
  // An order is taken back; a pause of the application's own, or one that all of the queue's workers have, is overruled.
  ordered: (_args, { worker, agent, overrides }) => {
    const own = ownOverride(worker, overrides, 'paused');
    const isOverruled = agent.paused === 'application' || overrideForAll(overrides, 'paused')?.value === true;
    if (isOverruled) return { setting: 'paused', value: false };
    return { setting: 'paused', value: own !== null || agent.paused === null ? null : false };
  },
  summary: (_args, { worker }) => `${worker.label} takes jobs again`,
  field: (_args, { agent }) =>
    changed(
      'state',
      agent.paused === null ? 'taking jobs' : 'paused',
      agent.paused === 'guard' ? 'stopped while Redis is full' : 'taking jobs',
    ),
  warnings: (_args, { agent }) =>
    agent.paused === 'guard'
      ? [
          warning(
            'Its guard has stopped it because Redis refuses its writes: it takes jobs when there is room again.',
          ),
        ]
      : [],
  isAsAsked: (_args, { agent }) => agent.paused === null,
  done: 'it is not kept from taking jobs any more',
  undo: ({ worker, overrides }) => {
    const own = ownOverride(worker, overrides, 'paused');
    return { action: 'worker.pause', args: own?.value === true ? endArgs(own) : {} };
  },
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
  untilMs,
});
type LimiterArgs = z.infer<typeof limiterSchema>;

export const workerLimiter = workerAction<LimiterArgs>({
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
    if (args.asDeployed && args.forMs !== undefined)
      context.addIssue({ code: 'custom', path: ['forMs'], message: NO_TIME });
  }),
  ordered: (args) => ({ setting: 'limiter', value: limiterOf(args) }),
  summary: (args, { worker, agent }) =>
    `${worker.label} has ${words(args.asDeployed ? agent.limiter.deployed : asLimiter(args))} as its own limiter`,
  field: (args, { agent }) =>
    changed(
      'limiter',
      words(agent.limiter.now),
      words(args.asDeployed ? agent.limiter.deployed : asLimiter(args)),
    ),
  effects: (_args, _state, context) => {
    const queue = targetQueue(context);
    return queue.rateLimit
      ? ['The queue’s global max counts instead of this one; only its window is this worker’s.']
      : ['All workers of the queue are counted in one window, so this one may get fewer than max itself.'];
  },
  done: 'its limiter is as ordered',
  undo: ({ worker, overrides }) => {
    const own = ownOverride(worker, overrides, 'limiter');
    if (own?.setting !== 'limiter' || own.value === null)
      return { action: 'worker.limiter', args: { asDeployed: true } };
    const limiter = own.value === 'none' ? { max: null } : (own.value as WorkerLimiter);
    return { action: 'worker.limiter', args: { ...limiter, ...endArgs(own) } };
  },
});

export const workerRevert = workerAction<{ forMs?: undefined }>({
  name: 'worker.revert',
  title: 'Revert one worker',
  about: 'Takes back the orders for this worker alone; those for every worker of its queue still hold.',
  schema: z.strictObject({}),
  ordered: () => ({ setting: 'all', value: null }),
  summary: (_args, { worker }) => `The orders for ${worker.label} alone are taken back`,
  field: (_args, { worker, overrides }) =>
    changed('own orders', formatCount(ownOverrides(worker, overrides).length), '0'),
  done: 'its own orders are taken back',
});

function limiterOf(args: LimiterArgs): WorkerLimiter | 'none' | null {
  return args.asDeployed ? null : (asLimiter(args) ?? 'none');
}

function asLimiter({ max, durationMs }: LimiterArgs): WorkerLimiter | null {
  return max == null ? null : { max, durationMs };
}

function words(limiter: WorkerLimiter | null): string {
  return limiter === null ? 'none' : `${formatCount(limiter.max)} per ${limiter.durationMs} ms`;
}
