import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterLook, attendedMs, noDelay, type SelfDelay, type Stall } from '../../server/model/self-delay.js';
import { NOW_MS } from '../support/snapshot.js';

/** Looks in turn, each with what it found: `[ms since the last look, ms held up]`. */
function looked(looks: readonly (readonly [number, number])[], cpuRatio = 0.05): SelfDelay {
  let nowMs = NOW_MS;
  let delay = noDelay('host-1');
  for (const [sinceMs, heldUpMs] of looks) {
    nowMs += sinceMs;
    const stall = heldUpMs > 0 ? { fromMs: nowMs - heldUpMs, toMs: nowMs } : null;
    delay = afterLook(delay, { nowMs, stall, cpuRatio });
  }
  return delay;
}
const stutter = (times: number, heldUpMs: number, freeMs: number) =>
  Array.from({ length: times }, () => [heldUpMs + freeMs, heldUpMs] as const);

describe('the console is starved', () => {
  it('when it is held up for most of ten seconds, since the first stall', () => {
    const delay = looked(stutter(12, 950, 50));
    expect(delay).toMatchObject({ isStarved: true, longestStallMs: 950, cpuRatio: 0.05 });
    expect(delay.heldUpRatio).toBeCloseTo(0.95, 2);
    expect(delay.sinceMs).toBe(NOW_MS + 50);
  });

  it('when it was stopped for six seconds, but not for a garbage collection or a slow tick', () => {
    expect(looked([[6_000, 5_900]]).isStarved).toBe(true);
    expect(looked([[1_000, 900]]).isStarved).toBe(false);
    expect(looked(stutter(10, 150, 850)).isStarved).toBe(false);
  });

  it('until it has been on time for a while: not once with each second', () => {
    const starved = stutter(12, 950, 50);
    const calmer = looked([...starved, ...stutter(12, 200, 800)]);
    expect(calmer.isStarved).toBe(true);
    const well = looked([...starved, ...Array.from({ length: 11 }, () => [1_000, 0] as const)]);
    expect(well).toMatchObject({ isStarved: false, sinceMs: NOW_MS + 12_000 + 9_000 });
  });
});

describe('time that it could attend', () => {
  it('is what lies between its stalls', () => {
    const delay = looked([
      [2_000, 1_500],
      [1_000, 0],
      [4_000, 3_000],
    ]);
    expect(attendedMs(delay, NOW_MS, NOW_MS + 7_000)).toBe(2_500);
    expect(attendedMs(delay, NOW_MS + 2_500, NOW_MS + 5_000)).toBe(1_500);
    expect(attendedMs(undefined, NOW_MS, NOW_MS + 7_000)).toBe(7_000);
  });

  it('is never negative, never more than has passed, and adds up over any moment between', () => {
    const look = fc.tuple(fc.integer({ min: 100, max: 5_000 }), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(look, { maxLength: 60 }),
        fc.tuple(fc.nat(90_000), fc.nat(90_000), fc.nat(90_000)),
        (looks, at) => {
          const delay = looked(
            looks.map(([sinceMs, share]) => [sinceMs, Math.floor(sinceMs * share)] as const),
          );
          const [a = 0, b = 0, c = 0] = [...at].sort((x, y) => x - y).map((ms) => NOW_MS + ms);
          const whole = attendedMs(delay, a, c);
          expect(whole).toBeGreaterThanOrEqual(0);
          expect(whole).toBeLessThanOrEqual(c - a);
          expect(attendedMs(delay, a, b) + attendedMs(delay, b, c)).toBeCloseTo(whole, 6);
        },
      ),
    );
  });

  it('is kept in bounded memory, whatever comes', () => {
    const stalls: readonly Stall[] = looked(stutter(2_000, 150, 100)).stalls;
    expect(stalls.length).toBeLessThanOrEqual(300);
  });
});
