import { z } from 'zod';
import type { OrderedConcurrency } from '../../agent/protocol.js';
import type { AbleWorkers } from '../forecast/plan-basis.js';
import { isSaturated, type PlanBasis } from '../forecast/plan-basis.js';
import { slotsPlanned } from '../forecast/plan-to-drain.js';
import type { ActionWarning } from '../model/action.js';
import { slotsToDrain } from '../model/capacity.js';
import { formatCount } from '../model/format.js';
import type { PlanChange } from '../model/plan.js';
import { isFull } from '../model/queue-verdict.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import type { Override, WorkerState } from '../model/worker.js';
import { warning } from './action.js';
import { ownOverride } from './overrides.js';
import { makeRoomFirst } from './queue-target.js';

/** Exactly one of them is given. */
interface SlotsAsked {
  readonly value?: number | null | undefined;
  readonly factor?: number | undefined;
  readonly drainWithinSeconds?: number | undefined;
}

export type SlotsOrdered = { readonly value: OrderedConcurrency } | { readonly why: string };

/**
 * What is ordered, or why nothing can be. Slots for a time are the planner's where it finds them (`basis`), else those of
 * Little's law as it is now. Pure.
 */
export function slotsOrdered(
  args: SlotsAsked,
  queue: QueueState,
  workers: readonly WorkerState[],
  overrides: readonly Override[],
  basis: PlanBasis | null = null,
): SlotsOrdered {
  if (args.factor !== undefined) {
    const value = { factor: args.factor };
    const most = Math.max(0, ...workers.map((worker) => slotsAsked(worker, value, overrides)));
    return most > MAX_SLOTS ? { why: tooMany(most) } : { value };
  }
  if (args.drainWithinSeconds === undefined) return { value: args.value ?? null };
  const able = followers(workers, overrides);
  if (able.length === 0 && workers.length > 0)
    return { why: 'every worker is paused or has an order of its own, so none would follow' };
  const planned =
    basis &&
    slotsPlanned(
      basis,
      args.drainWithinSeconds,
      (one) => ownOverride(one, overrides, 'concurrency') === null,
    );
  if (planned && 'slots' in planned && planned.perWorker <= MAX_SLOTS) return { value: planned.perWorker };
  const needed = slotsToDrain({
    backlog: queue.backlog,
    arrivalsPerSecond: queue.rates?.arrivalsPerSecond ?? 0,
    withinSeconds: args.drainWithinSeconds,
    workers: able,
  });
  if ('why' in needed) return needed;
  return needed.perWorker > MAX_SLOTS ? { why: tooMany(needed.perWorker) } : { value: needed.perWorker };
}

function tooMany(perWorker: number): string {
  return `it would take ${formatCount(perWorker)} slots a worker, and at most ${formatCount(MAX_SLOTS)} can be: start more workers, or ask for less`;
}

/** Workers that would run more jobs by an order for all: not those that are paused or have an order of their own. */
function followers(workers: readonly WorkerState[], overrides: readonly Override[]): readonly WorkerState[] {
  return workers.filter(
    (worker) =>
      worker.agent?.paused !== 'order' &&
      worker.agent?.paused !== 'application' &&
      worker.agent?.isClosing === false &&
      ownOverride(worker, overrides, 'concurrency') === null,
  );
}

/** Slots of those that take jobs, all together; others' orders count once they take jobs again. null: there are none. */
export function slotsAfter(
  { attached, unattachedSlots }: AbleWorkers,
  value: OrderedConcurrency,
  overrides: readonly Override[],
): PlanChange | null {
  if (attached.length === 0) return null;
  const slots = attached.map((worker) => concurrencyAfter(worker, value, overrides));
  return { concurrency: slots.reduce((sum, one) => sum + one, unattachedSlots) };
}

/** What a worker is asked for: an order of its own goes before the one for all. */
export function slotsAsked(
  worker: WorkerState,
  value: OrderedConcurrency,
  overrides: readonly Override[],
): number {
  if (ownOverride(worker, overrides, 'concurrency')) return worker.agent?.concurrency.now ?? 1;
  const deployed = worker.agent?.concurrency.deployed ?? 1;
  if (value === null) return deployed;
  return typeof value === 'number' ? value : Math.max(1, Math.round(deployed * value.factor));
}

/** What it will run: one whose owner allows less refuses, and stays as it is. */
export function concurrencyAfter(
  worker: WorkerState,
  value: OrderedConcurrency,
  overrides: readonly Override[],
): number {
  const asked = slotsAsked(worker, value, overrides);
  const most = worker.agent?.maxConcurrency ?? null;
  return most !== null && asked > most ? (worker.agent?.concurrency.now ?? most) : asked;
}

const MAX_SLOTS = 100_000;

export const slots = z
  .int(`must be a whole number from 1 to ${MAX_SLOTS}, or null for what was deployed`)
  .min(1, 'must be at least 1: to stop a worker use worker.pause')
  .max(MAX_SLOTS, `must be at most ${MAX_SLOTS}`);

/** Slots of some workers: "10 each", or "5 to 20, 42 in all". */
export function slotsOfWorkers(values: readonly number[]): string {
  if (values.length === 0) return 'none';
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const total = formatCount(values.reduce((sum, value) => sum + value, 0));
  if (values.length === 1) return formatCount(low);
  return low === high
    ? `${formatCount(low)} each, ${total} in all`
    : `${formatCount(low)} to ${formatCount(high)}, ${total} in all`;
}

/** While full a worker's slots keep going only by taking the next job as they finish one; more slots only add refused calls. */
export function whileFull(snapshot: Snapshot, isRaise: boolean): readonly ActionWarning[] {
  if (!isFull(snapshot)) return [];
  return [
    {
      text: isRaise
        ? 'Redis is full: more slots drain nothing faster now. The order is kept and in force at once, and helps once there is room. Make room first.'
        : 'Redis is full: slots that stop now don’t start again before there is room, so lowering may stop what still drains. Make room first.',
      instead: makeRoomFirst(snapshot),
    },
  ];
}

/** What may keep a raise from helping. */
export function raiseWarnings(
  workers: readonly WorkerState[],
  wanted: (worker: WorkerState) => number,
): readonly ActionWarning[] {
  const warnings: string[] = [];
  const refusing = workers.filter(
    (worker) => worker.agent?.maxConcurrency != null && wanted(worker) > worker.agent.maxConcurrency,
  );
  const [first] = refusing;
  if (first) {
    const who = refusing.length === 1 ? first.label : `${first.label} and ${refusing.length - 1} more`;
    warnings.push(
      `${who} will refuse: ${refusing.length === 1 ? 'its owner allows' : 'their owners allow'} at most ${first.agent?.maxConcurrency}.`,
    );
  }
  const old = workers.filter(
    (worker) =>
      worker.agent?.bullmqVersion?.startsWith('5.') && worker.agent.running >= worker.agent.concurrency.now,
  );
  if (old.length > 0)
    warnings.push(
      `${old.length === 1 ? '1 worker runs' : `${old.length} workers run`} BullMQ 5 with all slots busy: there a raise counts when the next job ends.`,
    );
  const late = workers.filter(({ agent }) => agent !== null && isSaturated(agent));
  if (late.length > 0)
    warnings.push(
      `The event loop of ${late[0]?.label}${late.length > 1 ? ` and ${late.length - 1} more` : ''} is late by more than 200 ms: more slots in the same process won’t go faster; start more processes.`,
    );
  return warnings.map((text) => warning(text));
}
