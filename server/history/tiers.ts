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

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * The tiers, finest first. Blocks are short where much is lost with one that is not written yet, and long where most of
 * the past is, as long ones compress best. A block of one tier is a whole number of steps of the next.
 */
export function tiersOf({ tickHours, tenSecondHours, minuteDays }: HistorySettings): Tiers {
  return [
    { name: 'tick', stepMs: 1_000, blockMs: 30_000, keptMs: tickHours * HOUR_MS },
    { name: 'ten_seconds', stepMs: 10_000, blockMs: 10 * MINUTE_MS, keptMs: tenSecondHours * HOUR_MS },
    { name: 'minute', stepMs: MINUTE_MS, blockMs: 2 * HOUR_MS, keptMs: minuteDays * 24 * HOUR_MS },
  ];
}

/** Where the block begins that a time falls into. */
export function blockStart({ blockMs }: Tier, atMs: number): number {
  return Math.floor(atMs / blockMs) * blockMs;
}

/** Which tier a stretch is read from, and how wide its steps become. */
export interface Reading {
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
