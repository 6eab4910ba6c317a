import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallCost, costAfter, jobsACall } from '../../server/replay/replay-pace.js';

/** After so many calls of what it says itself, each job taking `usecPerJob` and each call `callUsec` more on its way. */
function settled(usecPerJob: number, wayUsec: number, isBehind = false, calls = 60): CallCost {
  let cost: CallCost | null = null;
  for (let i = 0; i < calls; i += 1) {
    const jobs = jobsACall(cost, isBehind);
    cost = costAfter(cost, jobs, jobs * usecPerJob, jobs * usecPerJob + wayUsec);
  }
  if (!cost) throw new Error('no call was made');
  return cost;
}

const perJob = fc.double({ min: 1, max: 5_000, noNaN: true });
const way = fc.double({ min: 50, max: 50_000, noNaN: true });

describe('jobs that one call of a replay moves', () => {
  it('begin few', () => expect(jobsACall(null, true)).toBe(10));

  it('hold Redis for 0.3 ms, and where the pace is behind for 0.6 ms, whatever a job takes', () => {
    expect(jobsACall(settled(11.9, 500), false)).toBe(25);
    expect(jobsACall(settled(11.9, 500), true)).toBe(50);
    expect(jobsACall(settled(60, 500), false)).toBe(5);
    expect(jobsACall(settled(2_000, 500), true)).toBe(1);
  });

  it('hold it for longer where each call is long on its way, up to 1.5 ms', () => {
    expect(jobsACall(settled(20, 10_000, true), true)).toBeGreaterThan(45);
    expect(jobsACall(settled(20, 90_000, true), true)).toBe(75);
    expect(jobsACall(settled(20, 90_000), false)).toBe(15);
  });

  it('are not more because the console is busy and hears answers late', () => {
    let cost = settled(12, 500, true);
    for (let i = 0; i < 100; i += 1) cost = costAfter(cost, 50, 600, i % 5 === 0 ? 1_100 : 30_000);
    expect(jobsACall(cost, true)).toBeLessThanOrEqual(75);
  });

  it('are the usual where the clock of Redis stands still', () => {
    expect(jobsACall(costAfter(null, 10, 0, 500), false)).toBe(20);
  });

  it('never hold it for longer than 1.5 ms, unless it is for one', () => {
    fc.assert(
      fc.property(perJob, way, fc.boolean(), (usecPerJob, wayUsec, isBehind) => {
        const jobs = jobsACall(settled(usecPerJob, wayUsec, isBehind), isBehind);
        expect(jobs).toBeLessThanOrEqual(100);
        if (jobs > 1) expect(jobs * usecPerJob).toBeLessThan(1_510);
      }),
    );
  });

  it('are fewer the more a job takes, and more where the pace is behind', () => {
    fc.assert(
      fc.property(perJob, perJob, way, (a, b, callUsec) => {
        const of = (usecPerJob: number, isBehind = false) => jobsACall({ usecPerJob, callUsec }, isBehind);
        expect(of(Math.max(a, b))).toBeLessThanOrEqual(of(Math.min(a, b)));
        expect(of(a, true)).toBeGreaterThanOrEqual(of(a));
      }),
    );
  });
});
