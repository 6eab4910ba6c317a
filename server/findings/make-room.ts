import { briefDuration } from '../model/brief.js';
import type { Remedy } from '../model/finding.js';
import { formatBytes, formatCount, formatThings } from '../model/format.js';
import type { TypeMemory } from '../model/memory.js';
import type { QueueState, RedisNode, Snapshot } from '../model/snapshot.js';
import { plainName, queueName } from '../model/words.js';
import { EDGE_RATIO, needOf, TEN_MINUTES } from './need.js';
import { EVENT_BYTES } from './relief.js';

/** Entries of each events stream that are kept: enough for a listener that is a little behind. */
const KEEP_EVENTS = 100;
/** Freeing less than this is not worth a button. */
const MIN_FREED_BYTES = 128 * 1024;
const MAX_QUEUES = 100;
/** maxmemory may take this much of the host: the rest is for fragmentation, output buffers and the copy of a fork. */
const HOST_SHARE = 0.75;
/** A limit that is raised by less is at once in the way again. */
const LEAST_RAISE = 1.1;
/** A limit this many times the present one is far from what its owner thought right. */
const FAR_RAISE = 2;
const MEGABYTE = 1024 * 1024;

interface Share {
  readonly queue: QueueState;
  readonly bytes: number;
}

/**
 * Actions that make room by removing what no worker needs: events, old completed jobs, old failed jobs (which can't be
 * retried afterwards).
 * @param queues those to look at: all of an instance, or one.
 */
export function reclaimRemedies(queues: readonly QueueState[]): readonly Remedy[] {
  return [
    trimEvents(queues),
    cleanFinished(queues, 'completed', [100, 10]),
    cleanFinished(queues, 'failed', [1000, 100]),
  ].filter((remedy) => remedy !== null);
}

function trimEvents(queues: readonly QueueState[]): Remedy | null {
  const { shares, bytes } = biggest(queues, (queue) => {
    if (queue.eventsLength <= KEEP_EVENTS) return 0;
    const held = queue.memory?.eventsBytes || queue.eventsLength * EVENT_BYTES;
    return held * (1 - KEEP_EVENTS / queue.eventsLength);
  });
  if (bytes < MIN_FREED_BYTES) return null;
  return {
    action: 'queue.trim-events',
    label: `Trim events${of(shares)}`,
    effect: `Frees ${formatBytes(bytes)} of old events of ${whose(shares)}; no job is touched.`,
    queues: shares.map((share) => share.queue.id),
    args: { keep: KEEP_EVENTS },
    predictedFreedBytes: Math.round(bytes),
  };
}

function cleanFinished(
  queues: readonly QueueState[],
  state: 'completed' | 'failed',
  keeps: readonly [number, number],
): Remedy | null {
  const held = queues.reduce((sum, queue) => sum + finishedBytes(queue, state), 0);
  // Few but large jobs hold as much as many small ones: where the generous number frees little, keep fewer.
  const generous = freedBeyond(queues, state, keeps[0]);
  const keep = generous.bytes >= held / 2 ? keeps[0] : keeps[1];
  const { shares, bytes } = keep === keeps[0] ? generous : freedBeyond(queues, state, keep);
  if (bytes < MIN_FREED_BYTES) return null;
  return {
    action: 'queue.clean-finished',
    label: `Clean ${state} jobs${of(shares)}`,
    effect: `Frees ${formatBytes(bytes)}: ${state === 'failed' ? 'loses failed' : state} jobs of ${whose(shares)} but the newest ${formatCount(keep)}.`,
    queues: shares.map((share) => share.queue.id),
    args: { state, keep },
    predictedFreedBytes: Math.round(bytes),
  };
}

function freedBeyond(queues: readonly QueueState[], state: 'completed' | 'failed', keep: number) {
  return biggest(queues, (queue) => {
    const count = queue.counts[state];
    return count > keep ? finishedBytes(queue, state) * (1 - keep / count) : 0;
  });
}

function finishedBytes(queue: QueueState, state: 'completed' | 'failed'): number {
  return (state === 'completed' ? queue.memory?.completedBytes : queue.memory?.failedBytes) ?? 0;
}

