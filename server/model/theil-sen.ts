/** A sample of anything over time. */
export interface TimedValue {
  readonly atMs: number;
  readonly value: number;
}

/** A robust line through samples. Slopes are per second. */
export interface RobustFit {
  readonly slopePerSecond: number;
  /** p10 and p90 of the slopes of blocks of the window: how far the slope may be trusted. */
  readonly slopeRange: readonly [number, number];
  /** Kendall's z: |z| > 1.96 means a trend at 95 %. */
  readonly kendallZ: number;
}

/** Two-sided 95 %. */
export const SIGNIFICANT_Z = 1.96;

/** Middle value (mean of the two middle ones); NaN for none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Quantile by linear interpolation between order statistics; NaN for none. */
function quantile(values: readonly number[], q: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), q);
}

function quantileOfSorted(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * q;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}

/**
 * Theil–Sen: the median of the slopes of all pairs of samples (Sen 1968); up to 29 % of the samples may be wild without
 * moving it, which is why spikes of memory do not look like growth. Significance by Kendall's tau with the variance
 * n(n−1)(2n+5)/18 (ties make it smaller, so ignoring them is the careful side). O(n²): give it at most ~120 samples.
 * @returns null for fewer than three samples or no time between them.
 */
export function fitRobustly(samples: readonly TimedValue[]): RobustFit | null {
  const n = samples.length;
  if (n < 3) return null;
  const { slopes, concordance } = pairSlopes(samples);
  if (slopes.length === 0) return null;
  const slope = quantileOfSorted(slopes.sort(), 0.5);
  const spread = Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  // One step towards zero: the continuity correction of the normal approximation.
  const z = (concordance - Math.sign(concordance)) / spread;
  return { slopePerSecond: slope, slopeRange: blockRange(samples, slope), kendallZ: z };
}

function pairSlopes(samples: readonly TimedValue[]): { slopes: Float64Array; concordance: number } {
  const n = samples.length;
  const slopes = new Float64Array((n * (n - 1)) / 2);
  let used = 0;
  let concordance = 0;
  for (let i = 0; i < n; i++) {
    const a = samples[i];
    if (!a) continue;
    for (let j = i + 1; j < n; j++) {
      const b = samples[j];
      if (!b || b.atMs <= a.atMs) continue;
      const difference = b.value - a.value;
      slopes[used++] = (difference / (b.atMs - a.atMs)) * 1000;
      concordance += Math.sign(difference);
    }
  }
  return { slopes: slopes.subarray(0, used), concordance };
}

const BLOCKS = 6;

/** Slopes of overlapping blocks of a third of the window: growth that changes within the window widens the band. */
function blockRange(samples: readonly TimedValue[], slope: number): readonly [number, number] {
  const size = Math.max(4, Math.floor(samples.length / 3));
  if (samples.length < size + BLOCKS - 1) return [slope, slope];
  const found: number[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    const from = Math.round((block * (samples.length - size)) / (BLOCKS - 1));
    const { slopes } = pairSlopes(samples.slice(from, from + size));
    if (slopes.length > 0) found.push(quantileOfSorted(slopes.sort(), 0.5));
  }
  if (found.length === 0) return [slope, slope];
  // The fit of the whole window belongs to its own band.
  return [Math.min(slope, quantile(found, 0.1)), Math.max(slope, quantile(found, 0.9))];
}
