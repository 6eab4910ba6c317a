import { z } from 'zod';
import { EVERY_WORKER, type OrderedSetting } from '../../agent/protocol.js';
import { formatDuration } from '../model/format.js';
import type { Snapshot } from '../model/snapshot.js';
import type { Override, WorkerState } from '../model/worker.js';

/** One that has not beaten for so long may have been followed by another of its name. */
const SAME_NAME_MS = 3_000;

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
      nowMs - one.agent.lastBeatAtMs < SAME_NAME_MS,
  );
}

/**
 * What an order of one worker is kept under: its name, so that it outlives a restart, or its id where it has none, shares
 * it with others, or is already followed by its id, which goes before. Pure.
 */
export function overrideScope(
  worker: WorkerState,
  sameNameWorkers: readonly WorkerState[],
  overrides: readonly Override[],
): string {
  const key = worker.agent?.key ?? null;
  if (key === null || sameNameWorkers.length > 0) return worker.id;
  return overrides.some(({ scope }) => scope === worker.id) ? worker.id : key;
}

/** Orders for this worker alone: by its id first, as that goes before its name. Pure. */
export function ownOverrides(worker: WorkerState, overrides: readonly Override[]): readonly Override[] {
  const key = worker.agent?.key ?? null;
  return [
    ...overrides.filter(({ scope }) => scope === worker.id),
    ...overrides.filter(({ scope }) => key !== null && scope === key),
  ];
}

/** Its own order of one setting that counts; null: it has none. Pure. */
export function ownOverride(
  worker: WorkerState,
  overrides: readonly Override[],
  setting: OrderedSetting,
): Override | null {
  return ownOverrides(worker, overrides).find((order) => order.setting === setting) ?? null;
}

/** The order of a setting for every worker of the queue; null: there is none. Pure. */
export function overrideForAll(overrides: readonly Override[], setting: OrderedSetting): Override | null {
  return overrides.find((order) => order.scope === EVERY_WORKER && order.setting === setting) ?? null;
}

const DAY_MS = 86_400_000;
const LONGEST_MS = 7 * DAY_MS;

export const forMs = z
  .int('must be a whole number of milliseconds')
  .min(60_000, 'must be at least 60000 ms (a minute)')
  .max(LONGEST_MS, `must be at most ${LONGEST_MS} ms (a week)`)
  .optional();
/** The moment at which an order ends, as undo gives it; `forMs` goes before. One that is past: it has ended. */
export const untilMs = z.int('must be a time in ms').min(0).max(8.64e15).optional();

export interface Ending {
  readonly forMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

/** When it ends; null: when it is taken back. Pure. */
export function endOf(args: Ending, nowMs: number): number | null {
  return args.forMs === undefined ? (args.untilMs ?? null) : nowMs + args.forMs;
}

/** Has what undo is to bring back ended by itself in between? Then nothing of it is left to order. Pure. */
export function isPastEnd(args: Ending, nowMs: number): boolean {
  const endMs = endOf(args, nowMs);
  return endMs !== null && endMs <= nowMs;
}

/** What is taken back can't be for a time: it would not come back by itself. */
export const NO_TIME =
  'must be left out where nothing is ordered: what is taken back does not come back by itself';

/** " for 10 min, then as deployed" Pure. */
export function untilWords(args: Ending, nowMs: number, behind = 'as deployed'): string {
  const endMs = endOf(args, nowMs);
  return endMs === null || endMs <= nowMs
    ? ''
    : ` for ${formatDuration((endMs - nowMs) / 1000)}, then ${behind}`;
}

/** Is this order already what would be given? Pure. */
export function isSameOverride(
  former: Override | null,
  value: Override['value'],
  endMs: number | null,
): boolean {
  if (former === null || value === null) return former === null && value === null;
  return sameValue(former.value, value) && former.untilMs === endMs;
}

/** Limits and factors are read from texts of any order. */
function sameValue(a: Override['value'], b: Override['value']): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => right.get(key) === value);
}

/** The part of an undo that says when what it brings back was to end. Pure. */
export function endArgs(former: Override): Readonly<Record<string, number>> {
  return former.untilMs === null ? {} : { untilMs: former.untilMs };
}