/** Queues that free most, biggest first, without the long tail that frees nothing to speak of. */
function biggest(queues: readonly QueueState[], bytesOf: (queue: QueueState) => number) {
  const shares: Share[] = [];
  for (const queue of queues) {
    const bytes = bytesOf(queue);
    if (Number.isFinite(bytes) && bytes > 0) shares.push({ queue, bytes });
  }
  shares.sort((a, b) => b.bytes - a.bytes || (a.queue.id < b.queue.id ? -1 : 1));
  const kept = shares.slice(0, MAX_QUEUES);
  return { shares: kept, bytes: kept.reduce((sum, share) => sum + share.bytes, 0) };
}

function of(shares: readonly Share[]): string {
  return shares.length === 1 ? '' : ` of ${formatThings(shares.length, 'queue')}`;
}

function whose(shares: readonly Share[]): string {
  const first = shares[0];
  return shares.length === 1 && first ? queueName(first.queue) : formatThings(shares.length, 'queue');
}

/**
 * A larger maxmemory, no further than what is aimed at takes: for what is held below the share at which memory is a trouble, and
 * for so long of growth; never more than three quarters of the host. null where none is set (nothing to raise) or where the
 * host has no room.
 */
export function raiseMaxmemoryRemedy(node: RedisNode, aimed = TEN_MINUTES): Remedy | null {
  if (node.maxBytes <= 0) return null;
  const growth = needOf(node)?.growthBytesPerSecond ?? 0;
  const wanted = Math.max(
    node.countedBytes / aimed.safeRatio,
    node.countedBytes / (1 - EDGE_RATIO) + growth * aimed.seconds,
  );
  // Where the host's memory is not known, what the action can take at all is the bound.
  const bound = node.hostBytes === null ? Number.MAX_SAFE_INTEGER : node.hostBytes * HOST_SHARE;
  const maxBytes = wholeMegabytes(Math.min(roundLimit(Math.max(wanted, node.maxBytes * LEAST_RAISE)), bound));
  if (!(maxBytes > node.maxBytes) || maxBytes < node.countedBytes * 1.02) return null;
  const why = isFarRaise(maxBytes, node) ? `; less is full again within ${briefDuration(aimed.seconds)}` : '';
  return {
    action: 'redis.raise-maxmemory',
    label: `Raise maxmemory to ${formatBytes(maxBytes)}`,
    effect: `Adds ${formatBytes(maxBytes - node.maxBytes)} until Redis restarts${why}.`,
    queues: [],
    args: { maxBytes },
  };
}

/** Is it a guess at how much a host bears, rather than some room? Then it is offered only where nothing else suffices. */
export function isFarRaise(maxBytes: number, node: RedisNode): boolean {
  return maxBytes > node.maxBytes * FAR_RAISE;
}

/** Up to 1, 1.25, 1.5 or 1.75 times a power of two: 80, 96, 112, 128 MB. So it does not change from look to look. */
function roundLimit(bytes: number): number {
  const step = 2 ** Math.max(20, Math.floor(Math.log2(bytes)) - 2);
  return Math.ceil(bytes / step) * step;
}

/** Limits are set in whole megabytes: what is shown is then what is set. */
export function wholeMegabytes(bytes: number): number {
  return Math.floor(bytes / MEGABYTE) * MEGABYTE;
}

/** Parking less is not worth it: its jobs are held up, and something must bring them back. */
const MIN_PARKED_BYTES = 1024 * 1024;

/**
 * The type that holds most in jobs that wait, to be taken to disk: it frees much and loses nothing, but its jobs do not run
 * until they are back. null where nothing that is worth it was measured.
 * @param queues those to look at.
 * @param types of them; absent: any.
 */
export function parkLargestType(queues: readonly QueueState[], type?: string): Remedy | null {
  let best: { readonly queue: QueueState; readonly type: TypeMemory; readonly bytes: number } | null = null;
  for (const queue of queues) {
    for (const held of queue.memory?.types ?? []) {
      if (type !== undefined && held.type !== type) continue;
      const bytes = held.backlogBytes * movableRatio(queue);
      if (isPlainType(held.type) && bytes > (best?.bytes ?? MIN_PARKED_BYTES))
        best = { queue, type: held, bytes };
    }
  }
  if (!best) return null;
  return {
    action: 'queue.park',
    label: `Park ${plainName(best.type.type)} jobs`,
    effect: `Moves waiting ${plainName(best.type.type)} jobs of ${queueName(best.queue)} to disk until restored: frees ${formatBytes(best.bytes)}.`,
    queues: [best.queue.id],
    args: { jobType: best.type.type },
    predictedFreedBytes: Math.round(best.bytes),
  };
}

