import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeAbsence } from '../../server/watch/type-trends.js';
import { seededRandom } from '../support/seeded-random.js';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
/** Completions that are kept in mind. */
const KEPT = 64;

/** Seconds of silence after which a type that completed so is called absent. */
function graceSeconds(completedAtMs: readonly number[]): number {
  const last = completedAtMs[completedAtMs.length - 1] ?? 0;
  for (let seconds = 0; seconds < 24 * 3_600; seconds++)
    if (judgeAbsence(completedAtMs, false, last + seconds * SECOND)) return seconds;
  return Number.POSITIVE_INFINITY;
}

function everyMs(gapsMs: readonly number[]): readonly number[] {
  let atMs = 0;
  return [0, ...gapsMs].map((gap) => {
    atMs += gap;
    return atMs;
  });
}

describe('a type that completed regularly and stopped', () => {
  for (const gapSeconds of [0.2, 1, 3, 10, 60, 600]) {
    it(`is not called absent while its jobs come by chance, one in ${gapSeconds} s: at most 2 of 100 types in 2,000 completions`, () => {
      let alarms = 0;
      const types = 300;
      for (let type = 0; type < types; type++) {
        const random = seededRandom(type * 7 + 3);
        const seen: number[] = [];
        let atMs = 0;
        let isAlarm = false;
        for (let i = 0; i < 2_000 && !isAlarm; i++) {
          atMs += random.exponential(gapSeconds * SECOND);
          // The longest moment of silence is just before the next one comes.
          isAlarm = judgeAbsence(seen, false, atMs) !== null;
          // It is seen at the next tick.
          const seenAtMs = Math.ceil(atMs / SECOND) * SECOND;
          if (seen[seen.length - 1] !== seenAtMs) seen.push(seenAtMs);
          if (seen.length > KEPT) seen.shift();
        }
        if (isAlarm) alarms += 1;
      }
      expect(alarms / types).toBeLessThanOrEqual(0.02);
    });
  }

  it('is missed after six of its gaps where it ran like a clock, whatever the gap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 600 }), fc.integer({ min: 30, max: 63 }), (gapSeconds, gaps) => {
        const waited = graceSeconds(everyMs(Array.from({ length: gaps }, () => gapSeconds * SECOND)));
        expect(waited).toBeGreaterThan(6 * gapSeconds);
        expect(waited).toBeLessThanOrEqual(6 * gapSeconds + 1);
      }),
      { numRuns: 100 },
    );
  });

  it('is given more time the burstier it was', () => {
    const random = seededRandom(9);
    const clock = everyMs(Array.from({ length: 63 }, () => 10 * SECOND));
    const chance = everyMs(Array.from({ length: 63 }, () => random.exponential(10 * SECOND)));
    const bursts = everyMs(Array.from({ length: 63 }, (_, i) => (i % 16 === 0 ? 400 : 1) * SECOND));
    expect(graceSeconds(chance)).toBeGreaterThan(2 * graceSeconds(clock));
    expect(graceSeconds(bursts)).toBeGreaterThan(1_200);
  });

  it('reports since when, and what was usual', () => {
    const seen = everyMs([10, 10, 12, 10, 10, 8, 10, 10].map((seconds) => seconds * SECOND));
    expect(judgeAbsence(seen, false, 500 * SECOND)).toEqual({
      lastCompletedAtMs: 80 * SECOND,
      usualGapMs: 10 * SECOND,
      longestGapMs: 12 * SECOND,
    });
  });

  it('is not absent while some of it runs, nor before it had a habit, nor after a day', () => {
    const seen = everyMs(Array.from({ length: 20 }, () => 10 * SECOND));
    const nowMs = (seen[seen.length - 1] ?? 0) + HOUR;
    expect(judgeAbsence(seen, false, nowMs)).not.toBeNull();
    expect(judgeAbsence(seen, true, nowMs)).toBeNull();
    expect(judgeAbsence(seen.slice(-7), false, nowMs)).toBeNull();
    expect(judgeAbsence([], false, nowMs)).toBeNull();
    expect(judgeAbsence(seen, false, nowMs + 24 * HOUR)).toBeNull();
  });
});
