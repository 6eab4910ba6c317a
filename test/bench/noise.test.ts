import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeSince, type Figure, standardErrorOf } from '../../bench/results.js';

const once = (figure: number): Figure => ({ figure, standardError: null });
const runs = (...figures: number[]): Figure[] => figures.map(once);
const verdictOf = (now: Figure, earlier: readonly Figure[], resolution = 0) =>
  changeSince(now, earlier, resolution)?.verdict;

const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
const error = fc.option(fc.double({ min: 0, max: 1e5, noNaN: true }));
const figure = fc.record({ figure: amount, standardError: error });
const history = fc.array(figure, { minLength: 1, maxLength: 8 });

describe('a run held against the one before', () => {
  it('is not judged as the first', () => expect(changeSince(once(3), [], 0)).toBeNull());

  it('is worse or better once it is further away than steady runs ever were', () => {
    const steady = runs(10, 10.1, 9.9, 10, 10.1);
    expect(verdictOf(once(10.9), steady)).toBe('same');
    expect(verdictOf(once(11.5), steady)).toBe('worse');
    expect(verdictOf(once(8.5), steady)).toBe('better');
  });

  it('may be far away where runs always were', () => {
    expect(verdictOf(once(14), runs(10, 13, 9, 12, 8))).toBe('same');
  });

  it('is not excused by one step of long ago', () => {
    expect(verdictOf(once(12), runs(10, 10, 10, 10, 40, 40, 40))).toBe('worse');
  });

  it('needs a quarter while hardly any run is known', () => {
    expect(verdictOf(once(12), runs(10))).toBe('same');
    expect(verdictOf(once(13), runs(10))).toBe('worse');
  });

  it('is worse by the first false alarm after none', () => {
    expect(verdictOf(once(1), runs(0, 0, 0))).toBe('worse');
    expect(verdictOf(once(0), runs(0, 0, 0))).toBe('same');
  });

  it('may differ by what its repeats differ by', () => {
    const last = { figure: 10, standardError: 1 };
    expect(verdictOf({ figure: 14, standardError: 1 }, [last])).toBe('same');
    expect(verdictOf({ figure: 14, standardError: 0.1 }, [{ ...last, standardError: 0.1 }])).toBe('worse');
  });

  it('is the same when nothing changed, whatever the runs before', () => {
    fc.assert(
      fc.property(history, ([last = once(0), ...older]) => {
        expect(verdictOf(last, [last, ...older])).toBe('same');
      }),
    );
  });

  it('stays worse when it is worse still, and better when better still', () => {
    fc.assert(
      fc.property(figure, history, amount, (now, earlier, more) => {
        const verdict = verdictOf(now, earlier);
        if (verdict === 'worse')
          expect(verdictOf({ ...now, figure: now.figure + more }, earlier)).toBe('worse');
        if (verdict === 'better')
          expect(verdictOf({ ...now, figure: now.figure - more }, earlier)).toBe('better');
      }),
    );
  });

  it('is never worse by a wider spread, of its own repeats or of the last run', () => {
    fc.assert(
      fc.property(figure, history, amount, amount, (now, [last = once(0), ...older], a, b) => {
        const wider = (run: Figure, by: number) => ({ ...run, standardError: (run.standardError ?? 0) + by });
        if (verdictOf(now, [last, ...older]) === 'same')
          expect(verdictOf(wider(now, a), [wider(last, b), ...older])).toBe('same');
      }),
    );
  });

  it('is judged alike in any unit', () => {
    // Powers of two: their products are exact.
    const unit = fc.integer({ min: -20, max: 20 }).map((power) => 2 ** power);
    const whole = fc.record({ figure: fc.integer({ min: 0, max: 1e6 }), standardError: fc.constant(null) });
    fc.assert(
      fc.property(whole, fc.array(whole, { minLength: 1, maxLength: 8 }), unit, (now, earlier, by) => {
        const scaled = (run: Figure): Figure => ({ ...run, figure: run.figure * by });
        expect(verdictOf(scaled(now), earlier.map(scaled))).toBe(verdictOf(now, earlier));
      }),
    );
  });

  it('shows numbers, and the change that it is', () => {
    fc.assert(
      fc.property(
        figure,
        history,
        fc.double({ min: 0, max: 10, noNaN: true }),
        (now, earlier, resolution) => {
          const change = changeSince(now, earlier, resolution);
          expect(change?.change).toBe(now.figure - (earlier[0]?.figure ?? Number.NaN));
          expect(change?.noise).toBeGreaterThanOrEqual(resolution);
        },
      ),
    );
  });
});

describe('the error of repeated measurements', () => {
  it('is unknown for fewer than three', () => expect(standardErrorOf([1, 2])).toBeNull());

  it('falls with their number and rises with their spread', () => {
    const alike = [9, 10, 11];
    expect(standardErrorOf([...alike, ...alike, ...alike])).toBeLessThan(standardErrorOf(alike) ?? 0);
    expect(standardErrorOf([5, 10, 15])).toBeGreaterThan(standardErrorOf(alike) ?? 0);
    expect(standardErrorOf([7, 7, 7])).toBe(0);
  });
});
