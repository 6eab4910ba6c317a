import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dueJobs,
  type PaceBucket,
  refill,
  reRate,
  spendPace,
  startBucket,
} from '../../server/replay/replay-pace.js';

/** Runs a loop that wakes after each of the delays (and not before it may), and says what was moved. */
function run(
  perSecond: number,
  delaysMs: readonly number[],
  most: number,
): { moved: number; tookMs: number } {
  let bucket: PaceBucket = startBucket(perSecond, 0);
  let [atMs, moved] = [0, 0];
  for (const delay of delaysMs) {
    bucket = refill(bucket, atMs);
    const due = dueJobs(bucket, most);
    bucket = spendPace(bucket, due.jobs);
    moved += due.jobs;
    atMs += Math.max(delay, Math.min(due.waitMs, 1_000));
  }
  return { moved, tookMs: atMs };
}

describe('the pace of a replay', () => {
  it('is never more than what is set, over any time and however late the loop comes', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 20_000, noNaN: true }),
        fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 1_000 }),
        (perSecond, delays, most) => {
          const { moved, tookMs } = run(perSecond, delays, most);
          expect(moved).toBeLessThanOrEqual(perSecond * (tookMs / 1000 + 0.25) + 2);
        },
      ),
    );
  });

  it('is within 5% of what is set while the loop is at most 100 ms late', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 50, max: 5_000, noNaN: true }),
        fc.integer({ min: 0, max: 100 }),
        (rate, late) => {
          const { moved, tookMs } = run(rate, new Array(2_000).fill(late), 1_000);
          const perSecond = moved / (tookMs / 1000);
          expect(Math.abs(perSecond - rate) / rate).toBeLessThan(0.05);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is one job in ten seconds where that is set, and nothing at 0', () => {
    const slow = spendPace(startBucket(0.1, 0), 1);
    expect(dueJobs(refill(slow, 9_000), 500).jobs).toBe(0);
    expect(dueJobs(refill(slow, 10_001), 500).jobs).toBe(1);
    expect(dueJobs(reRate(slow, 0, 20_000), 500)).toEqual({ jobs: 0, waitMs: Infinity });
  });

  it('follows a new rate at once, without a burst of what the old one had saved', () => {
    const full = refill(startBucket(20_000, 0), 10_000);
    expect(full.tokens).toBe(5_000);
    expect(reRate(full, 10, 10_000).tokens).toBeLessThanOrEqual(2.5);
  });

  it('gathers what falls due, so that fast replays are some twenty batches a second', () => {
    expect(dueJobs({ perSecond: 1_000, tokens: 20, atMs: 0 }, 500)).toEqual({ jobs: 0, waitMs: 30 });
    expect(dueJobs({ perSecond: 1_000, tokens: 50, atMs: 0 }, 500)).toEqual({ jobs: 50, waitMs: 0 });
  });

  it('does not run when the clock goes back', () => {
    expect(refill({ perSecond: 10, tokens: 0, atMs: 5_000 }, 1_000).tokens).toBe(0);
  });
});
