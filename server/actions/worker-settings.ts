import { z } from 'zod';
import { EVERY_WORKER, type OrderedSetting } from '../../agent/protocol.js';
import type { ActionWarning } from '../model/action.js';
import { formatCount, formatDuration } from '../model/format.js';
import { isFull } from '../model/queue-verdict.js';
import type { Snapshot } from '../model/snapshot.js';
import type { KeptOrder, WorkerState } from '../model/worker.js';
import { makeRoomFirst } from './queue-target.js';

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

export const MAX_SLOTS = 100_000;
const DAY_MS = 86_400_000;
const LONGEST_MS = 7 * DAY_MS;

export const forMs = z
  .int('must be a whole number of milliseconds')
  .min(60_000, 'must be at least 60000 ms (a minute)')
  .max(LONGEST_MS, `must be at most ${LONGEST_MS} ms (a week)`)
  .optional();

export const slots = z
  .int(`must be a whole number from 1 to ${MAX_SLOTS}, or null for what was deployed`)
  .min(1, 'must be at least 1: to stop a worker use worker.pause')
  .max(MAX_SLOTS, `must be at most ${MAX_SLOTS}`);

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
export function hasEnded(args: Ending, nowMs: number): boolean {
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
export function isSameOrder(
  former: KeptOrder | null,
  value: KeptOrder['value'],
  endMs: number | null,
): boolean {
  if (former === null || value === null) return former === null && value === null;
  return sameValue(former.value, value) && former.untilMs === endMs;
}

/** Limits and factors are read from texts of any order. */
function sameValue(a: KeptOrder['value'], b: KeptOrder['value']): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => right.get(key) === value);
}

/** The part of an undo that says when what it brings back was to end. Pure. */
export function endArgs(former: KeptOrder): Readonly<Record<string, number>> {
  return former.untilMs === null ? {} : { untilMs: former.untilMs };
}

/** Slots of some workers: "10 each", or "5 to 20, 42 in all". */
export function slotsInWords(values: readonly number[]): string {
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
  const late = workers.filter((worker) => (worker.agent?.loopDelayP99Ms ?? 0) > 200);
  if (late.length > 0)
    warnings.push(
      `The event loop of ${late[0]?.label}${late.length > 1 ? ` and ${late.length - 1} more` : ''} is late by more than 200 ms: more slots in the same process won’t go faster; start more processes.`,
    );
  return warnings.map((text) => ({ text, instead: [] }));
}
