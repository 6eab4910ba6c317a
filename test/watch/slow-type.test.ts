import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slowReason, type TypeToJudge } from '../../server/watch/type-trends.js';

const ran = (p50Ms: number, count = 100) => ({
  count,
  meanMs: p50Ms,
  p50Ms,
  p95Ms: 2 * p50Ms,
  p99Ms: 3 * p50Ms,
  histogram: [],
});
const usual = (p50Ms: number, count = 100) => ({ p50Ms, p95Ms: 2 * p50Ms, count });
const aType = (over: Partial<TypeToJudge> = {}): TypeToJudge => ({
  run: ran(200),
  baseline: usual(200),
  thresholdMs: null,
  shareOfWork: 0.2,
  queueDrainSeconds: 10,
  ...over,
});

describe('a slow job type', () => {
  it('is not one that runs as it always did in a queue that drains', () => {
    expect(slowReason(aType())).toBeNull();
  });

  it('is one whose p95 is over what a person has set, before any other reason', () => {
    const type = aType({ run: ran(1_000), thresholdMs: 1_500, shareOfWork: 0.9, queueDrainSeconds: 600 });
    expect(slowReason(type)).toEqual({ code: 'threshold', thresholdMs: 1_500, p95Ms: 2_000 });
    expect(slowReason({ ...type, thresholdMs: 2_000 })?.code).toBe('baseline');
  });

  it('is one that runs 2.5 times as long as it used to, by 50 ms at least', () => {
    expect(slowReason(aType({ run: ran(501) }))).toEqual({
      code: 'baseline',
      baselineP50Ms: 200,
      nowP50Ms: 501,
    });
    expect(slowReason(aType({ run: ran(500) }))).toBeNull();
    expect(slowReason(aType({ run: ran(50), baseline: usual(5) }))).toBeNull();
  });

  it('is not called so by a handful of runs, now or then', () => {
    expect(slowReason(aType({ run: ran(5_000, 9) }))).toBeNull();
    expect(slowReason(aType({ run: ran(5_000), baseline: usual(200, 9) }))).toBeNull();
    expect(slowReason(aType({ run: ran(5_000), baseline: null }))).toBeNull();
  });

  it('is one that makes up most of the work that a queue needs minutes for', () => {
    const type = aType({ run: ran(600), baseline: usual(600), shareOfWork: 0.5, queueDrainSeconds: 61 });
    expect(slowReason(type)).toEqual({ code: 'drain', shareOfWork: 0.5 });
    expect(slowReason({ ...type, shareOfWork: 0.49 })).toBeNull();
    expect(slowReason({ ...type, queueDrainSeconds: 60 })).toBeNull();
    expect(slowReason({ ...type, queueDrainSeconds: null })).toBeNull();
    expect(slowReason({ ...type, run: ran(499) })).toBeNull();
  });

  it('never becomes well again by running longer', () => {
    const anyType = fc.record({
      p50Ms: fc.integer({ min: 1, max: 100_000 }),
      more: fc.integer({ min: 0, max: 100_000 }),
      past: fc.option(fc.integer({ min: 1, max: 100_000 })),
      thresholdMs: fc.option(fc.integer({ min: 1, max: 100_000 })),
      shareOfWork: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      queueDrainSeconds: fc.option(fc.integer({ min: 0, max: 10_000 })),
    });
    fc.assert(
      fc.property(anyType, ({ p50Ms, more, past, ...rest }) => {
        const baseline = past === null ? null : usual(past);
        const before = slowReason({ ...rest, baseline, run: ran(p50Ms) });
        const after = slowReason({ ...rest, baseline, run: ran(p50Ms + more) });
        if (before !== null) expect(after).not.toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  it('is nothing that can be said of a type that has not run', () => {
    expect(slowReason(aType({ run: null, thresholdMs: 1 }))).toBeNull();
    expect(slowReason(aType({ run: ran(500, 0), thresholdMs: 1 }))).toBeNull();
  });
});
