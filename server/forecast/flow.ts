import { positive } from '../model/plan.js';
import type { QueueState } from '../model/snapshot.js';
import type { Mix } from './mix.js';

/** Counts that differ by more than so many deviations differ by more than chance. */
const DEVIATIONS = 4;
/** And a rate that differs by less than this factor is the same for what is planned with it. */
const FACTOR = 1.5;

/**
 * Jobs that arrive per second: the mean of the last half minute, or what came in the last seconds where that is another
 * rate by more than chance (Poisson: √n), as after a burst or a surge. Pure.
 */
export function arrivalsNow({ rates }: Pick<QueueState, 'rates'>): number {
  const mean = positive(rates?.arrivalsPerSecond);
  const recent = rates?.recentArrivals;
  if (!recent || !(recent.windowMs > 0)) return mean;
  const seconds = recent.windowMs / 1000;
  const perSecond = positive(recent.perSecond);
  const isOther = Math.max(mean, perSecond) > FACTOR * Math.min(mean, perSecond);
  const byChance = DEVIATIONS * Math.sqrt(Math.max(mean * seconds, 1));
  return isOther && Math.abs(perSecond - mean) * seconds > byChance ? perSecond : mean;
}

interface DrainSpread {
  /** Jobs to be drained. */
  readonly jobs: number;
  /** Departures less arrivals per second; below 0 the backlog grows. */
  readonly netPerSecond: number;
  /** Standard deviation of that mean: how well the rates are known. */
  readonly netErrorPerSecond: number;
  /** Variance per second of what arrives less what leaves, by chance (jobs² a second). */
  readonly variancePerSecond: number;
  /** Standard deviation of the time itself: jobs leave in waves. */
  readonly waveSeconds: number;
}

/** 90 % of a normal distribution lie within so many standard deviations. */
export const RANGE_DEVIATIONS = 1.645;
/** A rate of arrivals is known from about so long: Poisson, its error is √(rate / window). */
export const ARRIVAL_WINDOW_SECONDS = 60;

/**
 * Within what time 90 % of such backlogs drain. After t seconds m·t jobs less wait, with a variance of V·t + s²·t²
 * (diffusion approximation of a busy queue), so the ends solve (m·t − jobs)² = z²·(V·t + s²·t² + m²·w²).
 * @returns [null, null] where it never drains for certain; an end of null: it may never drain.
 */
export function drainRange(spread: DrainSpread): readonly [number | null, number | null] {
  const { jobs, netPerSecond: m } = spread;
  if (!(jobs > 0)) return m >= 0 ? [0, 0] : [null, null];
  const z2 = RANGE_DEVIATIONS ** 2;
  const a = m ** 2 - z2 * spread.netErrorPerSecond ** 2;
  const b = -(2 * m * jobs + z2 * spread.variancePerSecond);
  const c = jobs ** 2 - z2 * (m * spread.waveSeconds) ** 2;
  if (m <= 0 && a >= 0) return [null, null];
  const root = Math.sqrt(Math.max(0, b ** 2 - 4 * a * c));
  // Both forms are the same root; this one does not subtract what is nearly equal.
  const low = c <= 0 ? 0 : finite((2 * c) / (root - b));
  const high = m > 0 && a > 0 ? finite((root - b) / (2 * a)) : null;
  return [low, high];
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? Math.max(0, value) : null;
}
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

/** What changes Redis's memory while a backlog drains. */
export interface MemoryFlow {
  readonly stretches: readonly Stretch[];
  readonly arrivalsPerSecond: number;
  /** Of what waits now, and of what comes; null: nothing. */
  readonly old: Mix | null;
  readonly fresh: Mix | null;
  readonly otherGrowthBytesPerSecond: number;
}

/** Bytes by which memory has changed after so many seconds: this queue's part, and that of others. */
export function changeAt(
  flow: MemoryFlow,
  atSeconds: number,
): { readonly ownBytes: number; readonly otherBytes: number } {
  let ownBytes = 0;
  for (const stretch of flow.stretches) {
    const lasted = Math.min(atSeconds, stretch.toSeconds) - stretch.fromSeconds;
    if (!(lasted > 0)) break;
    ownBytes += ownGrowth(flow, stretch) * lasted;
  }
  return { ownBytes, otherBytes: flow.otherGrowthBytesPerSecond * atSeconds };
}

/** Seconds until memory has grown by so much; 0 where that is nothing, null: never. */
export function secondsUntilGrown(flow: MemoryFlow, roomBytes: number): number | null {
  let left = roomBytes;
  if (left <= 0) return 0;
  for (const stretch of flow.stretches) {
    const growth = ownGrowth(flow, stretch) + flow.otherGrowthBytesPerSecond;
    const lasts = stretch.toSeconds - stretch.fromSeconds;
    if (growth > 0 && left / growth <= lasts) {
      const seconds = stretch.fromSeconds + left / growth;
      return Number.isFinite(seconds) ? seconds : null;
    }
    if (!Number.isFinite(lasts)) return null;
    left -= growth * lasts;
  }
  return null;
}

/** Arrivals bring their bytes; departures take theirs, but for what is kept of a job that is done. */
function ownGrowth(flow: MemoryFlow, stretch: Stretch): number {
  return (
    flow.arrivalsPerSecond * (flow.fresh?.bytesPerJob ?? 0) -
    stretch.oldPerSecond * freedBytes(flow.old) -
    stretch.newPerSecond * freedBytes(flow.fresh)
  );
}

/** Bytes that a departure gives back; below 0 where what is kept is more than what waited. */
export function freedBytes(mix: Mix | null): number {
  return mix ? mix.bytesPerJob - mix.keepsBytesPerJob : 0;
}
