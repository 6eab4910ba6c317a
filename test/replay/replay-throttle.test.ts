import { expect, it } from 'vitest';
import type { ReplayRecord } from '../../server/model/replay.js';
import { NO_COUNTS, type ReplayCounts } from '../../server/model/replay.js';
import { SpecSchema } from '../../server/model/replay-spec.js';
import { ReplayThrottle } from '../../server/replay/replay-throttle.js';

function aReplay(counts: Partial<ReplayCounts>): ReplayRecord {
  return {
    id: 'r',
    instance: 'default',
    spec: SpecSchema.parse({ reason: 'test' }),
    queues: ['bull:mail'],
    actor: 'anna',
    createdAtMs: 0,
    cutoffMs: 0,
    endedAtMs: null,
    state: 'running',
    pausedBy: null,
    ratePerSecond: 100,
    reason: 'Begun.',
    counts: { ...NO_COUNTS, counted: 10_000, ...counts },
    cursors: {},
    isSwept: false,
    needsResweep: false,
    lastSeq: 0,
    baseline: null,
    canaryFrom: { moved: 0, succeeded: 0, failedAgain: 0, gone: 0 },
  };
}

it('a replay whose first 20 have ended well is not held back again, however many end in its first seconds', () => {
  let nowMs = 0;
  const throttle = new ReplayThrottle(aReplay({}), {
    now: () => nowMs,
    snapshot: () => null,
    moved: { to: () => 0 },
  });
  throttle.begin(aReplay({}), true);
  expect(throttle.allowance(aReplay({})).most).toBe(20);
  throttle.noteMoved(aReplay({ moved: 20 }));
  expect(throttle.allowance(aReplay({ moved: 20 })).waitsFor).toMatch(/what comes of the first 20/);
  for (let ended = 20; ended <= 2_000; ended += 5) {
    nowMs += 25;
    const allowance = throttle.allowance(aReplay({ moved: ended + 10, succeeded: ended }));
    expect(allowance).toMatchObject({ waitsFor: null, stop: null });
    expect(allowance.most).toBeGreaterThan(0);
  }
  // And what only fails again from here on still stops it.
  expect(throttle.allowance(aReplay({ moved: 2_200, succeeded: 2_000, failedAgain: 150 })).stop).toMatch(
    /failed again/,
  );
});
