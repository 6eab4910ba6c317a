import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dampedKeepMs } from '../../server/alerts/alert-steps.js';
import type { Level, Lifecycle } from '../../server/model/lifecycle.js';
import { transition } from '../../server/timeline/lifecycle.js';

const timing = { forMs: 30_000, keepFiringMs: 20_000, maxGapMs: 15_000 };
const S = 1000;

/** The state after each look; a second apart unless said. */
function run(levels: readonly Level[], over: Partial<typeof timing> = {}, everyMs = S): (Lifecycle | null)[] {
  let life: Lifecycle | null = null;
  return levels.map((level, i) => {
    life = transition(life, level, { ...timing, ...over }, i * everyMs);
    return life;
  });
}
const times = (level: Level, count: number): Level[] => Array.from({ length: count }, () => level);
const states = (lives: readonly (Lifecycle | null)[]): string[] => lives.map((life) => life?.state ?? 'none');

it('it fires once it has held for its time, and is over once it was clear for its time', () => {
  const seen = states(run([...times('breach', 31), ...times('clear', 21)]));
  expect(seen[29]).toBe('pending');
  expect(seen[30]).toBe('firing');
  expect(seen[50]).toBe('firing');
  expect(seen[51]).toBe('resolved');
});

it('between the two levels nothing begins and nothing ends', () => {
  expect(states(run(['held', 'held'], { forMs: 0 }))).toEqual(['none', 'none']);
  expect(states(run(['breach', 'held', 'held', 'held'], { forMs: 0, keepFiringMs: 0 })).at(-1)).toBe(
    'firing',
  );
});

it('a console that can not see neither fires nor resolves', () => {
  const blind = run([...times('breach', 5), ...times('unknown', 600)]);
  expect(blind.at(-1)).toMatchObject({ state: 'pending', heldMs: 4 * S });
  const firing = run(['breach', ...times('unknown', 600)], { forMs: 0, keepFiringMs: 0 });
  expect(firing.at(-1)?.state).toBe('firing');
});

it('time in which nobody looked does not count', () => {
  const lives = run(times('breach', 10), {}, 60_000);
  expect(lives.at(-1)).toMatchObject({ state: 'pending', heldMs: 0 });
});

const anyLevels = fc.array(
  fc.record({
    level: fc.constantFrom<Level>('breach', 'held', 'clear', 'unknown'),
    afterMs: fc.constantFrom(250, 1000, 5000, 20_000),
  }),
  { maxLength: 200 },
);
const anyTiming = fc.record({
  forMs: fc.constantFrom(0, 1000, 10_000),
  keepFiringMs: fc.constantFrom(0, 1000, 10_000),
  maxGapMs: fc.constant(15_000),
});

it('it never fires before its time, whatever is seen', () => {
  fc.assert(
    fc.property(anyLevels, anyTiming, (looks, any) => {
      let life: Lifecycle | null = null;
      let nowMs = 0;
      let breachedMs = 0;
      let last: Level = 'clear';
      for (const { level, afterMs } of looks) {
        nowMs += afterMs;
        if (level === 'breach' && last === 'breach' && afterMs <= any.maxGapMs) breachedMs += afterMs;
        if (level === 'clear' || level === 'held') breachedMs = 0;
        last = level;
        const before: Lifecycle | null = life;
        life = transition(life, level, any, nowMs);
        if (life?.state === 'firing' && before?.state !== 'firing')
          expect(breachedMs).toBeGreaterThanOrEqual(any.forMs);
        if (life?.state === 'resolved') life = null;
        if (life === null) breachedMs = 0;
      }
    }),
  );
});

it('every alert that fires is over some time after all is clear', () => {
  fc.assert(
    fc.property(anyLevels, anyTiming, (looks, any) => {
      let life: Lifecycle | null = null;
      let nowMs = 0;
      for (const { level, afterMs } of looks) {
        nowMs += afterMs;
        life = transition(life, level, any, nowMs);
      }
      for (let i = 0; i < 13; i++) {
        nowMs += 1000;
        life = transition(life, 'clear', any, nowMs);
      }
      expect(life === null || life.state === 'resolved').toBe(true);
    }),
  );
});

it('one that is kept and restored at any moment takes the same life', () => {
  fc.assert(
    fc.property(anyLevels, anyTiming, fc.nat(200), (looks, any, at) => {
      let [one, other]: (Lifecycle | null)[] = [null, null];
      let nowMs = 0;
      looks.forEach(({ level, afterMs }, i) => {
        nowMs += afterMs;
        one = transition(one ?? null, level, any, nowMs);
        if (i === at) other = JSON.parse(JSON.stringify(other ?? null));
        other = transition(other ?? null, level, any, nowMs);
        expect(other).toEqual(one);
      });
    }),
  );
});

it('one that flaps is held longer and longer, to a bound, and is forgiven after an hour', () => {
  const hour = 3_600_000;
  expect(dampedKeepMs(10_000, [1], 2)).toBe(10_000);
  expect(dampedKeepMs(10_000, [1, 2, 3], 4)).toBe(30_000);
  expect(dampedKeepMs(60_000, [1, 2, 3, 4], 5)).toBe(240_000);
  expect(
    dampedKeepMs(
      60_000,
      Array.from({ length: 20 }, (_, i) => i),
      30,
    ),
  ).toBe(1_800_000);
  expect(dampedKeepMs(60_000, [1, 2, 3, 4], hour + 10)).toBe(60_000);
});
