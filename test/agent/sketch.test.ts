import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SKETCH_ACCURACY, SKETCH_BINS } from '../../agent/protocol.js';
import { Sketch } from '../../agent/sketch.js';

/** So close together that none has to be counted with the lowest. */
const durations = fc.array(fc.double({ min: 0.5, max: 5_000, noNaN: true }), {
  minLength: 1,
  maxLength: 300,
});

function sketchOf(values: readonly number[]): Sketch {
  const sketch = new Sketch();
  for (const value of values) sketch.accept(value);
  return sketch;
}

describe('what a worker says of run times', () => {
  it('is within 2% of the truth at every quantile', () => {
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, ratio) => {
        const sorted = values.toSorted((a, b) => a - b);
        const truth = sorted[Math.floor(ratio * (sorted.length - 1))] ?? Number.NaN;
        const said = sketchOf(values).quantileMs(ratio);
        expect(Math.abs(said - truth)).toBeLessThanOrEqual(truth * SKETCH_ACCURACY * 1.000_001);
      }),
    );
  });

  it('is the same whether it is seen in one go, put together of parts, or has been sent', () => {
    fc.assert(
      fc.property(durations, durations, (a, b) => {
        const whole = sketchOf([...a, ...b]);
        const together = sketchOf(a);
        together.merge(sketchOf(b));
        const sent = new Sketch();
        sent.addWire(JSON.parse(JSON.stringify(whole.toWire())));
        const { sum, ...rest } = whole.toWire();
        for (const same of [together, sent]) {
          expect(same.toWire()).toMatchObject(rest);
          expect(same.sum).toBeCloseTo(sum, 6);
          expect(same.count).toBe(whole.count);
        }
      }),
    );
  });

  it('takes no more bins than may be sent, however far apart they lie, and loses none', () => {
    const anything = fc.array(fc.double({ min: -1e3, max: 1e15 }), { maxLength: 400 });
    fc.assert(
      fc.property(anything, (values) => {
        const sketch = sketchOf(values);
        const { bins, zero } = sketch.toWire();
        expect(bins.length).toBeLessThanOrEqual(2 * SKETCH_BINS);
        const counted = bins.filter((_, i) => i % 2 === 1).reduce((sum, count) => sum + count, zero);
        expect(counted).toBe(values.length);
        expect(sketch.count).toBe(values.length);
        const indices = bins.filter((_, i) => i % 2 === 0);
        expect((indices.at(-1) ?? 0) - (indices[0] ?? 0)).toBeLessThan(SKETCH_BINS);
      }),
    );
  });

  it('counts the longest rightly where the shortest had to be counted together', () => {
    const sketch = sketchOf([0.001, 0.002, 3_600_000]);
    expect(sketch.quantileMs(1)).toBeGreaterThan(3_600_000 * 0.98);
    expect(sketch.quantileMs(1)).toBeLessThan(3_600_000 * 1.02);
    expect(sketch.count).toBe(3);
    expect(new Sketch().quantileMs(0.5)).toBe(0);
  });
});
