/** Repeatable randomness for simulations: mulberry32, and the distributions that queues are made of. */
export interface SeededRandom {
  /** 0 (inclusive) to 1. */
  uniform(): number;
  between(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
  exponential(mean: number): number;
  /** @param variation standard deviation / mean; 0: always the mean. */
  lognormal(mean: number, variation: number): number;
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    pick: (items) => {
      const item = items[Math.floor(uniform() * items.length)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
    exponential: (mean) => -mean * Math.log(1 - uniform()),
    lognormal: (mean, variation) => {
      if (variation <= 0) return mean;
      const sigma = Math.sqrt(Math.log(1 + variation ** 2));
      const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
      return mean * Math.exp(sigma * normal - sigma ** 2 / 2);
    },
  };
}
