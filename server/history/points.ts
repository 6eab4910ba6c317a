/** How long signals are kept in each fineness, and what all of them may take of the disk. */
export interface HistorySettings {
  /** Every tick, hours. */
  readonly tickHours: number;
  /** Steps of 10 s, hours. */
  readonly tenSecondHours: number;
  /** Steps of a minute, days. */
  readonly minuteDays: number;
  readonly maxBytes: number;
}

/** One fineness in which series are kept. The next one is folded from it, a block at a time. */
export interface Tier {
  readonly name: 'tick' | 'ten_seconds' | 'minute';
  readonly stepMs: number;
  /** What one row of the store spans. */
  readonly blockMs: number;
  readonly keptMs: number;
}

export type Tiers = readonly [Tier, Tier, Tier];

/** Signals are kept a second a step, at the finest. */
export const TICK_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * The tiers, finest first. Blocks are short where much is lost with one that is not written yet, and long where most of
 * the past is, as long ones compress best. A block of one tier is a whole number of steps of the next.
 */
export function tiersOf({ tickHours, tenSecondHours, minuteDays }: HistorySettings): Tiers {
  return [
    { name: 'tick', stepMs: TICK_MS, blockMs: 30_000, keptMs: tickHours * HOUR_MS },
    { name: 'ten_seconds', stepMs: 10_000, blockMs: 10 * MINUTE_MS, keptMs: tenSecondHours * HOUR_MS },
    { name: 'minute', stepMs: MINUTE_MS, blockMs: 2 * HOUR_MS, keptMs: minuteDays * 24 * HOUR_MS },
  ];
}

/** Where the block begins that a time falls into. */
export function blockStart({ blockMs }: Tier, atMs: number): number {
  return Math.floor(atMs / blockMs) * blockMs;
}

/** Which tier a stretch is read from, and how wide its steps become. */
interface Reading {
  readonly tier: 0 | 1 | 2;
  readonly stepMs: number;
}

/**
 * The coarsest tier that is as fine as `maxPoints` ask for, of those that are kept for as long as the stretch goes back;
 * where none is, the one that goes back furthest. Steps are a whole number of its own.
 */
export function chooseReading(
  tiers: Tiers,
  fromMs: number,
  toMs: number,
  maxPoints: number,
  nowMs: number,
): Reading {
  const wantedMs = Math.max(1, (toMs - fromMs) / Math.max(1, maxPoints));
  const reaches = (tier: Tier): boolean => fromMs >= nowMs - tier.keptMs;
  let tier: Reading['tier'] = reaches(tiers[0]) ? 0 : reaches(tiers[1]) ? 1 : 2;
  while (tier < 2 && tiers[tier + 1 === 1 ? 1 : 2].stepMs <= wantedMs) tier = tier === 0 ? 1 : 2;
  const { stepMs } = tiers[tier];
  return { tier, stepMs: Math.max(1, Math.ceil(wantedMs / stepMs)) * stepMs };
}
/**
 * A stretch of one series at even steps: the i-th point belongs to [startMs + i·stepMs, startMs + (i + 1)·stepMs).
 * Where `count` is 0 there is a gap, and the rest of that point means nothing.
 */
export interface Points {
  readonly startMs: number;
  readonly stepMs: number;
  readonly mean: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** How many ticks the point is made of. */
  readonly count: Uint32Array;
}

/** A stretch of gaps. */
export function noPoints(startMs: number, stepMs: number, length: number): Points {
  return {
    startMs,
    stepMs,
    mean: new Float64Array(length),
    min: new Float64Array(length),
    max: new Float64Array(length),
    count: new Uint32Array(length),
  };
}

/** The same of single ticks, each its own least and largest. */
export function noTicks(startMs: number, length: number): Points {
  const [mean, count] = [new Float64Array(length), new Uint32Array(length)];
  return { startMs, stepMs: TICK_MS, mean, min: mean, max: mean, count };
}

/** Changes one point of `into` as if those ticks had been part of it from the start. */
export function addPoint(
  into: Points,
  i: number,
  mean: number,
  min: number,
  max: number,
  count: number,
): void {
  const before = into.count[i];
  if (before === undefined || count === 0) return;
  if (before === 0) {
    into.mean[i] = mean;
    into.min[i] = min;
    into.max[i] = max;
  } else {
    const had = into.mean[i] ?? 0;
    into.mean[i] = had + (mean - had) * (count / (before + count));
    into.min[i] = Math.min(into.min[i] ?? min, min);
    into.max[i] = Math.max(into.max[i] ?? max, max);
  }
  into.count[i] = before + count;
}

/**
 * Adds those points of `from` whose start lies in [fromMs, toMs) to the steps of `into` in which they begin. A step of
 * `into` that nothing falls into stays a gap: nothing is drawn from its neighbours.
 */
export function foldInto(into: Points, from: Points, fromMs = -Infinity, toMs = Infinity): void {
  const length = from.count.length;
  const first = Math.max(0, Math.ceil((Math.max(fromMs, into.startMs) - from.startMs) / from.stepMs));
  for (let i = first; i < length; i++) {
    const atMs = from.startMs + i * from.stepMs;
    if (atMs >= toMs) return;
    const count = from.count[i] ?? 0;
    if (count === 0) continue;
    const place = Math.floor((atMs - into.startMs) / into.stepMs);
    addPoint(into, place, from.mean[i] ?? 0, from.min[i] ?? 0, from.max[i] ?? 0, count);
  }
}
