import { expect, test } from 'vitest';
import { type ExpectedGrowth, expectGrowth } from '../../server/watch/expect-growth.js';

/** Looks a second apart: growth as the trend has it, and whether writes are refused. */
function after(...looks: readonly (readonly [number | null, 'full' | 'open'])[]): number | null {
  let state: ExpectedGrowth | null = null;
  for (const [i, [growth, is]] of looks.entries())
    state = expectGrowth(state, { isFull: is === 'full', growth, atMs: i * 1000 });
  return state?.bytesPerSecond ?? null;
}
const times = <T>(count: number, one: T): readonly T[] => Array.from({ length: count }, () => one);

test('a Redis that takes writes grows as its trend says, and never by less than nothing', () => {
  expect(after([null, 'open'])).toBeNull();
  expect(after([5_000, 'open'], [7_000, 'open'])).toBe(7_000);
  expect(after([5_000, 'open'], [-9_000, 'open'])).toBe(0);
});

test('one that is full is expected to grow as it did before, however long nothing grows', () => {
  expect(after([120_000, 'open'], ...times(90, [0, 'full'] as const))).toBe(120_000);
  expect(after([120_000, 'open'], [0, 'full'], [0, 'open'], [130_000, 'open'])).toBe(130_000);
});

test('once it takes writes again the trend of then counts, when it can say something', () => {
  expect(after([120_000, 'open'], [0, 'full'], ...times(19, [0, 'open'] as const))).toBe(120_000);
  expect(after([120_000, 'open'], [0, 'full'], ...times(20, [0, 'open'] as const))).toBe(0);
});

test('of one that was full from the first look on nothing is known, which is not nothing', () => {
  expect(after(...times(60, [0, 'full'] as const))).toBeNull();
});
