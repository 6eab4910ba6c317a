import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_TYPE_THRESHOLDS } from '../../server/watch/type-thresholds.js';
import { NOW_MS } from '../support/snapshot.js';
import { storesOfEachTest } from '../support/stores.js';

const stores = storesOfEachTest();

const BY = { actor: 'ana', atMs: NOW_MS };
const keyOf = (type: string, queue = 'bull:mail', instance = 'default') => ({ instance, queue, type });

it('a threshold outlives a restart, is changed in place, and is gone when it is taken away', async () => {
  const first = (await stores.open()).typeThresholds;
  await first.set(keyOf('digest'), 10_000, BY);
  await first.set(keyOf('ping'), 50, BY);
  await first.set(keyOf('digest'), 20_000, BY);
  const second = (await stores.open()).typeThresholds;
  expect([second.of('default', 'bull:mail', 'digest'), second.count]).toEqual([20_000, 2]);
  expect(await second.read(keyOf('digest'))).toBe(20_000);
  await second.set(keyOf('digest'), null, BY);
  expect([second.of('default', 'bull:mail', 'digest'), second.count]).toEqual([null, 1]);
  const third = (await stores.open()).typeThresholds;
  expect([third.of('default', 'bull:mail', 'digest'), third.of('default', 'bull:mail', 'ping')]).toEqual([
    null,
    50,
  ]);
});

it('holds for one type of one queue of one Redis, whatever characters these are named with', async () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
    fc.constantFrom('a\u0000b', 'a\u0000c', 'bull:mail', '%00', "'; --", '/', ' '),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(anyText, anyText), { minLength: 1, maxLength: 8, selector: String }),
      async (pairs) => {
        const { typeThresholds } = await stores.open();
        const keys = pairs
          .map(([queue, type]) => keyOf(type.toWellFormed(), queue.toWellFormed()))
          .filter((key, i, all) => all.findIndex((k) => k.queue === key.queue && k.type === key.type) === i);
        for (const [i, key] of keys.entries()) await typeThresholds.set(key, i + 1, BY);
        const again = (await stores.open()).typeThresholds;
        for (const [i, key] of keys.entries()) {
          expect(again.of('default', key.queue, key.type)).toBe(i + 1);
          expect(again.of('other', key.queue, key.type)).toBeNull();
        }
        for (const key of keys) await typeThresholds.set(key, null, BY);
        stores.closeAll();
      },
    ),
    { numRuns: 25 },
  );
});

it('are at most 5,000: one more is refused, a change of one that is there is not', async () => {
  const { typeThresholds } = await stores.open();
  for (let from = 0; from < MAX_TYPE_THRESHOLDS; from += 500)
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => typeThresholds.set(keyOf(`type${from + i}`), 100, BY)),
    );
  expect(typeThresholds.count).toBe(5_000);
  expect(await typeThresholds.set(keyOf('one more'), 100, BY)).toBe(false);
  expect(await typeThresholds.read(keyOf('one more'))).toBeNull();
  expect(await typeThresholds.set(keyOf('type7'), 200, BY)).toBe(true);
  await typeThresholds.set(keyOf('type8'), null, BY);
  // Two that come at once don't both take the place that is left.
  const both = await Promise.all(['a', 'b'].map((type) => typeThresholds.set(keyOf(type), 1, BY)));
  expect(both.sort()).toEqual([false, true]);
});
