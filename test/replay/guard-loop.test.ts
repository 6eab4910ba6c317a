import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LoadSampler } from '../../server/replay/load-sample.js';
import { guardRate, startGuard } from '../../server/replay/replay-guard.js';
import { aQueue, aSnapshot, NOW_MS } from '../support/snapshot.js';

interface Layer {
  readonly livePerSecond: number;
  /** What the replay is set to. */
  readonly setPerSecond: number;
  readonly canPerSecond: (second: number) => number;
}

/** Guard and queue together, a second a turn. @returns for each second what a live job added then waits, and the pace. */
function play({ livePerSecond, setPerSecond, canPerSecond }: Layer, seconds: number) {
  const eye = new LoadSampler();
  const empty = aQueue({ addedTotal: 0, rates: null });
  const baseline = new LoadSampler().baseline(aSnapshot({ queues: [empty] }), [empty.id]);
  let guard = startGuard(setPerSecond, NOW_MS);
  let [waiting, added, moved] = [0, 0, 0];
  const course: { readonly waitSeconds: number; readonly perSecond: number; readonly reason: string }[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const atMs = NOW_MS + second * 1_000;
    const queue = aQueue({
      readAtMs: atMs,
      addedTotal: Math.round(added),
      counts: { waiting: Math.round(waiting) },
    });
    const sight = eye.look(
      aSnapshot({ atMs, queues: [queue] }),
      [queue.id],
      baseline,
      () => Math.round(moved),
      atMs,
    );
    guard = guardRate(guard, setPerSecond, sight, baseline);
    added += livePerSecond;
    moved += guard.perSecond;
    waiting = Math.max(0, waiting + livePerSecond + guard.perSecond - canPerSecond(second));
    course.push({
      waitSeconds: waiting / canPerSecond(second),
      perSecond: guard.perSecond,
      reason: guard.reason,
    });
  }
  return course;
}

const LOST_AT = 30;

it('live jobs wait no longer than two seconds when a replay loses half of the workers beneath it', () => {
  const layer = fc.record({
    can: fc.integer({ min: 40, max: 4_000 }),
    liveRatio: fc.double({ min: 0.05, max: 0.8, noNaN: true }),
    takenRatio: fc.double({ min: 0.55, max: 0.85, noNaN: true }),
  });
  fc.assert(
    fc.property(layer, ({ can, liveRatio, takenRatio }) => {
      const livePerSecond = (can / 2) * liveRatio;
      const setPerSecond = Math.max(1, can * takenRatio - livePerSecond);
      const course = play(
        { livePerSecond, setPerSecond, canPerSecond: (second) => (second < LOST_AT ? can : can / 2) },
        LOST_AT + 120,
      );
      const after = course.slice(LOST_AT);
      expect(Math.max(...after.map(({ waitSeconds }) => waitSeconds))).toBeLessThanOrEqual(2);
      // What is left over is used: live jobs first is not the replay never.
      const spare = can / 2 - livePerSecond;
      const late = after.slice(60).map(({ perSecond }) => Math.min(perSecond, setPerSecond));
      const used = late.reduce((sum, perSecond) => sum + perSecond, 0) / late.length;
      expect(used).toBeGreaterThan(0.5 * Math.min(spare, setPerSecond));
    }),
  );
});
