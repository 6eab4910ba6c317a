import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextPollIntervalMs, SLOWEST_POLL_MS } from '../../server/watch/pace.js';

const calm = {
  baseMs: 1000,
  currentMs: 1000,
  ownCpuRatio: 0.002,
  budgetRatio: 0.01,
  roundTripMs: 3,
  tickCpuMs: 8,
};

describe('nextPollIntervalMs', () => {
  test('within the budget the console reads at the configured pace', () => {
    expect(nextPollIntervalMs(calm)).toEqual({ intervalMs: 1000, isSlowed: false, because: null });
  });

  test('over the budget it slows down with the next read, and says why', () => {
    const pace = nextPollIntervalMs({ ...calm, ownCpuRatio: 0.05 });
    expect(pace.intervalMs).toBeGreaterThan(1400);
    expect(pace.isSlowed).toBe(true);
    expect(pace.because).toContain('5% of a core, over the budget of 1%');
  });

  test('a Redis that takes a second to answer is read every four', () => {
    const pace = nextPollIntervalMs({ ...calm, roundTripMs: 1000 });
    expect(pace).toMatchObject({ intervalMs: 4000, isSlowed: true });
    expect(pace.because).toContain('takes 1000 ms');
  });

  test('a look that takes the console 200 ms of CPU is taken every 2.5 s, one of a second every ten: never more than a tenth of a core', () => {
    expect(nextPollIntervalMs({ ...calm, tickCpuMs: 1_000 }).intervalMs).toBe(10_000);
    const pace = nextPollIntervalMs({ ...calm, tickCpuMs: 200 });
    expect(pace).toEqual({
      intervalMs: 2500,
      isSlowed: true,
      because: 'one look at all queues takes the console 200 ms of its own CPU',
    });
  });

  test('after a slow-down the pace comes back step by step to the configured one', () => {
    let currentMs = 8000;
    const paces: number[] = [];
    for (let tick = 0; tick < 20; tick++) {
      currentMs = nextPollIntervalMs({ ...calm, currentMs, ownCpuRatio: 0.0001 }).intervalMs;
      paces.push(currentMs);
    }
    expect(paces[0]).toBe(6400);
    expect(paces.at(-1)).toBe(1000);
  });

  test('a steady cost per read settles within the budget, though the cost is measured with a lag', () => {
    // Each read costs 40 ms of Redis CPU: 0.7 % of a core, which is aimed at, is one read in 5.7 s.
    let currentMs = 1000;
    let measured = 0.04;
    let slowest = 0;
    for (let tick = 0; tick < 60; tick++) {
      measured = measured * 0.7 + (40 / currentMs) * 0.3;
      currentMs = nextPollIntervalMs({ ...calm, currentMs, ownCpuRatio: measured }).intervalMs;
      slowest = Math.max(slowest, currentMs);
    }
    expect(currentMs).toBeGreaterThan(5550);
    expect(currentMs).toBeLessThan(5900);
    expect(slowest).toBeLessThan(10_500);
  });

  test('the pace is never faster than configured nor slower than the slowest, whatever is measured', () => {
    fc.assert(
      fc.property(
        fc.record({
          baseMs: fc.integer({ min: 100, max: 20_000 }),
          currentMs: fc.double(),
          ownCpuRatio: fc.double(),
          budgetRatio: fc.double(),
          roundTripMs: fc.double(),
          tickCpuMs: fc.double(),
        }),
        (input) => {
          const { intervalMs, isSlowed, because } = nextPollIntervalMs(input);
          expect(intervalMs).toBeGreaterThanOrEqual(input.baseMs);
          expect(intervalMs).toBeLessThanOrEqual(SLOWEST_POLL_MS);
          expect(because !== null).toBe(isSlowed);
          expect(because ?? '').not.toMatch(/NaN|Infinity/);
        },
      ),
    );
  });
});
