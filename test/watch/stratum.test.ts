import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addTo,
  estimateBytes,
  estimateCount,
  fade,
  type Moments,
  noMoments,
  type Stratum,
} from '../../server/watch/sampled-state.js';
import { type SeededRandom, seededRandom } from '../support/seeded-random.js';

interface Population {
  readonly sizes: readonly number[];
  /** Which of the jobs are of the type that is asked for. */
  readonly isOfType: readonly boolean[];
}

function sampled(population: Population, n: number, random: SeededRandom) {
  const [all, ofType] = [noMoments(), noMoments()];
  for (let i = 0; i < n; i++) {
    const at = Math.floor(random.uniform() * population.sizes.length);
    addTo(all, population.sizes[at] ?? 0);
    if (population.isOfType[at]) addTo(ofType, population.sizes[at] ?? 0);
  }
  const stratum: Stratum = {
    count: population.sizes.length,
    weight: all.weight,
    effectiveSamples: n,
    isCensus: false,
  };
  return { all, ofType, stratum };
}

/** How often the range held the truth, of 1,000 samples of one population. */
function coverage(population: Population, n: number, seed: number) {
  const random = seededRandom(seed);
  const held = { bytes: 0, typeBytes: 0, typeCount: 0 };
  const truth = population.sizes.reduce((sum, size) => sum + size, 0);
  const ofType = population.sizes.filter((_, i) => population.isOfType[i]);
  const typeTruth = ofType.reduce((sum, size) => sum + size, 0);
  for (let run = 0; run < 1_000; run++) {
    const { all, ofType: part, stratum } = sampled(population, n, random);
    const whole = estimateBytes(stratum, all);
    const type = estimateBytes(stratum, part);
    const count = estimateCount(stratum, part);
    if (Math.abs(whole.bytes - truth) <= whole.errorBytes) held.bytes += 1;
    if (Math.abs(type.bytes - typeTruth) <= type.errorBytes) held.typeBytes += 1;
    const isHeld = ofType.length >= count.value - count.below && ofType.length <= count.value + count.above;
    if (isHeld) held.typeCount += 1;
  }
  return { bytes: held.bytes / 1_000, typeBytes: held.typeBytes / 1_000, typeCount: held.typeCount / 1_000 };
}

function aPopulation(sizeOf: (random: SeededRandom) => number, shareOfType: number): Population {
  const random = seededRandom(42);
  const sizes = Array.from({ length: 20_000 }, () => Math.round(sizeOf(random)));
  return { sizes, isOfType: sizes.map(() => random.uniform() < shareOfType) };
}

describe('what a sample says of a state', () => {
  const populations = {
    'like sizes': aPopulation((random) => 500 + random.between(-20, 20), 0.3),
    'two orders of magnitude, each size as likely': aPopulation(
      (random) => 100 * 100 ** random.uniform(),
      0.3,
    ),
    'a few jobs ten times as large': aPopulation((random) => (random.uniform() < 0.1 ? 5_000 : 500), 0.3),
  };
  for (const [name, population] of Object.entries(populations)) {
    for (const n of [200, 1_000]) {
      it(`its range holds the truth in about 95 of 100 cases: ${name}, ${n} samples`, () => {
        const { bytes, typeBytes, typeCount } = coverage(population, n, n);
        for (const share of [bytes, typeBytes]) {
          expect(share).toBeGreaterThanOrEqual(0.9);
          expect(share).toBeLessThanOrEqual(0.99);
        }
        // Wilson's range is wide for few samples: it never calls a share certain.
        expect(typeCount).toBeGreaterThanOrEqual(0.92);
      });
    }
  }

  it('its range is too narrow at the first look where few jobs hold most: none of them may have been met', () => {
    const { bytes, typeBytes } = coverage(populations['a few jobs ten times as large'], 40, 1);
    expect(bytes).toBeGreaterThan(0.85);
    expect(typeBytes).toBeGreaterThan(0.7);
  });

  it('adds up: types and kinds make the whole, to the byte', () => {
    const anyJobs = fc.array(
      fc.record({ size: fc.integer({ min: 1, max: 1_000_000 }), type: fc.integer({ min: 0, max: 4 }) }),
      { minLength: 1, maxLength: 100 },
    );
    fc.assert(
      fc.property(
        anyJobs,
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        (jobs, count, faded) => {
          const all = noMoments();
          const types = new Map<number, Moments>();
          for (const { size, type } of jobs) {
            addTo(all, size);
            const part = types.get(type) ?? noMoments();
            addTo(part, size);
            types.set(type, part);
          }
          for (const part of [all, ...types.values()]) fade(part, faded);
          const stratum = { count, weight: all.weight, effectiveSamples: jobs.length, isCensus: false };
          const whole = estimateBytes(stratum, all).bytes;
          const parts = [...types.values()];
          const bytes = parts.reduce((sum, part) => sum + estimateBytes(stratum, part).bytes, 0);
          const counts = parts.reduce((sum, part) => sum + estimateCount(stratum, part).value, 0);
          expect(Math.abs(bytes - whole)).toBeLessThanOrEqual(1e-9 * whole);
          expect(Math.abs(counts - count)).toBeLessThanOrEqual(1e-9 * count);
        },
      ),
    );
  });

  it('has no error where every job was looked at, and nothing to say of an empty state', () => {
    const all = noMoments();
    for (const size of [100, 900, 5_000]) addTo(all, size);
    const stratum = { count: 3, weight: 3, effectiveSamples: 3, isCensus: true };
    expect(estimateBytes(stratum, all)).toEqual({ bytes: 6_000, errorBytes: 0 });
    expect(estimateCount(stratum, all)).toEqual({ value: 3, below: 0, above: 0, error: 0 });
    expect(estimateBytes({ ...stratum, count: 0 }, all)).toEqual({ bytes: 0, errorBytes: 0 });
  });

  it('does not call a share of all or nothing certain after a few samples', () => {
    const all = noMoments();
    for (let i = 0; i < 20; i++) addTo(all, 500);
    const stratum = { count: 1_000, weight: 20, effectiveSamples: 20, isCensus: false };
    expect(estimateCount(stratum, all).error).toBeGreaterThan(50);
    expect(estimateCount(stratum, noMoments()).error).toBeGreaterThan(50);
  });
});
