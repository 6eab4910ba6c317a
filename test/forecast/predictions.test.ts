import { expect, it } from 'vitest';
import type { ForecastVerdict, Prediction } from '../../server/forecast/score.js';
import { NOW_MS } from '../support/snapshot.js';
import { storesOfEachTest } from '../support/stores.js';

const stores = storesOfEachTest();

function prediction(over: Partial<Prediction> = {}): Prediction {
  return {
    madeAtMs: NOW_MS,
    instance: 'default',
    queue: 'bull:mail',
    change: { concurrency: 40, rateLimit: null },
    backlog: 12_000,
    arrivalsPerSecond: 12.5,
    drainSeconds: 61.5,
    drainRange: [50, null],
    ...over,
  };
}

const settled = (errorRatio: number, isInsideRange: boolean) =>
  ({
    status: 'settled',
    actualSeconds: 70,
    errorRatio,
    isInsideRange,
  }) satisfies ForecastVerdict;

it('what was forecast comes back whole, newest first, by queue and by status, after a restart too', async () => {
  const first = await stores.open();
  await first.predictions.add('p1', prediction());
  await first.predictions.add('p2', prediction({ madeAtMs: NOW_MS + 1, queue: 'bull:track' }));
  await first.predictions.add(
    'p3',
    prediction({ madeAtMs: NOW_MS + 2, drainSeconds: null, drainRange: [null, null], instance: 'other' }),
  );
  expect(await first.predictions.settle('p2', settled(0.2, true), NOW_MS + 70_000)).toBe(true);
  const { predictions } = await stores.open();
  const all = await predictions.list({ limit: 10 });
  expect(all.map(({ id }) => id)).toEqual(['p3', 'p2', 'p1']);
  expect(all[2]).toEqual({ ...prediction(), id: 'p1', verdict: { status: 'open' }, settledAtMs: null });
  expect(all[1]).toMatchObject({ verdict: settled(0.2, true), settledAtMs: NOW_MS + 70_000 });
  expect(all[0]).toMatchObject({ drainSeconds: null, drainRange: [null, null] });
  const ids = async (query: Partial<Parameters<typeof predictions.list>[0]>) =>
    (await predictions.list({ limit: 10, ...query })).map(({ id }) => id);
  expect(await ids({ status: 'open' })).toEqual(['p3', 'p1']);
  expect(await ids({ queue: 'bull:mail', instance: 'default' })).toEqual(['p1']);
  expect(await ids({ limit: 1 })).toEqual(['p3']);
});

it('a prediction is settled once: a second console that comes later changes nothing', async () => {
  const { predictions } = await stores.open();
  await predictions.add('p1', prediction());
  const isVoid = { status: 'void', reason: 'settings-changed' } as const;
  expect(await predictions.settle('p1', isVoid, NOW_MS + 5_000)).toBe(true);
  expect(await predictions.settle('p1', settled(0.1, true), NOW_MS + 9_000)).toBe(false);
  expect(await predictions.settle('none', isVoid, NOW_MS)).toBe(false);
  expect(await predictions.list({ limit: 1 })).toMatchObject([
    { verdict: isVoid, settledAtMs: NOW_MS + 5_000 },
  ]);
});

it('the score counts what is settled, of all or of one queue', async () => {
  const { predictions } = await stores.open();
  expect(await predictions.score()).toEqual({ count: 0, medianErrorRatio: null, insideRangeRatio: null });
  const verdicts = [settled(0.1, true), settled(0.3, true), settled(0.8, false)];
  for (const [i, verdict] of verdicts.entries()) {
    await predictions.add(`m${i}`, prediction());
    await predictions.settle(`m${i}`, verdict, NOW_MS + i);
  }
  await predictions.add('t', prediction({ queue: 'bull:track' }));
  await predictions.settle('t', settled(0.5, false), NOW_MS);
  await predictions.add('void', prediction());
  await predictions.settle('void', { status: 'void', reason: 'arrivals-changed' }, NOW_MS);
  await predictions.add('open', prediction());
  expect(await predictions.score({ instance: 'default', queue: 'bull:mail' })).toEqual({
    count: 3,
    medianErrorRatio: 0.3,
    insideRangeRatio: 2 / 3,
  });
  expect(await predictions.score()).toMatchObject({ count: 4, insideRangeRatio: 0.5 });
});

it('the newest 1,000 are kept, also where more were left behind', async () => {
  (await stores.open()).close();
  await stores.query(
    `INSERT INTO predictions (id, made_at_ms, instance, queue, change, backlog, arrivals_per_second, status)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
     SELECT 'p' || i, ${NOW_MS} + i, 'default', 'bull:mail', '{}', 1, 0, 'open' FROM n`,
  );
  const { predictions } = await stores.open();
  await predictions.add('newest', prediction({ madeAtMs: NOW_MS + 3_001 }));
  const rows = await stores.query('SELECT count(*) AS kept, min(made_at_ms) AS oldest FROM predictions');
  expect(rows[0]).toMatchObject({ kept: 1_000, oldest: NOW_MS + 2_002 });
  expect((await predictions.list({ limit: 5_000 })).map(({ id }) => id).slice(0, 2)).toEqual([
    'newest',
    'p3000',
  ]);
});
