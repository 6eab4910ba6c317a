export interface DrainSpread {
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
