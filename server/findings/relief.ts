import type { Remedy } from '../model/finding.js';
import type { QueueState, RedisNode, Snapshot } from '../model/snapshot.js';
import type { Need } from './need.js';

/** Entries that a job leaves in its queue's events stream until it is done: added, waiting, active, completed, and one more. */
const EVENTS_PER_JOB = 5;
/** An entry of BullMQ's events stream where none was measured: 10,000 take 1.5 MB. */
export const EVENT_BYTES = 150;

/** What a remedy that makes room brings. */
export interface Relief {
  readonly bytes: number;
  /** Some of it comes back by itself, as work goes on: so much a second, until `returningBytes` are back. */
  readonly returningBytesPerSecond: number;
  readonly returningBytes: number;
}

export const NO_RELIEF: Relief = { bytes: 0, returningBytesPerSecond: 0, returningBytes: 0 };

/**
 * What it frees, or adds to the limit. Events that are trimmed and completed jobs that are cleaned come back as jobs run, up
 * to what the queue keeps: they are no growth before, and are after. null: making room is not what it is for. Pure.
 */
export function reliefOf(remedy: Remedy, snapshot: Snapshot, node: RedisNode, need: Need): Relief | null {
  if (remedy.action === 'redis.raise-maxmemory') {
    const addedBytes = Math.max(0, Number(remedy.args.maxBytes) - node.maxBytes);
    return { ...NO_RELIEF, bytes: addedBytes };
  }
  const bytes = remedy.predictedFreedBytes;
  if (bytes === undefined) return null;
  const isEvents = remedy.action === 'queue.trim-events';
  const isCompleted = remedy.action === 'queue.clean-finished' && remedy.args.state === 'completed';
  if (!isEvents && !isCompleted) return { ...NO_RELIEF, bytes };
  const queues = snapshot.queues.filter(({ id }) => remedy.queues.includes(id));
  const perSecond = queues.reduce(
    (sum, queue) =>
      sum + (isEvents ? eventsPerSecond(queue, snapshot, need) : completedBytesPerSecond(queue)),
    0,
  );
  return { bytes, returningBytesPerSecond: perSecond, returningBytes: perSecond > 0 ? bytes : 0 };
}

function eventsPerSecond(queue: QueueState, snapshot: Snapshot, need: Need): number {
  return EVENTS_PER_JOB * EVENT_BYTES * jobsPerSecond(queue, snapshot, need);
}

/** As they are counted, or as the growth says while a full Redis refuses jobs: each queue its share of what waits. */
function jobsPerSecond({ rates, memory, unfinished }: QueueState, { queues }: Snapshot, need: Need): number {
  const counted = Math.max(rates?.arrivalsPerSecond ?? 0, rates?.departuresPerSecond ?? 0);
  const heldBytes = memory?.backlogBytes ?? 0;
  const all = queues.reduce((sum, one) => sum + (one.memory?.backlogBytes ?? 0), 0);
  if (!(heldBytes > 0) || !(unfinished > 0) || !(all > 0)) return counted;
  const refused = ((need.growthBytesPerSecond ?? 0) * (heldBytes / all)) / (heldBytes / unfinished);
  return Math.max(counted, refused);
}

function completedBytesPerSecond({ rates, memory, counts }: QueueState): number {
  if (!memory || counts.completed <= 0) return 0;
  return (rates?.departuresPerSecond ?? 0) * (memory.completedBytes / counts.completed);
}

/** Of several steps together. */
export function together(reliefs: readonly Relief[]): Relief {
  return reliefs.reduce(
    (sum, one) => ({
      bytes: sum.bytes + one.bytes,
      returningBytesPerSecond: sum.returningBytesPerSecond + one.returningBytesPerSecond,
      returningBytes: sum.returningBytes + one.returningBytes,
    }),
    NO_RELIEF,
  );
}

/** Of the need, what would be left after that time: what comes back meanwhile counts for nothing. */
export function missingBytes({ bytes, returningBytesPerSecond, returningBytes }: Relief, need: Need): number {
  const lasting = bytes - Math.min(returningBytes, returningBytesPerSecond * need.seconds);
  return Math.max(0, need.bytes - lasting);
}

/** true: writes pass for as long as is needed. null: they pass now, and for how long is not known. */
export function doesSuffice(relief: Relief, need: Need): boolean | null {
  if (relief.bytes < need.nowBytes || missingBytes(relief, need) > 0) return false;
  return need.growthBytesPerSecond === null ? null : true;
}

/** What lasts for years is over by then. */
const FOREVER_SECONDS = 1e8;

/** Seconds until a Redis is full again; 0: it stays full; null: it is not, or that can't be known. */
export function lastsSeconds(relief: Relief, node: RedisNode, need: Need): number | null {
  const growth = need.growthBytesPerSecond;
  const room = (node.limit?.bytes ?? 0) - node.countedBytes + relief.bytes;
  if (room <= 0 || relief.bytes < need.nowBytes) return 0;
  if (growth === null) return null;
  const { returningBytesPerSecond, returningBytes } = relief;
  const atFirst = growth + returningBytesPerSecond;
  if (atFirst <= 0) return null;
  // What comes back is back after so long; until then it is part of the growth.
  const comesBack = returningBytesPerSecond > 0 ? returningBytes : 0;
  const backAfter = comesBack > 0 ? comesBack / returningBytesPerSecond : 0;
  const seconds = room <= atFirst * backAfter ? room / atFirst : (room - comesBack) / growth;
  return seconds < FOREVER_SECONDS ? seconds : null;
}
