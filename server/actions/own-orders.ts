import { EVERY_WORKER, type OrderedSetting } from '../../agent/protocol.js';
import type { Snapshot } from '../model/snapshot.js';
import type { KeptOrder, WorkerState } from '../model/worker.js';

/** One that has not beaten for so long may have been followed by another of its name. */
const NAMESAKE_MS = 3_000;

/** Other workers of the queue that go by the same `<name>@<host>`: what is kept under it holds for all of them. Pure. */
export function sameNameWorkersOf(
  worker: WorkerState,
  snapshot: Snapshot,
  nowMs: number,
): readonly WorkerState[] {
  const key = worker.agent?.key ?? null;
  if (key === null) return [];
  return snapshot.workers.filter(
    (one) =>
      one.id !== worker.id &&
      one.queueId === worker.queueId &&
      one.agent?.key === key &&
      !one.agent.isClosing &&
      one.isConnected !== false &&
      nowMs - one.agent.lastBeatAtMs < NAMESAKE_MS,
  );
}

/**
 * What an order of one worker is kept under: its name, so that it outlives a restart, or its id where it has none, shares
 * it with others, or is already followed by its id, which goes before. Pure.
 */
export function scopeOf(
  worker: WorkerState,
  sameNameWorkers: readonly WorkerState[],
  standing: readonly KeptOrder[],
): string {
  const key = worker.agent?.key ?? null;
  if (key === null || sameNameWorkers.length > 0) return worker.id;
  return standing.some(({ scope }) => scope === worker.id) ? worker.id : key;
}

/** Orders for this worker alone: by its id first, as that goes before its name. Pure. */
export function ownOrders(worker: WorkerState, standing: readonly KeptOrder[]): readonly KeptOrder[] {
  const key = worker.agent?.key ?? null;
  return [
    ...standing.filter(({ scope }) => scope === worker.id),
    ...standing.filter(({ scope }) => key !== null && scope === key),
  ];
}

/** Its own order of one setting that counts; null: it has none. Pure. */
export function ownOrder(
  worker: WorkerState,
  standing: readonly KeptOrder[],
  setting: OrderedSetting,
): KeptOrder | null {
  return ownOrders(worker, standing).find((order) => order.setting === setting) ?? null;
}

/** The order of a setting for every worker of the queue; null: there is none. Pure. */
export function orderForAll(standing: readonly KeptOrder[], setting: OrderedSetting): KeptOrder | null {
  return standing.find((order) => order.scope === EVERY_WORKER && order.setting === setting) ?? null;
}
