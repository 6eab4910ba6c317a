import type { Bytes, KindMemory, MemoryKind, QueueMemory, TypeMemory } from './memory.js';
import type { QueueState, RedisNode, Snapshot } from './snapshot.js';
import { jobsIn } from './snapshot.js';

/** Bytes with their share of all that Redis holds against its limit. */
interface Share extends Bytes {
  /** 0..1; null: it is not known yet what Redis holds. */
  readonly shareRatio: number | null;
}

export interface QueueShare extends Share {
  readonly queue: QueueState;
  readonly memory: QueueMemory;
}

export interface TypeShare extends Share {
  readonly queue: QueueState;
  readonly type: TypeMemory;
}

interface KindShare extends Share {
  readonly kind: MemoryKind;
}

/** Sum of what is not shown one by one. */
interface RestShare extends Share {
  readonly entries: number;
}

/** Where the memory of all queues of one Redis is; each list with the largest first. */
export interface MemoryShares {
  /** What counts against the limit, over all nodes: shares are of this. */
  readonly heldBytes: number;
  readonly queues: Share;
  readonly byQueue: readonly QueueShare[];
  readonly byType: readonly TypeShare[];
  readonly byKind: readonly KindShare[];
  /** Queues that hold jobs and of which nothing is known yet. */
  readonly queuesToSample: number;
  /** When the oldest of what is shown was read; null: nothing is known yet. */
  readonly readAtMs: number | null;
}

/** Errors of independent samples add up as squares. */
function sumOfBytes(parts: readonly Bytes[]): Bytes {
  return {
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    errorBytes: Math.round(Math.sqrt(parts.reduce((sum, { errorBytes }) => sum + errorBytes ** 2, 0))),
  };
}

/** Bytes that count against the limits of these nodes together. */
export function heldBytesOf(nodes: readonly RedisNode[]): number {
  return nodes.reduce((sum, node) => sum + node.countedBytes, 0);
}

/** The job type that holds most of one Redis; null: nothing is known yet. One pass: findings ask for it in every tick. */
export function largestTypeOf(snapshot: Snapshot): TypeShare | null {
  let largest: { readonly queue: QueueState; readonly type: TypeMemory } | null = null;
  for (const queue of snapshot.queues)
    for (const type of queue.memory?.types ?? [])
      if (largest === null || type.bytes > largest.type.bytes) largest = { queue, type };
  return largest && { ...largest, ...shareOf(largest.type, heldBytesOf(snapshot.nodes)) };
}

const shares = new WeakMap<Snapshot, MemoryShares>();

/** Asked for by every page that is drawn: worked out once a Snapshot. */
export function memorySharesOf(snapshot: Snapshot): MemoryShares {
  const known = shares.get(snapshot);
  if (known) return known;
  const found = sharesIn(snapshot);
  shares.set(snapshot, found);
  return found;
}

function sharesIn(snapshot: Snapshot): MemoryShares {
  const heldBytes = heldBytesOf(snapshot.nodes);
  const known = snapshot.queues.flatMap((queue) => (queue.memory ? { queue, memory: queue.memory } : []));
  // Field by field: spreading another object into each of ten thousand takes many times as long.
  const byQueue = known.map(({ queue, memory }) => {
    const { totalBytes: bytes, errorBytes } = memory;
    return { queue, memory, bytes, errorBytes, shareRatio: ratioOf(bytes, heldBytes) };
  });
  const byType = known.flatMap(({ queue, memory }) =>
    memory.types.map((type) => {
      const { bytes, errorBytes } = type;
      return { queue, type, bytes, errorBytes, shareRatio: ratioOf(bytes, heldBytes) };
    }),
  );
  return {
    heldBytes,
    queues: shareOf(sumOfBytes(byQueue), heldBytes),
    byQueue: byQueue.sort(largestFirst),
    byType: byType.sort(largestFirst),
    byKind: kindsOf(
      known.flatMap(({ memory }) => memory.kinds),
      heldBytes,
    ),
    queuesToSample: snapshot.nodes.reduce((sum, { memory }) => sum + (memory?.queuesToSample ?? 0), 0),
    readAtMs: known.length === 0 ? null : Math.min(...known.map(({ memory }) => memory.readAtMs)),
  };
}

/** Kinds of several queues put together, largest first. */
function kindsOf(kinds: readonly KindMemory[], heldBytes: number): readonly KindShare[] {
  const byKind = new Map<MemoryKind, KindMemory[]>();
  for (const kind of kinds) {
    const same = byKind.get(kind.kind);
    if (same) same.push(kind);
    else byKind.set(kind.kind, [kind]);
  }
  return [...byKind]
    .map(([kind, parts]) => ({ kind, ...shareOf(sumOfBytes(parts), heldBytes) }))
    .sort(largestFirst);
}

/** The first `most`, and the sum of all others; null where there are none. */
export function foldRest<T extends Share>(
  shares: readonly T[],
  most: number,
  heldBytes: number,
): { readonly shown: readonly T[]; readonly rest: RestShare | null } {
  if (shares.length <= most) return { shown: shares, rest: null };
  const others = shares.slice(most);
  return {
    shown: shares.slice(0, most),
    rest: { entries: others.length, ...shareOf(sumOfBytes(others), heldBytes) },
  };
}

function shareOf({ bytes, errorBytes }: Bytes, heldBytes: number): Share {
  return { bytes, errorBytes, shareRatio: ratioOf(bytes, heldBytes) };
}

function ratioOf(bytes: number, heldBytes: number): number | null {
  return heldBytes >= 1 ? bytes / heldBytes : null;
}

function largestFirst(a: Bytes, b: Bytes): number {
  return b.bytes - a.bytes;
}

/** Samples are taken in turns. One of so many times more, or fewer, jobs than there are now is of another time. */
const MAX_TIMES = 2;
/** Below this many jobs the difference is no memory to speak of. */
const LEAST_JOBS = 100;

/**
 * Is what was measured of a queue's memory still about what it holds? A queue that was drained since held 66% by its last
 * sample and 6% in truth, and an alert fired. Pure.
 */
export function isMemoryOfNow({ memory, counts }: Pick<QueueState, 'memory' | 'counts'>): boolean {
  if (memory === null || memory.states.length === 0) return true;
  const then = memory.states.reduce((sum, { jobs }) => sum + jobs, 0);
  const now = jobsIn(counts);
  return Math.max(then, now) <= MAX_TIMES * Math.max(Math.min(then, now), LEAST_JOBS);
}
