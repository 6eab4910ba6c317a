/** A stretch of time in which nothing changes; `toSeconds` Infinity for the last one. */
export interface Stretch {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  /** Departures of jobs that wait now, and of those that come later. */
  readonly oldPerSecond: number;
  readonly newPerSecond: number;
}

export interface FlowInput {
  /** Jobs that wait now, less those that start at once. */
  readonly waiting: number;
  readonly arrivalsPerSecond: number;
  /** Jobs per second that can leave, of those that wait now and of those that come later. */
  readonly oldPerSecond: number;
  readonly newPerSecond: number;
  /** While Redis is full, no more than this leaves, for so long (Infinity: it stays full); null: it is not full. */
  readonly held: { readonly perSecond: number; readonly forSeconds: number } | null;
}

/**
 * A queue as a fluid, first in first out: first the jobs that wait now leave, at their pace, then those that came
 * meanwhile, at theirs, and once nothing waits as many as come.
 * @returns stretches from 0 to Infinity without gaps, and when nothing waits any more; null: never.
 */
export function flowOf(input: FlowInput): {
  readonly stretches: readonly Stretch[];
  readonly drainSeconds: number | null;
} {
  const stretches: Stretch[] = [];
  let drainSeconds: number | null = null;
  let atSeconds = 0;
  let old = Math.max(0, input.waiting);
  let fresh = 0;
  // Held or not, old or new, drained or not: fewer turns than this lead to the last stretch.
  for (let turn = 0; turn < 8 && Number.isFinite(atSeconds); turn++) {
    const heldUntil = input.held ? input.held.forSeconds : 0;
    const isHeld = atSeconds < heldUntil;
    const most = isHeld ? (input.held?.perSecond ?? 0) : Number.POSITIVE_INFINITY;
    const oldPerSecond = old > 0 ? Math.min(most, input.oldPerSecond) : 0;
    const canPerSecond = Math.min(most, input.newPerSecond);
    const isDrained = old <= 0 && fresh <= 0 && canPerSecond >= input.arrivalsPerSecond;
    if (isDrained) drainSeconds ??= atSeconds;
    const newPerSecond = old > 0 ? 0 : isDrained ? input.arrivalsPerSecond : canPerSecond;
    const emptyInSeconds = isDrained
      ? Number.POSITIVE_INFINITY
      : old > 0
        ? secondsFor(old, oldPerSecond)
        : secondsFor(fresh, newPerSecond - input.arrivalsPerSecond);
    const heldForSeconds = isHeld ? heldUntil - atSeconds : Number.POSITIVE_INFINITY;
    const lasts = Math.min(emptyInSeconds, heldForSeconds);
    stretches.push({
      fromSeconds: atSeconds,
      toSeconds: atSeconds + lasts,
      oldPerSecond,
      newPerSecond,
    });
    if (!Number.isFinite(lasts)) break;
    fresh = lasts < emptyInSeconds || old > 0 ? fresh + (input.arrivalsPerSecond - newPerSecond) * lasts : 0;
    old = lasts < emptyInSeconds ? old - oldPerSecond * lasts : 0;
    atSeconds += lasts;
  }
  return { stretches, drainSeconds };
}

function secondsFor(jobs: number, perSecond: number): number {
  return perSecond > 0 ? jobs / perSecond : Number.POSITIVE_INFINITY;
}
