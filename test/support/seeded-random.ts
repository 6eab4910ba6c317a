/** Draws that come out the same for the same seed, so that a simulated world can be run again. */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  uniform(): number;
  between(low: number, high: number): number;
  pick<T>(values: readonly T[]): T;
  /** Standard normal. */
  normal(): number;
  /** Log-normal with this median; `sigma` of its logarithm. */
  logNormal(median: number, sigma: number): number;
  /** Log-normal with this mean; `variation` is standard deviation / mean, 0: always the mean. */
  logNormalAround(mean: number, variation: number): number;
  exponential(mean: number): number;
}

/** Mulberry32 with Box–Muller on top: small, fast and good enough for worlds of some thousand draws. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return {
    uniform,
    normal,
    between: (low, high) => low + (high - low) * uniform(),
    pick: (values) => {
      const value = values[Math.floor(uniform() * values.length)];
      if (value === undefined) throw new Error('nothing to pick from');
      return value;
    },
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
    logNormalAround: (mean, variation) => {
      if (variation <= 0) return mean;
      const sigma = Math.sqrt(Math.log(1 + variation ** 2));
      return mean * Math.exp(sigma * normal() - sigma ** 2 / 2);
    },
    exponential: (mean) => -mean * Math.log(1 - uniform()),
  };
}
