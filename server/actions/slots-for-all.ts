import type { OrderedConcurrency } from '../../agent/protocol.js';
import type { AbleWorkers } from '../forecast/able-workers.js';
import type { PlanBasis } from '../forecast/input-of.js';
import { slotsPlanned } from '../forecast/slots-planned.js';
import { slotsToDrain } from '../model/capacity.js';
import { formatCount } from '../model/format.js';
import type { PlanChange } from '../model/plan.js';
import type { QueueState } from '../model/snapshot.js';
import type { KeptOrder, WorkerState } from '../model/worker.js';
import { MAX_SLOTS, ownOrder } from './worker-settings.js';

/** Exactly one of them is given. */
export interface SlotsAsked {
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
  standing: readonly KeptOrder[],
  basis: PlanBasis | null = null,
): SlotsOrdered {
  if (args.factor !== undefined) {
    const value = { factor: args.factor };
    const most = Math.max(0, ...workers.map((worker) => slotsAsked(worker, value, standing)));
    return most > MAX_SLOTS ? { why: tooMany(most) } : { value };
  }
  if (args.drainWithinSeconds === undefined) return { value: args.value ?? null };
  const able = followers(workers, standing);
  if (able.length === 0 && workers.length > 0)
    return { why: 'every worker is paused or has an order of its own, so none would follow' };
  const planned =
    basis &&
    slotsPlanned(basis, args.drainWithinSeconds, (one) => ownOrder(one, standing, 'concurrency') === null);
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
export function followers(
  workers: readonly WorkerState[],
  standing: readonly KeptOrder[],
): readonly WorkerState[] {
  return workers.filter(
    (worker) =>
      worker.agent?.paused !== 'order' &&
      worker.agent?.paused !== 'application' &&
      worker.agent?.isClosing === false &&
      ownOrder(worker, standing, 'concurrency') === null,
  );
}

/** Slots of those that take jobs, all together; others' orders count once they take jobs again. null: there are none. */
export function slotsAfter(
  { attached, unattachedSlots }: AbleWorkers,
  value: OrderedConcurrency,
  standing: readonly KeptOrder[],
): PlanChange | null {
  if (attached.length === 0) return null;
  const slots = attached.map((worker) => slotsOf(worker, value, standing));
  return { concurrency: slots.reduce((sum, one) => sum + one, unattachedSlots) };
}

/** What a worker is asked for: an order of its own goes before the one for all. */
export function slotsAsked(
  worker: WorkerState,
  value: OrderedConcurrency,
  standing: readonly KeptOrder[],
): number {
  if (ownOrder(worker, standing, 'concurrency')) return worker.agent?.concurrency.now ?? 1;
  const deployed = worker.agent?.concurrency.deployed ?? 1;
  if (value === null) return deployed;
  return typeof value === 'number' ? value : Math.max(1, Math.round(deployed * value.factor));
}

/** What it will run: one whose owner allows less refuses, and stays as it is. */
export function slotsOf(
  worker: WorkerState,
  value: OrderedConcurrency,
  standing: readonly KeptOrder[],
): number {
  const asked = slotsAsked(worker, value, standing);
  const most = worker.agent?.maxConcurrency ?? null;
  return most !== null && asked > most ? (worker.agent?.concurrency.now ?? most) : asked;
}
