import { expect, it } from 'vitest';
import { TickCost } from '../../server/watch/pace.js';

it('a tick costs what the cheapest of the last five took, as pages that were served meanwhile are not its own; before that nothing is known', () => {
  let usedMs = 0;
  const cost = new TickCost(() => usedMs);
  const tick = (cpuMs: number): number => {
    const end = cost.begin();
    usedMs += cpuMs;
    end();
    return cost.cpuMs;
  };
  expect([90, 40, 300, 45].map(tick)).toEqual([0, 0, 0, 0]);
  expect(tick(60)).toBe(40);
  // What is used between ticks belongs to none; the 40 is forgotten after five more.
  usedMs += 10_000;
  expect([70, 80, 90, 100].map(tick)).toEqual([40, 45, 45, 60]);
});
