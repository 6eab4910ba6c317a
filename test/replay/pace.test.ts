import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addEnded } from '../support/failed-jobs.js';
import { type ReplayBench, startReplayBench } from '../support/replay-bench.js';
import { until } from '../support/until.js';

/** Judged by the clock (vitest.config.ts): a console that others leave no processor moves fewer jobs than are set. */

let bench: ReplayBench;
let id: string;

beforeAll(async () => {
  bench = await startReplayBench();
});
afterAll(() => bench?.stop());
beforeEach(async () => {
  id = `bull:${await bench.nextQueue()}`;
});

const ids = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `j${String(i).padStart(5, '0')}`);

/** How many were moved, at a moment between two. */
interface Look {
  readonly beforeMs: number;
  readonly moved: number;
  readonly afterMs: number;
}

/** Jobs a second from each look to the first one 1.5 s later, between what it was at least and at most. */
function pacesOf(looks: readonly Look[]) {
  return looks.flatMap((from) => {
    const to = looks.find(({ beforeMs }) => beforeMs - from.afterMs >= 1_500);
    if (!to) return [];
    const [shortest, longest] = [to.beforeMs - from.afterMs, to.afterMs - from.beforeMs];
    const moved = (to.moved - from.moved) * 1_000;
    return [{ seconds: shortest / 1_000, least: moved / longest, most: moved / shortest }];
  });
}

describe('its pace', () => {
  it('is within 5% of what is set, also at 5,000 a second', async () => {
    await addEnded(
      bench.redis,
      id,
      ids(25_000).map((job) => ({ id: job })),
    );
    const begun = await bench.begin({ ratePerSecond: 5_000 });
    const looks: Look[] = [];
    await until(
      'all are moved',
      async () => {
        const beforeMs = performance.now();
        const moved = await bench.redis.client.llen(`${id}:wait`);
        looks.push({ beforeMs, moved, afterMs: performance.now() });
        return moved === 25_000;
      },
      { everyMs: 5 },
    );
    const paces = pacesOf(looks.filter(({ moved }) => moved > 1_000 && moved < 25_000));
    // Somewhere it has the processor to itself for that long; nowhere does it make up for more than a quarter of a second.
    expect(paces.some(({ least, most }) => least > 4_750 && most < 5_250)).toBe(true);
    for (const { seconds, least } of paces) expect(least).toBeLessThan(5_250 * (1 + 0.25 / seconds));
    await bench.isDone(begun.id);
  });

  it('is nothing within 250 ms of a pause, another one at once when re-rated, and all can be paused in one action', async () => {
    await addEnded(
      bench.redis,
      id,
      ids(10_000).map((job) => ({ id: job })),
    );
    const begun = await bench.begin({ ratePerSecond: 2_000 });
    await until('it moves', async () => (await bench.redis.client.llen(`${id}:wait`)) > 500);
    const order = (state: string) =>
      bench.console.ask('PATCH', '/api/v1/replays?match=*', { state, reason: 'incident' });
    // The quickest of three: a neighbour may hold up any.
    const tookMs: number[] = [];
    const pause = async () => {
      const atMs = Date.now();
      const answer = await order('paused');
      tookMs.push(Date.now() - atMs);
      return answer;
    };
    for (const _ of [1, 2]) {
      await pause();
      await order('running');
    }
    const paused = await pause();
    expect(Math.min(...tookMs)).toBeLessThan(250);
    const stood = await bench.redis.client.llen(`${id}:wait`);
    expect(paused.body.replays).toHaveLength(1);
    expect(paused.body.replays[0]).toMatchObject({ state: 'paused', pausedBy: 'person' });
    expect(paused.body.replays[0].account.moved).toBe(stood);
    await bench.console.ask('PATCH', `/api/v1/replays/${begun.id}`, { ratePerSecond: 20_000 });
    expect(await bench.redis.client.llen(`${id}:wait`)).toBe(stood);
    await bench.console.ask('PATCH', `/api/v1/replays/${begun.id}`, { state: 'running', reason: 'over' });
    const done = await bench.isDone(begun.id);
    expect(done.account).toMatchObject({ matched: 10_000, moved: 10_000, remaining: 0 });
    expect((await bench.redis.client.lrange(`${id}:wait`, 0, -1)).reverse()).toEqual(ids(10_000));
  });
});
