import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountOf, type ReplayCounts } from '../../server/model/replay.js';
import { countChars } from '../../server/replay/replay-batch.js';
import {
  guardRate,
  judgeCanary,
  type LoadSample,
  type ReplayGuardState,
  startGuard,
} from '../../server/replay/replay-guard.js';

const BEFORE = { waitSeconds: { 'bull:mail': 0.5 }, roundTripMs: 2 };
const CALM: LoadSample = {
  atMs: 0,
  isBlind: false,
  isFull: false,
  usedRatio: 0.4,
  fullInSeconds: null,
  waitSeconds: 0.5,
  waitSoonSeconds: null,
  waitQueue: 'bull:mail',
  normalWaitSeconds: 0.5,
  roundTripMs: 2,
};

/** The guard after looking at the same thing once a second. */
function guardFor(
  seconds: number,
  sight: Partial<LoadSample>,
  from: ReplayGuardState = startGuard(1_000, 0),
): ReplayGuardState {
  let state = from;
  const start = Math.max(state.loweredAtMs, state.raisedAtMs);
  for (let second = 1; second <= seconds; second += 1)
    state = guardRate(state, 1_000, { ...CALM, ...sight, atMs: start + second * 1_000 }, BEFORE);
  return state;
}

describe('the guard', () => {
  it('leaves a replay at its rate while nothing suffers, and says so', () => {
    expect(guardFor(60, {})).toMatchObject({ perSecond: 1_000, isSlowed: false });
    expect(guardFor(60, {}).reason).toBe('As set: live jobs wait 0.5 s, before it was 0.5 s.');
  });

  it.each([
    ['jobs that are added now would wait', { waitSeconds: 12 }, /would wait 12 s, before it was 0.5 s/],
    ['nothing leaves the queue', { waitSeconds: Infinity }, /nothing leaves bull:mail/],
    ['memory is high', { usedRatio: 0.88 }, /memory is at 88%/],
    ['memory will soon be full', { usedRatio: 0.7, fullInSeconds: 600 }, /full in 10 min/],
    ['Redis answers late', { roundTripMs: 200 }, /answers in 200 ms/],
  ] as const)('slows down while %s, and says why', (_, sight, why) => {
    const slowed = guardFor(8, sight);
    expect(slowed.perSecond).toBeLessThan(900);
    expect(slowed.reason).toMatch(why);
    expect(guardFor(120, {}, slowed)).toMatchObject({ perSecond: 1_000, isSlowed: false });
  });

  it.each([
    ['the console sees nothing', { isBlind: true }],
    ['Redis is full', { isFull: true }],
    ['memory is nearly full', { usedRatio: 0.95 }],
  ])('rests at once while %s, and goes on by itself', (_, sight) => {
    const rests = guardFor(1, sight);
    expect(rests).toMatchObject({ perSecond: 0, isSlowed: true });
    expect(rests.reason).toMatch(/^Resting: /);
    expect(guardFor(5, {}, rests).perSecond).toBeGreaterThan(0);
  });

  it('does not count a short wait as suffering, however short it was before', () => {
    expect(guardFor(10, { waitSeconds: 0.9, normalWaitSeconds: 0.01 }).perSecond).toBe(1_000);
  });

  it('never gives more than was set, nor less than nothing, whatever is seen', () => {
    const sight = fc.record({
      isBlind: fc.boolean(),
      isFull: fc.boolean(),
      usedRatio: fc.option(fc.double({ min: 0, max: 2, noNaN: true })),
      fullInSeconds: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
      waitSeconds: fc.option(fc.oneof(fc.constant(Infinity), fc.double({ min: 0, max: 1e6, noNaN: true }))),
      roundTripMs: fc.option(fc.double({ min: 0, max: 1e5, noNaN: true })),
      stepMs: fc.integer({ min: 0, max: 20_000 }),
    });
    fc.assert(
      fc.property(
        fc.array(sight, { maxLength: 60 }),
        fc.double({ min: 0.1, max: 20_000, noNaN: true }),
        (seen, set) => {
          let state = startGuard(set, 0);
          let atMs = 0;
          for (const { stepMs, ...rest } of seen) {
            atMs += stepMs;
            state = guardRate(state, set, { ...CALM, ...rest, atMs }, BEFORE);
            expect(state.perSecond).toBeGreaterThanOrEqual(0);
            expect(state.perSecond).toBeLessThanOrEqual(set);
            expect(state.isSlowed).toBe(state.perSecond < set);
            expect(state.reason).not.toMatch(/NaN|undefined/);
          }
        },
      ),
    );
  });
});

describe('the canary', () => {
  const outcomes = (succeeded: number, failedAgain: number, gone = 0) => ({
    moved: 20,
    succeeded,
    failedAgain,
    gone,
  });
  it('holds the others back until the first 20 have ended, for 20 s at most', () => {
    expect(judgeCanary(outcomes(3, 2), 1_000)).toBe('wait');
    expect(judgeCanary(outcomes(3, 2), 20_000)).toBe('go');
    expect(judgeCanary(outcomes(15, 5), 1_000)).toBe('go');
  });
  it('stops when more than half have failed again, and not when it is half', () => {
    expect(judgeCanary(outcomes(9, 11), 1_000)).toBe('stop');
    expect(judgeCanary(outcomes(10, 10), 1_000)).toBe('go');
    expect(judgeCanary(outcomes(0, 19), 30_000)).toBe('go');
  });
});

it('the account adds up whatever comes of the jobs, in whatever order it is learned', () => {
  const letter = fc.constantFrom('m', 's', 'f', 'g', 'b', 'N', 'P', 'S', 'H', 'R', 'D');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(letter, letter), { maxLength: 50 }),
      fc.option(fc.integer({ min: 0, max: 80 })),
      fc.boolean(),
      (jobs, counted, isSwept) => {
        const first = jobs.map(([from]) => from).join('');
        const later = jobs.map(([from, to]) => (from === 'm' && 'msfgb'.includes(to) ? to : from)).join('');
        let counts: ReplayCounts = {
          counted,
          ...{ moved: 0, succeeded: 0, failedAgain: 0, gone: 0, cameBack: 0, skipped: {} },
        };
        for (const [from, to] of [
          ['', first],
          [first, later],
        ] as const) {
          counts = countChars(counts, from, to);
          const account = accountOf(counts, isSwept);
          expect(account.matched).toBe(account.moved + account.skipped + account.remaining);
          expect(account.moved).toBe(account.succeeded + account.failedAgain + account.gone + account.toRun);
          for (const number of Object.values(account))
            if (typeof number === 'number') expect(number).toBeGreaterThanOrEqual(0);
          if (isSwept) expect(account.remaining).toBe(0);
        }
      },
    ),
  );
});
