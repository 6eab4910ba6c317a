import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planSampling, type SamplingNeed } from '../../server/watch/sampling-plan.js';

const aNeed = (over: Partial<SamplingNeed> = {}): SamplingNeed => ({
  queueId: 'bull:mail',
  key: 'bull:mail:wait',
  count: 10_000,
  isBacklog: false,
  known: null,
  isCensus: false,
  ageMs: Number.POSITIVE_INFINITY,
  changedRatio: 0,
  ...over,
});
const knownBy = (samples: number, deviationBytes = 500) => ({ meanBytes: 500, deviationBytes, samples });
const named = (id: string, over: Partial<SamplingNeed> = {}) =>
  aNeed({ queueId: id, key: `${id}:wait`, ageMs: 1_000, ...over });

const anyNeeds = fc
  .array(
    fc.record({
      queue: fc.integer({ min: 0, max: 5 }),
      count: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 1_000_000 })),
      known: fc.option(
        fc.record({
          meanBytes: fc.integer({ min: 0, max: 100_000 }),
          deviationBytes: fc.integer({ min: 0, max: 100_000 }),
          samples: fc.integer({ min: 1, max: 6_000 }),
        }),
      ),
      isBacklog: fc.boolean(),
      isCensus: fc.boolean(),
      ageMs: fc.integer({ min: 0, max: 300_000 }),
      changedRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { maxLength: 60 },
  )
  .map((all) =>
    all.map(
      ({ queue, ...need }, i): SamplingNeed => ({
        ...need,
        queueId: `bull:q${queue}`,
        key: `bull:q${queue}:${i}`,
      }),
    ),
  );

describe('whose jobs are looked at next', () => {
  it('keeps to its budget: no more than one list that is looked at whole goes beyond it', () => {
    fc.assert(
      fc.property(anyNeeds, fc.integer({ min: 1, max: 5_000 }), (needs, budget) => {
        const plan = planSampling(needs, budget);
        const all = [...plan.values()].reduce((sum, samples) => sum + samples, 0);
        expect(all - budget).toBeLessThanOrEqual(plan.size === 1 ? 1_200 : 0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('asks for at least one job and never for more than there are', () => {
    fc.assert(
      fc.property(anyNeeds, fc.integer({ min: 1, max: 5_000 }), (needs, budget) => {
        const plan = planSampling(needs, budget);
        for (const { key, count } of needs) {
          const samples = plan.get(key);
          if (samples === undefined) continue;
          expect(samples).toBeGreaterThan(0);
          expect(samples).toBeLessThanOrEqual(count);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('looks first at what nobody has looked at, the longest list before all', () => {
    const plan = planSampling(
      [named('bull:a', { known: knownBy(10) }), named('bull:b'), named('bull:c', { count: 90_000 })],
      200,
    );
    expect([...plan.keys()].slice(0, 2)).toEqual(['bull:c:wait', 'bull:b:wait']);
  });

  it('leaves half of the budget to what weighs most where a thousand queues are new', () => {
    const fresh = Array.from({ length: 1_000 }, (_, i) => named(`bull:new-${i}`, { count: 100 }));
    const plan = planSampling([named('bull:large', { count: 1_000_000, known: knownBy(60) }), ...fresh], 400);
    expect(plan.get('bull:large:wait') ?? 0).toBeGreaterThanOrEqual(150);
    expect(plan.size).toBeGreaterThan(20);
  });

  it('comes to know every list within a bounded number of ticks, whatever the sizes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 2_000_000 }), { minLength: 1, maxLength: 80 }),
        (counts) => {
          const known = new Map<string, SamplingNeed['known']>();
          const needs = () =>
            counts.map((count, i) => {
              const key = `bull:q${i}:wait`;
              return named(`bull:q${i}`, { key, count, known: known.get(key) ?? null });
            });
          let ticks = 0;
          while (known.size < counts.length && ticks < 2 * counts.length + 2) {
            for (const [key, samples] of planSampling(needs(), 200)) {
              const before = known.get(key)?.samples ?? 0;
              known.set(key, knownBy(before + samples));
            }
            ticks += 1;
          }
          expect(known.size).toBe(counts.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('asks for more samples where sizes differ more, until the queue is known to 3.5%', () => {
    const wanted = (deviationBytes: number): number => {
      let samples = 8;
      for (let tick = 0; tick < 1_000; tick++) {
        const more = planSampling(
          [named('bull:a', { count: 1_000_000, known: knownBy(samples, deviationBytes) })],
          300,
        );
        if (more.size === 0) break;
        samples += more.get('bull:a:wait') ?? 0;
      }
      return samples;
    };
    expect(wanted(500)).toBeGreaterThanOrEqual((1.96 / 0.035) ** 2);
    expect(wanted(500)).toBeLessThan(1.1 * (1.96 / 0.035) ** 2);
    expect(wanted(250)).toBeLessThan(wanted(500) / 3);
  });

  it('deals samples to the states of a queue by what each adds to the error', () => {
    const half = (key: string, deviationBytes: number) =>
      aNeed({ key, count: 500_000, known: knownBy(100, deviationBytes), ageMs: 1_000 });
    const plan = planSampling([half('bull:mail:wait', 900), half('bull:mail:failed', 100)], 390);
    expect(plan.get('bull:mail:wait') ?? 0).toBeGreaterThan(5 * (plan.get('bull:mail:failed') ?? 0));
  });

  it('spends nothing on what is known and has not changed, until it is old', () => {
    const still = named('bull:a', { known: knownBy(7_000) });
    expect(planSampling([still], 500).size).toBe(0);
    expect(planSampling([{ ...still, ageMs: 200_000 }], 500).size).toBe(1);
    expect(planSampling([{ ...still, ageMs: 40_000, changedRatio: 0.01 }], 500).size).toBe(1);
  });

  it('looks again where most jobs have come or gone since', () => {
    const changed = named('bull:a', { known: knownBy(4_000), changedRatio: 0.9 });
    expect(planSampling([changed], 500).get('bull:a:wait') ?? 0).toBeGreaterThan(100);
  });

  it('looks at all of a short list, at the second look where it is not very short', () => {
    const short = named('bull:a', { count: 20 });
    expect(planSampling([{ ...short, count: 10 }], 500).get('bull:a:wait')).toBe(10);
    const first = planSampling([short], 500).get('bull:a:wait') ?? 0;
    expect(first).toBeLessThan(20);
    expect(planSampling([{ ...short, known: knownBy(first) }], 500).get('bull:a:wait')).toBe(20);
  });
});
