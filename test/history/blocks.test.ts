import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBlock, encodeBlock, KEPT_BITS } from '../../server/history/block.js';
import {
  addPoint,
  chooseReading,
  foldInto,
  noPoints,
  noTicks,
  type Points,
  TICK_MS,
  tiersOf,
} from '../../server/history/points.js';
import { KEPT_SIGNALS } from '../../server/signals/kept-signals.js';

const anyScope = fc.constantFrom('queue' as const, 'node' as const);
const anyValue = fc.oneof(
  fc.double({ min: -1e12, max: 1e12, noNaN: true }),
  fc.integer({ min: -300, max: 300 }),
  fc.double({ min: -2, max: 2, noNaN: true }),
);
/** Ticks of a stretch; NaN is a gap. */
const someTicks = (length: number) =>
  fc.array(fc.oneof(fc.constant(Number.NaN), anyValue, fc.constant(7)), {
    minLength: length,
    maxLength: length,
  });

function pointsOfTicks(values: readonly number[]): Points {
  const points = noTicks(0, values.length);
  for (const [i, value] of values.entries())
    if (!Number.isNaN(value)) addPoint(points, i, value, value, value, 1);
  return points;
}

/** What is read of points that were written. */
function keptOf(points: Points, scope: keyof typeof KEPT_BITS = 'queue'): Points {
  const { stepMs, count } = points;
  const bytes = encodeBlock({ scope, stepMs, length: count.length }, [{ signal: 3, points }]);
  return decodeBlock(bytes, 60_000, 3)[0]?.points ?? noPoints(0, 1, 0);
}

/** Half of the last bit that is kept; below 1e-37 a float knows no smaller ones. */
function largestError(value: number, scope: keyof typeof KEPT_BITS = 'queue'): number {
  return Math.max(1e-37, Math.abs(value) * 2 ** -(KEPT_BITS[scope] + 1)) * (1 + 1e-6);
}

