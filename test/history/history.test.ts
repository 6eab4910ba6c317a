import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBlock, encodeBlock, GAP, readColumn, writeColumn } from '../../server/history/block.js';
import { ByteReader, ByteWriter } from '../../server/history/bytes.js';
import {
  chooseReading,
  foldInto,
  noPoints,
  type Points,
  pointsOfTicks,
  tiersOf,
} from '../../server/history/points.js';
import {
  codeOf,
  largestError,
  ofCode,
  type Precision,
  roundTo,
  spreadPrecision,
} from '../../server/model/theil-sen.js';
import { KEPT_SIGNALS, keptPrecision } from '../../server/signals/kept-signals.js';

const JOBS: Precision = { bits: 6, stepExponent: 0 };
const anyPrecision = fc.record({
  bits: fc.integer({ min: 2, max: 16 }),
  stepExponent: fc.integer({ min: -14, max: 6 }),
});
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

describe('what is kept of a value', () => {
  it('is as near to it as the precision says', () => {
    fc.assert(
      fc.property(anyValue, anyPrecision, (value, precision) => {
        expect(Math.abs(roundTo(value, precision) - value)).toBeLessThanOrEqual(
          largestError(value, precision),
        );
      }),
    );
  });

  it('stays the same when it is kept again, so that a series does not drift from tier to tier', () => {
    fc.assert(
      fc.property(anyValue, anyPrecision, (value, precision) => {
        const kept = roundTo(value, precision);
        expect(roundTo(kept, precision)).toBe(kept);
      }),
    );
  });

  it('never turns a larger value into a smaller one', () => {
    fc.assert(
      fc.property(anyValue, anyValue, anyPrecision, (a, b, precision) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        expect(codeOf(less, precision)).toBeLessThanOrEqual(codeOf(more, precision));
      }),
    );
  });

  it('is exact for up to 128 jobs', () => {
    for (let jobs = 0; jobs <= 128; jobs++) expect(ofCode(codeOf(jobs, JOBS), JOBS)).toBe(jobs);
  });
});

describe('a column of codes', () => {
  it('is read as it was written, gaps and all', () => {
    const anyCodes = fc.array(
      fc.oneof(fc.constant(GAP), fc.constant(5), fc.integer({ min: 0, max: 2 ** 28 })),
    );
    fc.assert(
      fc.property(anyCodes, fc.constantFrom('distance' as const, 'plain' as const), (list, coding) => {
        const codes = Int32Array.from(list);
        const writer = new ByteWriter();
        writeColumn(writer, codes, coding);
        const read = new Int32Array(codes.length);
        readColumn(new ByteReader(writer.bytes()), read, coding);
        expect([...read]).toEqual([...codes]);
      }),
    );
  });

  it('takes a few bytes when nothing changes for a day', () => {
    const writer = new ByteWriter();
    writeColumn(writer, new Int32Array(86_400).fill(12), 'distance');
    expect(writer.length).toBeLessThan(8);
  });
});

describe('a block', () => {
  it('gives back each tick within the stated precision, and every gap', () => {
    fc.assert(
      fc.property(someTicks(30), anyPrecision, (ticks, precision) => {
        const bytes = encodeBlock([{ signal: 3, precision, points: pointsOfTicks(0, 1000, ticks) }], 1);
        const points = decodeBlock(bytes, 60_000, 3)[0]?.points;
        expect(points?.startMs).toBe(60_000);
        ticks.forEach((value, i) => {
          expect(points?.count[i]).toBe(Number.isNaN(value) ? 0 : 1);
          if (!Number.isNaN(value))
            expect(Math.abs((points?.mean[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(
              largestError(value, precision),
            );
        });
      }),
    );
  });

  it('frames what it holds by its least and largest, within the precision of their distance', () => {
    fc.assert(
      fc.property(someTicks(60), (ticks) => {
        const folded = foldOf(pointsOfTicks(0, 1000, ticks), 10_000);
        const bytes = encodeBlock([{ signal: 1, precision: JOBS, points: folded }], 10);
        const read = decodeBlock(bytes, 0)[0]?.points ?? noPoints(0, 1, 0);
        for (const [i, count] of folded.count.entries()) {
          expect(read.count[i]).toBe(count);
          if (count === 0) continue;
          const [mean = 0, min = 0, max = 0] = [folded.mean[i], folded.min[i], folded.max[i]];
          const off = largestError(mean, JOBS);
          expect(Math.abs((read.mean[i] ?? 0) - mean)).toBeLessThanOrEqual(off);
          for (const [end, kept] of [
            [min, read.min[i] ?? 0],
            [max, read.max[i] ?? 0],
          ] as const)
            expect(Math.abs(kept - end)).toBeLessThanOrEqual(
              off + largestError(Math.abs(end - mean) + off, spreadPrecision(JOBS)),
            );
          expect(read.min[i]).toBeLessThanOrEqual(read.mean[i] ?? 0);
          expect(read.max[i]).toBeGreaterThanOrEqual(read.mean[i] ?? 0);
        }
      }),
    );
  });

  it('that is damaged is refused or read as something, and never hangs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          decodeBlock(bytes, 0);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

describe('folding into wider steps', () => {
  it('comes to the same at once and by way of a step between', () => {
    fc.assert(
      fc.property(someTicks(120), (ticks) => {
        const points = pointsOfTicks(0, 1000, ticks);
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
        const folded = foldOf(pointsOfTicks(0, 1000, ticks), 10_000);
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
        const { mean, min, max, count } = foldOf(pointsOfTicks(0, 1000, ticks), 60_000);
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

it('every kept signal has a precision that its codes can carry', () => {
  expect(KEPT_SIGNALS.filter(({ scope }) => scope === 'queue')).toHaveLength(17);
  expect(KEPT_SIGNALS.filter(({ scope }) => scope === 'job-type')).toHaveLength(6);
  for (const signal of KEPT_SIGNALS) expect(codeOf(1e38, keptPrecision(signal))).toBeLessThan(2 ** 29);
});

function foldOf(points: Points, stepMs: number): Points {
  const into = noPoints(0, stepMs, Math.ceil((points.count.length * points.stepMs) / stepMs));
  foldInto(into, points);
  return into;
}