/** What stands for several types, or for jobs without a name, can't be asked for by name. */
function isPlainType(type: string): boolean {
  return type !== '' && type !== '(other)';
}

/** Active jobs and those that wait for children stay; samples can't tell them apart by type. */
function movableRatio({ counts }: QueueState): number {
  const movable = counts.waiting + counts.prioritized + counts.delayed;
  return movable / Math.max(1, movable + counts.active + counts.waitingChildren);
}

/** A type that holds this much of its queue's jobs is named. */
const MAIN_TYPE_SHARE = 0.6;

/** All that makes room in a Redis, in no order. */
export function roomRemedies(snapshot: Snapshot, node: RedisNode): readonly Remedy[] {
  return [
    ...reclaimRemedies(snapshot.queues),
    raiseMaxmemoryRemedy(node),
    parkLargestType(snapshot.queues),
  ].filter((remedy) => remedy !== null);
}

/** What holds the most memory: named, because that is where the cause is. null where nothing was measured. */
export function largestHolder(
  snapshot: Snapshot,
): { readonly queueId: string; readonly what: string; readonly bytes: number } | null {
  let best: { queue: QueueState; kind: HolderKind; bytes: number } | null = null;
  for (const queue of snapshot.queues) {
    if (!queue.memory) continue;
    const kinds: readonly (readonly [number, HolderKind])[] = [
      [queue.memory.backlogBytes, 'pending'],
      [queue.memory.completedBytes, 'completed'],
      [queue.memory.failedBytes, 'failed'],
      [queue.memory.eventsBytes, 'events'],
    ];
    for (const [bytes, kind] of kinds) {
      if (bytes > (best?.bytes ?? 0)) best = { queue, kind, bytes };
    }
  }
  return (
    best && {
      queueId: best.queue.id,
      ...holderInWords(best.queue, best.kind, best.bytes),
    }
  );
}

type HolderKind = 'pending' | 'completed' | 'failed' | 'events';

/** "pending track jobs of analytics", and their bytes. */
function holderInWords(queue: QueueState, kind: HolderKind, bytes: number) {
  const of = `of ${queueName(queue)}`;
  if (kind === 'events') return { what: `events ${of}`, bytes };
  const heldOf = (type: TypeMemory): number =>
    kind === 'completed' ? type.completedBytes : kind === 'failed' ? type.failedBytes : type.backlogBytes;
  const main = queue.memory?.types.find((type) => heldOf(type) >= bytes * MAIN_TYPE_SHARE);
  if (!main) return { what: `${kind} jobs ${of}`, bytes };
  return { what: `${kind} ${plainName(main.type)} jobs ${of}`, bytes: heldOf(main) };
}

/** A queue must hold this share of all that waits to be the one whose pause lets the others in. */
const MAIN_SHARE = 0.5;

/**
 * Last resort while full: the queue that holds most of what waits stops taking jobs, so that the room made goes to the
 * others first. null where no queue stands out, no other would gain by it, or it drains: then a pause would stop what helps.
 */
export function pauseLargest(snapshot: Snapshot): Remedy | null {
  const waiting = snapshot.queues.filter((queue) => queue.flow === 'running' && queue.backlog > 0);
  const total = waiting.reduce((sum, queue) => sum + queue.backlog, 0);
  const largest = waiting.reduce<QueueState | null>(
    (most, queue) => (most === null || queue.backlog > most.backlog ? queue : most),
    null,
  );
  if (!largest || waiting.length < 2 || largest.backlog < total * MAIN_SHARE) return null;
  if (largest.workers === 0 || (largest.rates?.departuresPerSecond ?? 0) > 0) return null;
  return {
    action: 'queue.pause',
    label: `Pause ${queueName(largest)}`,
    effect: 'If its work can wait: other queues get the room that is made; it frees nothing itself.',
    queues: [largest.id],
    args: {},
    suffices: false,
  };
}
