import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inShortWindows, perSecond } from '../../server/model/rate-limit.js';
import { accountOf } from '../../server/model/replay.js';
import { limitOfRate } from '../../server/replay/replay-queues.js';
import { coverageOf } from '../../server/replay/report.js';

const count = fc.nat({ max: 1_000_000 });

describe('the account of a replay', () => {
  it('adds up at any time: every job that matched is somewhere', () => {
    const counts = fc
      .record({
        counted: fc.option(count),
        moved: count,
        ended: fc.tuple(
          fc.double({ min: 0, max: 1, noNaN: true }),
          fc.double({ min: 0, max: 1, noNaN: true }),
        ),
        missing: count,
        parents: count,
      })
      .map(({ counted, moved, ended: [a, b], missing, parents }) => {
        const succeeded = Math.floor(moved * a);
        const failedAgain = Math.floor((moved - succeeded) * b);
        return {
          counted,
          moved,
          succeeded,
          failedAgain,
          gone: 0,
          cameBack: 0,
          skipped: { 'job-missing': missing, 'flow-parent': parents },
        };
      });
    fc.assert(
      fc.property(counts, fc.boolean(), (of, isSwept) => {
        const account = accountOf(of, isSwept);
        const because = Object.values(account.skippedBecause).reduce((sum, jobs) => sum + (jobs ?? 0), 0);
        expect(account.moved + account.skipped + account.remaining).toBe(account.matched);
        expect(account.succeeded + account.failedAgain + account.gone + account.toRun).toBe(account.moved);
        expect(because).toBe(account.skipped);
        expect(Math.min(account.remaining, account.toRun, account.skipped)).toBeGreaterThanOrEqual(0);
        if (isSwept) expect(account.remaining).toBe(0);
      }),
    );
  });
});

describe('how far a replay is', () => {
  const at = fc.integer({ min: 1_000, max: 9_000 });
  it('covered and missing together are the whole range, and meet where it stands', () => {
    fc.assert(
      fc.property(at, fc.constantFrom('oldest' as const, 'newest' as const), (cursorMs, order) => {
        const range = { fromMs: 1_000, toMs: 9_000 };
        const { covered, missing } = coverageOf({ queue: 'q', range, order, cursorMs, isSwept: false });
        const [first, second] = order === 'oldest' ? [covered, missing] : [missing, covered];
        expect([first?.fromMs, first?.toMs, second?.fromMs, second?.toMs]).toEqual([
          1_000,
          cursorMs,
          cursorMs,
          9_000,
        ]);
      }),
    );
  });
  it('nothing is covered before the first job, and all at the end', () => {
    const sweep = { queue: 'q', range: { fromMs: 0, toMs: 9 }, order: 'oldest' as const, cursorMs: null };
    expect(coverageOf({ ...sweep, isSwept: false })).toMatchObject({ covered: null, missing: sweep.range });
    expect(coverageOf({ ...sweep, isSwept: true })).toMatchObject({ covered: sweep.range, missing: null });
  });
});

it('a rate of a replay means the same as a limit of a queue', () => {
  expect(limitOfRate(50)).toEqual({ max: 50, durationMs: 1000 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200_000 }), (tenths) => {
      const written = perSecond(inShortWindows(limitOfRate(tenths / 10)));
      expect(Math.abs(written - tenths / 10) / (tenths / 10)).toBeLessThan(0.01);
    }),
  );
});
