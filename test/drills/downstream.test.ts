import { expect, it } from 'vitest';
import { burn, createDownstream } from '../../drills/children/services.js';

it('whoever calls a downstream service waits for all that called before, at its rate', async () => {
  const answerMs = 5;
  const downstream = createDownstream(answerMs);
  const startedAtMs = performance.now();
  const order: number[] = [];
  await Promise.all(Array.from({ length: 20 }, (_, i) => downstream.call().then(() => order.push(i))));
  expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(20 * answerMs - 2);
});

it('a process that was busy gets the answers that were due meanwhile, and none that were not', async () => {
  const downstream = createDownstream(10);
  const answered: number[] = [];
  const all = Array.from({ length: 10 }, (_, i) => downstream.call().then(() => answered.push(i)));
  const startedAtMs = performance.now();
  burn(45);
  await all[3];
  // Four were due after 40 ms; what came late is what this machine took besides.
  expect(answered.length).toBeLessThanOrEqual(Math.floor((performance.now() - startedAtMs) / 10) + 1);
  await Promise.all(all);
  expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(98);
});
