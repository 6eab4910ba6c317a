import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentSeries } from '../../server/watch/recent.js';

describe('the last minutes, kept in bounded memory', () => {
  it('gives back what it was given, oldest first, up to its capacity', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 40 }),
        fc.array(fc.option(fc.integer({ min: 0, max: 1000 })), { maxLength: 200 }),
        (capacity, given) => {
          // Neighbours differ here, so that no level line is shortened.
          const values = given.map((value, i) => (value === null ? null : value * 2 + (i % 2)));
          const ring = new RecentSeries(['depth'], capacity, 0);
          for (const [i, value] of values.entries()) ring.add(i + 1, { depth: value });
          const series = ring.series();
          const last = series.atMs.length;
          if (values.length > 0) expect(series.atMs[last - 1]).toBe(values.length);
          expect(last).toBeLessThanOrEqual(capacity);
          for (const [i, atMs] of series.atMs.entries()) {
            if (i > 0) expect(atMs).toBeGreaterThan(series.atMs[i - 1] ?? 0);
            expect(series.values.depth?.[i]).toBe(values[atMs - 1] ?? null);
          }
        },
      ),
    );
  });

  it('keeps a level line as its two ends, and the step after it', () => {
    const ring = new RecentSeries(['depth'], 100, 0);
    for (let at = 1; at <= 50; at++) ring.add(at, { depth: 7 });
    ring.add(51, { depth: 9 });
    expect(ring.series()).toEqual({ atMs: [1, 50, 51], values: { depth: [7, 7, 9] } });
  });
});
