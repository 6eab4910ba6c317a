/**
 * How exactly values are kept: as whole numbers of steps of `2 ** stepExponent` while they are small, and with `bits`
 * significant bits above, as floating point does. Whole numbers up to `2 ** (bits + 1)` steps are exact; what is larger
 * is off by at most its `2 ** -(bits + 1)`th part.
 */
export interface Precision {
  /** 1 to 20 */
  readonly bits: number;
  readonly stepExponent: number;
}

/** The code of a finite value: larger for larger values, and of the other sign for the negative. */
export function codeOf(value: number, { bits, stepExponent }: Precision): number {
  const steps = Math.abs(value) * 2 ** -stepExponent;
  const sign = value < 0 ? -1 : 1;
  if (steps < 2 ** (bits + 1)) return sign * Math.round(steps) || 0;
  let octave = Math.floor(Math.log2(steps)) - bits;
  // log2 rounds: right below a power of two it may say the power.
  if (2 ** (bits + octave) > steps) octave -= 1;
  return sign * ((octave + 1) * 2 ** bits + Math.round(steps / 2 ** octave - 2 ** bits));
}

/** The value that a code stands for. */
export function ofCode(code: number, { bits, stepExponent }: Precision): number {
  const size = Math.abs(code);
  const sign = code < 0 ? -1 : 1;
  if (size < 2 ** (bits + 1)) return code * 2 ** stepExponent;
  const octave = Math.floor(size / 2 ** bits) - 1;
  const steps = (2 ** bits + size - (octave + 1) * 2 ** bits) * 2 ** octave;
  return sign * steps * 2 ** stepExponent;
}

/** What a value becomes by being kept. */
export function roundTo(value: number, precision: Precision): number {
  return ofCode(codeOf(value, precision), precision);
}

/** Largest distance between a value and what is kept of it. */
export function largestError(value: number, { bits, stepExponent }: Precision): number {
  return Math.max(2 ** (stepExponent - 1), Math.abs(value) * 2 ** -(bits + 1)) * (1 + 1e-9);
}

/** Of how far the least and the largest lie from the mean less is kept: they only frame it. */
export function spreadPrecision({ bits, stepExponent }: Precision): Precision {
  return { bits: Math.max(2, bits - 3), stepExponent };
}
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
export function quantile(values: readonly number[], q: number): number {
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