describe('what is kept of a tick', () => {
  it('is as near to it as is promised for its scope, and every gap is a gap', () => {
    fc.assert(
      fc.property(someTicks(30), anyScope, (ticks, scope) => {
        const kept = keptOf(pointsOfTicks(ticks), scope);
        expect(kept.startMs).toBe(60_000);
        ticks.forEach((value, i) => {
          expect(kept.count[i]).toBe(Number.isNaN(value) ? 0 : 1);
          if (Number.isNaN(value)) return;
          for (const of of [kept.mean, kept.min, kept.max])
            expect(Math.abs((of[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(largestError(value, scope));
        });
      }),
    );
  });

  it('stays the same when it is kept again, so that a series does not drift from tier to tier', () => {
    fc.assert(
      fc.property(someTicks(10), anyScope, (ticks, scope) => {
        const kept = keptOf(pointsOfTicks(ticks), scope);
        expect(keptOf(kept, scope).mean).toEqual(kept.mean);
      }),
    );
  });

  it('never turns a larger value into a smaller one', () => {
    fc.assert(
      fc.property(anyValue, anyValue, anyScope, (a, b, scope) => {
        const [less = 0, more = 0] = keptOf(pointsOfTicks([Math.min(a, b), Math.max(a, b)]), scope).mean;
        expect(less).toBeLessThanOrEqual(more);
      }),
    );
  });

  it('is exact for up to 128 jobs', () => {
    const jobs = Array.from({ length: 129 }, (_, i) => i);
    expect([...keptOf(pointsOfTicks(jobs)).mean]).toEqual(jobs);
  });

  it('is a number as large as there are for every signal that is kept', () => {
    expect(KEPT_SIGNALS.filter(({ scope }) => scope === 'queue')).toHaveLength(17);
    expect(KEPT_SIGNALS.filter(({ scope }) => scope === 'job-type')).toHaveLength(6);
    for (const { scope } of KEPT_SIGNALS)
      expect(keptOf(pointsOfTicks([1e38]), scope).mean[0]).toBeCloseTo(1e38, -37);
  });
});

describe('a block', () => {
  it('gives back every signal, or the one that is asked for', () => {
    const columns = Array.from({ length: 40 }, (_, i) => ({
      signal: 300 + i,
      points: pointsOfTicks([i, Number.NaN, i]),
    }));
    const bytes = encodeBlock({ scope: 'instance', stepMs: TICK_MS, length: 3 }, columns);
    const all = decodeBlock(bytes, 0);
    expect(all.map(({ signal, points }) => [signal, points.mean[2]])).toEqual(
      columns.map(({ signal }, i) => [signal, i]),
    );
    expect(decodeBlock(bytes, 0, 317)).toEqual([all[17]]);
    expect(decodeBlock(bytes, 0, 1)).toEqual([]);
  });

  it('frames what it holds by its least and largest, each as exact as the mean', () => {
    fc.assert(
      fc.property(someTicks(60), anyScope, (ticks, scope) => {
        const folded = foldOf(pointsOfTicks(ticks), 10_000);
        const read = keptOf(folded, scope);
        for (const [i, count] of folded.count.entries()) {
          expect(read.count[i]).toBe(count);
          if (count === 0) continue;
          for (const part of ['mean', 'min', 'max'] as const) {
            const value = folded[part][i] ?? 0;
            expect(Math.abs((read[part][i] ?? 0) - value)).toBeLessThanOrEqual(largestError(value, scope));
          }
          expect(read.min[i]).toBeLessThanOrEqual(read.mean[i] ?? 0);
          expect(read.max[i]).toBeGreaterThanOrEqual(read.mean[i] ?? 0);
        }
      }),
    );
  });

  it('takes a hundred bytes or so when no signal changes for hours', () => {
    const points = foldOf(pointsOfTicks(Array(4 * 3_600).fill(12)), 60_000);
    const columns = Array.from({ length: 17 }, (_, signal) => ({ signal, points }));
    const bytes = encodeBlock({ scope: 'queue', stepMs: 60_000, length: 240 }, columns);
    expect(bytes.length).toBeLessThan(200);
  });

  it('that is damaged is refused or read as something, and never hangs', () => {
    const whole = encodeBlock({ scope: 'queue', stepMs: TICK_MS, length: 4 }, [
      { signal: 1, points: pointsOfTicks([1, 2, 3, 4]) },
    ]);
    const flipped = fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => {
      const bytes = Uint8Array.from(whole);
      bytes[at] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), flipped), (bytes) => {
        try {
          decodeBlock(bytes, 0);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});

describe('folding into wider steps', () => {
  it('comes to the same at once and by way of a step between', () => {
    fc.assert(
      fc.property(someTicks(120), (ticks) => {
        const points = pointsOfTicks(ticks);
        const atOnce = foldOf(points, 60_000);
        const byTens = foldOf(foldOf(points, 10_000), 60_000);
        expect([...byTens.count]).toEqual([...atOnce.count]);
        expect([...byTens.min]).toEqual([...atOnce.min]);
        expect([...byTens.max]).toEqual([...atOnce.max]);
        atOnce.mean.forEach((mean, i) => {
          const scale = Math.max(1, Math.abs(atOnce.min[i] ?? 0), Math.abs(atOnce.max[i] ?? 0));
          expect(Math.abs((byTens.mean[i] ?? 0) - mean) / scale).toBeLessThan(1e-9);
        });
      }),
    );
  });

  it('never bridges a gap: a step is known exactly when a tick fell into it', () => {
    fc.assert(
      fc.property(someTicks(90), (ticks) => {
        const folded = foldOf(pointsOfTicks(ticks), 10_000);
        for (let i = 0; i < 9; i++)
          expect(folded.count[i]).toBe(
            ticks.slice(i * 10, i * 10 + 10).filter((value) => !Number.isNaN(value)).length,
          );
      }),
    );
  });

  it('keeps a mean between the least and the largest', () => {
    fc.assert(
      fc.property(someTicks(60), (ticks) => {
        const { mean, min, max, count } = foldOf(pointsOfTicks(ticks), 60_000);
        if (count[0] === 0) return;
        const [m = 0, low = 0, high = 0] = [mean[0], min[0], max[0]];
        const slack = 1e-9 * Math.max(1, Math.abs(low), Math.abs(high));
        expect(m).toBeGreaterThanOrEqual(low - slack);
        expect(m).toBeLessThanOrEqual(high + slack);
      }),
    );
  });
});

describe('which tier a stretch is read from', () => {
  const tiers = tiersOf({ tickHours: 1, tenSecondHours: 24, minuteDays: 30, maxBytes: 0 });
  const hour = 3_600_000;
  const now = 1_000 * hour;
  it.each([
    ['the last quarter of an hour in every tick', 0.25, 900, 0, 1_000],
    ['the last hour, as coarse as asked for', 1, 360, 1, 10_000],
    ['the last day in minutes', 24, 600, 2, 180_000],
    ['the last month', 720, 600, 2, 4_320_000],
  ])('%s', (_, hours, maxPoints, tier, stepMs) => {
    expect(chooseReading(tiers, now - hours * hour, now, maxPoints, now)).toEqual({ tier, stepMs });
  });

  it('what is too old for the finer tiers comes from the coarser', () => {
    const from = now - 30 * hour;
    expect(chooseReading(tiers, from, from + hour, 3_600, now)).toEqual({ tier: 2, stepMs: 60_000 });
  });

  it('never gives more points than are asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 720 * hour }),
        fc.integer({ min: 1, max: 720 * hour }),
        fc.integer({ min: 1, max: 5_000 }),
        (ago, length, maxPoints) => {
          const { stepMs } = chooseReading(tiers, now - ago, now - ago + length, maxPoints, now);
          expect(Math.ceil(length / stepMs)).toBeLessThanOrEqual(maxPoints);
        },
      ),
    );
  });
});

function foldOf(points: Points, stepMs: number): Points {
  const into = noPoints(0, stepMs, Math.ceil((points.count.length * points.stepMs) / stepMs));
  foldInto(into, points);
  return into;
}
