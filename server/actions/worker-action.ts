import type { z } from 'zod';
import type { OrderedValue } from '../../agent/protocol.js';
import type { ActionWarning, WorkerResult } from '../model/action.js';
import { ActionError, type Field, type Preview, type Undo } from '../model/action.js';
import { formatCount } from '../model/format.js';
import type { AgentFacts, KeptOrder, WorkerState } from '../model/worker.js';
import type { Action } from './action.js';
import { giveOrder, standingOf, whyNoOrders } from './give-order.js';
import { appliedOf, verifiedOf } from './order-answers.js';
import {
  type Ending,
  endOf,
  hasEnded,
  isSameOrder,
  orderForAll,
  ownOrder,
  ownOrders,
  sameNameWorkersOf,
  scopeOf,
  untilWords,
} from './worker-settings.js';

/** One worker and what is kept for it, as it stands in Redis. */
export interface WorkerActionState {
  readonly worker: WorkerState;
  readonly agent: AgentFacts;
  /** Of its queue. */
  readonly standing: readonly KeptOrder[];
  /** Workers that go by the same name. */
  readonly sameNameWorkers: readonly WorkerState[];
  /** Filled by apply, for verify. */
  results: readonly WorkerResult[];
}

type Shown = Parameters<Action['preview']>[2];

export interface WorkerActionKind<Args> {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly schema: z.ZodType<Args>;
  readonly ordered: (args: Args, state: WorkerActionState) => OrderedValue;
  readonly summary: (args: Args, state: WorkerActionState) => string;
  readonly field: (args: Args, state: WorkerActionState) => Field;
  readonly effects?: (args: Args, state: WorkerActionState, context: Shown) => readonly string[];
  readonly warnings?: (args: Args, state: WorkerActionState, context: Shown) => readonly ActionWarning[];
  /** Where the order alone does not tell: is the worker as it is asked for? */
  readonly isAsAsked?: (args: Args, state: WorkerActionState) => boolean;
  readonly done: string;
  readonly undo: (state: WorkerActionState) => Undo | null;
}

/** What actions on one worker have in common: an order to it, kept under its name where it has one for itself alone. */
export function workerAction<Args extends Ending>(
  kind: WorkerActionKind<Args>,
): Action<Args, WorkerActionState> {
  const ordered = (args: Args, state: WorkerActionState, nowMs: number): OrderedValue => {
    const value = kind.ordered(args, state);
    return hasEnded(args, nowMs) ? { ...value, value: null } : value;
  };
  return {
    name: kind.name,
    title: kind.title,
    about: kind.about,
    scope: 'worker',
    role: 'operator',
    isDestructive: false,
    schema: kind.schema,
    unavailable: whyNoOrders,
    async read(context) {
      const { worker } = context.target;
      if (!worker?.agent)
        throw new ActionError('invalid', 'workers: this action acts on a worker with the agent');
      const sameNameWorkers = sameNameWorkersOf(worker, context.snapshot, context.nowMs);
      return {
        worker,
        agent: worker.agent,
        standing: await standingOf(context),
        sameNameWorkers,
        results: [],
      };
    },
    preview(state, args, context): Preview {
      const value = ordered(args, state, context.nowMs);
      const own = ownOrder(state.worker, state.standing, value.setting);
      const behind = orderForAll(state.standing, value.setting)
        ? 'as ordered for all workers of the queue'
        : 'as deployed';
      const isSame =
        value.setting === 'all'
          ? ownOrders(state.worker, state.standing).length === 0
          : isSameOrder(own, value.value, endOf(args, context.nowMs));
      return {
        summary: `${kind.summary(args, state)}${untilWords(args, context.nowMs, behind)}.`,
        fields: [kind.field(args, state)],
        effects: [...(kind.effects?.(args, state, context) ?? []), ...keptWords(state, value)],
        warnings: [...(kind.warnings?.(args, state, context) ?? []), ...sameNameWarnings(state, value)],
        affected: { queues: 1, workers: 1, jobs: state.agent.running },
        predictedFreedBytes: null,
        isReversible: kind.undo(state) !== null,
        mechanism:
          'An order to the agent in the worker’s process, published and kept in the queue’s meta hash.',
        isNoop: isSame && (kind.isAsAsked?.(args, state) ?? true),
      };
    },
    async apply(context, args, state) {
      const value = ordered(args, state, context.nowMs);
      const scopes = scopesOf(state, value);
      state.results = await giveOrder(context, value, scopes, endOf(args, context.nowMs));
      return appliedOf(state.results, kind.done, value.value === null);
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

/** Where an order is kept. What takes orders back does so for each place that holds one, else another would hold on. */
function scopesOf(
  { worker, sameNameWorkers, standing }: WorkerActionState,
  { setting, value }: OrderedValue,
): readonly string[] {
  const scope = scopeOf(worker, sameNameWorkers, standing);
  if (value !== null) return [scope];
  const held = ownOrders(worker, standing).filter((own) => setting === 'all' || own.setting === setting);
  return held.length === 0 ? [scope] : [...new Set(held.map((own) => own.scope))];
}

function keptWords(
  { worker, sameNameWorkers, standing }: WorkerActionState,
  { value }: OrderedValue,
): string[] {
  if (value === null) return [];
  const key = worker.agent?.key ?? null;
  if (key === null)
    return [
      'This worker has no name, so the order ends with it; attach(worker, { name }) makes it outlast a restart.',
    ];
  return scopeOf(worker, sameNameWorkers, standing) === key
    ? [`Kept for ${key}: it holds after a restart too.`]
    : [`Kept for this worker alone and not for its name ${key}: it ends with it.`];
}

function sameNameWarnings(state: WorkerActionState, { setting, value }: OrderedValue): ActionWarning[] {
  const { worker, sameNameWorkers, standing } = state;
  const key = worker.agent?.key;
  if (sameNameWorkers.length === 0 || key == null) return [];
  const who = `${formatCount(sameNameWorkers.length)} more of its queue ${sameNameWorkers.length === 1 ? 'goes' : 'go'} by the name ${key}`;
  const isShared = standing.some(
    (order) => order.scope === key && (setting === 'all' || order.setting === setting),
  );
  if (value === null) {
    return isShared
      ? [
          {
            text: `${who}: what is kept under it is taken back for all of them, within half a minute.`,
            instead: [],
          },
        ]
      : [];
  }
  return [
    {
      text: `${who}: the order is for this one alone and ends with it; give each a name of its own to make orders outlast a restart.`,
      instead: [],
    },
  ];
}
