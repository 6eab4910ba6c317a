import type { z } from 'zod';
import type { OrderedValue } from '../../agent/protocol.js';
import type { ActionWarning } from '../model/action.js';
import { ActionError, type Field, type Undo } from '../model/action.js';
import { formatCount } from '../model/format.js';
import type { AgentFacts, Override, WorkerState } from '../model/worker.js';
import { type Action, type DraftPreview, type ShownContext, warning } from './action.js';
import { giveOrder, overridesOf, whyNoOrders } from './give-order.js';
import { appliedOf, type Ordered, verifiedOf } from './order-answers.js';
import {
  type Ending,
  endOf,
  isPastEnd,
  isSameOverride,
  overrideForAll,
  overrideScope,
  ownOverride,
  ownOverrides,
  sameNameWorkersOf,
  untilWords,
} from './overrides.js';

/** One worker and what is kept for it, as it stands in Redis. */
export interface WorkerActionState {
  readonly worker: WorkerState;
  readonly agent: AgentFacts;
  /** Of its queue. */
  readonly overrides: readonly Override[];
  /** Workers that go by the same name. */
  readonly sameNameWorkers: readonly WorkerState[];
}

interface WorkerActionKind<Args> {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly schema: z.ZodType<Args>;
  readonly ordered: (args: Args, state: WorkerActionState) => OrderedValue;
  readonly summary: (args: Args, state: WorkerActionState) => string;
  readonly field: (args: Args, state: WorkerActionState) => Field;
  readonly effects?: (args: Args, state: WorkerActionState, context: ShownContext) => readonly string[];
  readonly warnings?: (
    args: Args,
    state: WorkerActionState,
    context: ShownContext,
  ) => readonly ActionWarning[];
  /** Where the order alone does not tell: is the worker as it is asked for? */
  readonly isAsAsked?: (args: Args, state: WorkerActionState) => boolean;
  readonly done: string;
  readonly undo?: (state: WorkerActionState) => Undo | null;
}

/** What actions on one worker have in common: an order to it, kept under its name where it has one for itself alone. */
export function workerAction<Args extends Ending>(
  kind: WorkerActionKind<Args>,
): Action<Args, WorkerActionState, Ordered> {
  const ordered = (args: Args, state: WorkerActionState, nowMs: number): OrderedValue => {
    const value = kind.ordered(args, state);
    return isPastEnd(args, nowMs) ? { ...value, value: null } : value;
  };
  return {
    name: kind.name,
    title: kind.title,
    about: kind.about,
    scope: 'worker',
    role: 'operator',
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
        overrides: await overridesOf(context),
        sameNameWorkers,
      };
    },
    preview(state, args, context): DraftPreview {
      const value = ordered(args, state, context.nowMs);
      const own = ownOverride(state.worker, state.overrides, value.setting);
      const behind = overrideForAll(state.overrides, value.setting)
        ? 'as ordered for all workers of the queue'
        : 'as deployed';
      const isSame =
        value.setting === 'all'
          ? ownOverrides(state.worker, state.overrides).length === 0
          : isSameOverride(own, value.value, endOf(args, context.nowMs));
      return {
        summary: `${kind.summary(args, state)}${untilWords(args, context.nowMs, behind)}.`,
        fields: [kind.field(args, state)],
        effects: [...(kind.effects?.(args, state, context) ?? []), ...keptWords(state, value)],
        warnings: [...(kind.warnings?.(args, state, context) ?? []), ...sameNameWarnings(state, value)],
        affected: { queues: 1, workers: 1, jobs: state.agent.running },
        mechanism:
          'An order to the agent in the worker’s process, published and kept in the queue’s meta hash.',
        isNoop: isSame && (kind.isAsAsked?.(args, state) ?? true),
      };
    },
    async apply(context, args, state) {
      const value = ordered(args, state, context.nowMs);
      const scopes = scopesOf(state, value);
      const results = await giveOrder(context, value, scopes, endOf(args, context.nowMs));
      return appliedOf(results, kind.done, value.value === null);
    },
    async verify(_context, args, state, { workers }) {
      const field = kind.field(args, state);
      const [result] = workers;
      const after =
        kind.name === 'worker.concurrency' && result?.concurrency != null
          ? formatCount(result.concurrency)
          : field.after;
      return verifiedOf(workers, [{ ...field, after: result?.result === 'applied' ? after : field.before }]);
    },
    undo: (state) => kind.undo?.(state) ?? null,
  };
}

/** Where an order is kept. What takes orders back does so for each place that holds one, else another would hold on. */
function scopesOf(
  { worker, sameNameWorkers, overrides }: WorkerActionState,
  { setting, value }: OrderedValue,
): readonly string[] {
  const scope = overrideScope(worker, sameNameWorkers, overrides);
  if (value !== null) return [scope];
  const held = ownOverrides(worker, overrides).filter((own) => setting === 'all' || own.setting === setting);
  return held.length === 0 ? [scope] : [...new Set(held.map((own) => own.scope))];
}

function keptWords(
  { worker, sameNameWorkers, overrides }: WorkerActionState,
  { value }: OrderedValue,
): string[] {
  if (value === null) return [];
  const key = worker.agent?.key ?? null;
  if (key === null)
    return [
      'This worker has no name, so the order ends with it; attach(worker, { name }) makes it outlast a restart.',
    ];
  return overrideScope(worker, sameNameWorkers, overrides) === key
    ? [`Kept for ${key}: it holds after a restart too.`]
    : [`Kept for this worker alone and not for its name ${key}: it ends with it.`];
}

function sameNameWarnings(state: WorkerActionState, { setting, value }: OrderedValue): ActionWarning[] {
  const { worker, sameNameWorkers, overrides } = state;
  const key = worker.agent?.key;
  if (sameNameWorkers.length === 0 || key == null) return [];
  const who = `${formatCount(sameNameWorkers.length)} more of its queue ${sameNameWorkers.length === 1 ? 'goes' : 'go'} by the name ${key}`;
  const isShared = overrides.some(
    (order) => order.scope === key && (setting === 'all' || order.setting === setting),
  );
  if (value === null) {
    return isShared
      ? [warning(`${who}: what is kept under it is taken back for all of them, within half a minute.`)]
      : [];
  }
  return [
    warning(
      `${who}: the order is for this one alone and ends with it; give each a name of its own to make orders outlast a restart.`,
    ),
  ];
}
