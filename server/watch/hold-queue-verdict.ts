import type { QueueState, QueueVerdict } from '../model/snapshot.js';

/** The verdict that stands for a queue, and what it needs to know to change. */
export interface HeldVerdict {
  readonly verdict: QueueVerdict;
  /** Since when the queue is in this trouble, whichever of its neighbouring verdicts says so. */
  readonly sinceMs: number;
  /** Since when, in an unbroken row, the ladder says something else; null: it agrees. */
  readonly otherSinceMs: number | null;
}

/** A trouble that is measured, and not read, ends or becomes another only after it was not found for so long. */
export const QUEUE_VERDICT_HOLD_MS = 15_000;

/**
 * Troubles that hang on rates, on how many slots are busy, or on what workers say of themselves: noise moves them across
 * their thresholds and back. All other verdicts are facts (a pause, no worker, nothing left for so long) and hold at once.
 */
const MEASURED: ReadonlySet<QueueVerdict> = new Set([
  'capped',
  'rate-limited',
  'failing',
  'overloaded',
  'growing',
]);
const FACTS: ReadonlySet<QueueVerdict> = new Set([
  'paused-by-spillway',
  'paused',
  'idle',
  'no-workers',
  'workers-paused',
  'blocked-by-memory',
  'stuck',
]);

/** One trouble under several verdicts: it goes on, and keeps its beginning, when one becomes the other. */
const NEIGHBOURS: readonly (readonly QueueVerdict[])[] = [
  ['overloaded', 'growing'],
  ['stuck', 'blocked-by-memory'],
];

/**
 * Can what this verdict says still be so? Noise moves a measured trouble across its threshold, but a row that plainly says
 * otherwise (no job active, no limit set) ends it at once: the finding would contradict it.
 */
export function hasGround({
  verdict,
  counts,
  concurrency,
  rateLimit,
  rateLimitedForMs,
  observedLimiterMs,
}: Pick<
  QueueState,
  'verdict' | 'counts' | 'concurrency' | 'rateLimit' | 'rateLimitedForMs' | 'observedLimiterMs'
>): boolean {
  switch (verdict) {
    case 'overloaded':
      return counts.active > 0;
    case 'capped':
      return counts.active > 0 && concurrency !== null;
    case 'rate-limited':
      return rateLimit !== null || rateLimitedForMs > 0 || observedLimiterMs > 0;
    default:
      return true;
  }
}

/**
 * Keeps a verdict from flapping: the one place where that is decided. Pure.
 * @param held what stood at the last tick; null: the queue is new.
 * @param found what the ladder says now.
 * @param isPressed can a measured trouble go on? Not once hardly anything waits or its ground is gone (`hasGround`), nor right
 *   after somebody acted on it.
 */
export function holdVerdict(
  held: HeldVerdict | null,
  found: QueueVerdict,
  isPressed: boolean,
  nowMs: number,
): HeldVerdict {
  if (held === null) return { verdict: found, sinceMs: nowMs, otherSinceMs: null };
  if (found === held.verdict) return held.otherSinceMs === null ? held : { ...held, otherSinceMs: null };
  const otherSinceMs = held.otherSinceMs ?? nowMs;
  const isHeld = isPressed && MEASURED.has(held.verdict) && !FACTS.has(found);
  if (isHeld && nowMs - otherSinceMs < QUEUE_VERDICT_HOLD_MS) return { ...held, otherSinceMs };
  const sinceMs = areNeighbours(held.verdict, found) ? held.sinceMs : nowMs;
  return { verdict: found, sinceMs, otherSinceMs: null };
}

function areNeighbours(one: QueueVerdict, other: QueueVerdict): boolean {
  return NEIGHBOURS.some((group) => group.includes(one) && group.includes(other));
}
