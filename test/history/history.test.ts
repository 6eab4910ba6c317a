import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  BACKLOG,
  type HistoryBench,
  HOUR_MS,
  MINUTE_MS,
  SECOND_MS,
  START_MS,
  startHistory,
} from '../support/history.js';
import { aQueue, aSnapshot } from '../support/snapshot.js';

const benches: HistoryBench[] = [];
async function aHistory(options: Parameters<typeof startHistory>[0] = {}): Promise<HistoryBench> {
  const bench = await startHistory(options);
  benches.push(bench);
  return bench;
}
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.stop()));
});

const mail = (backlog: number) => [aQueue({ id: 'bull:mail', name: 'mail', backlog })];

describe('the history of a queue', () => {
  it('has every tick of the last quarter of an hour, also those that are not on disk yet', async () => {
    const bench = await aHistory();
    await bench.run(START_MS + 130 * SECOND_MS, (atMs) => (atMs - START_MS) / SECOND_MS);
    const points = await bench.history.read({
      series: BACKLOG,
      fromMs: START_MS,
      toMs: bench.nowMs,
      maxPoints: 900,
    });
    expect(points.stepMs).toBe(1_000);
    expect(points.mean).toEqual(Array.from({ length: 130 }, (_, i) => i));
    expect(points.atMs[0]).toBe(START_MS);
  });

  it('is the same in every fineness, from where it is folded and from where it is not yet', async () => {
    const bench = await aHistory();
    await bench.run(START_MS + 45 * MINUTE_MS, (atMs) => Math.floor((atMs - START_MS) / MINUTE_MS));
    for (const [maxPoints, stepMs] of [
      [2_700, 1_000],
      [270, 10_000],
      [45, 60_000],
      [9, 300_000],
    ] as const) {
      const points = await bench.history.read({
        series: BACKLOG,
        fromMs: START_MS,
        toMs: bench.nowMs,
        maxPoints,
      });
      expect(points.stepMs).toBe(stepMs);
      expect(points.atMs).toHaveLength(maxPoints);
      points.atMs.forEach((atMs, i) => {
        const first = Math.floor((atMs - START_MS) / MINUTE_MS);
        expect(points.min[i]).toBe(first);
        expect(points.max[i]).toBe(first + Math.max(0, stepMs / MINUTE_MS - 1));
      });
    }
  });

  it('keeps minutes for long after the ticks are gone', async () => {
    const bench = await aHistory({ settings: { tenSecondHours: 6 } });
    await bench.run(START_MS + 3 * HOUR_MS, () => 40);
    const old = await bench.history.read({
      series: BACKLOG,
      fromMs: START_MS,
      toMs: START_MS + HOUR_MS,
      maxPoints: 3_600,
    });
    // Ticks of then are gone.
    expect(old.stepMs).toBe(10_000);
    expect(old.mean.every((mean) => mean === 40)).toBe(true);
    expect(old.mean).toHaveLength(360);
  });

  it('says of a Redis that was not seen nothing but that', async () => {
    const bench = await aHistory();
    for (let i = 0; i < 20; i++, bench.nowMs += SECOND_MS)
      await bench.tick(mail(9), i < 10 ? {} : aSnapshot({ link: { status: 'unreachable' } }));
    const query = { fromMs: START_MS, toMs: bench.nowMs, maxPoints: 60 };
    const backlog = await bench.history.read({ series: BACKLOG, ...query });
    expect(backlog.mean).toEqual([...Array(10).fill(9), ...Array(10).fill(null)]);
    const up = { ...BACKLOG, queue: null, signal: 'redis_up' };
    expect((await bench.history.read({ series: up, ...query })).mean).toEqual([
      ...Array(10).fill(1),
      ...Array(10).fill(0),
    ]);
  });

  it('has every tick of a queue among hundreds, also of those that are only read now and then', async () => {
    const bench = await aHistory();
    const others = Array.from({ length: 600 }, (_, i) => aQueue({ id: `bull:q-${i}`, name: `q-${i}` }));
    const [before, after] = [mail(9), mail(12)];
    for (let i = 0; i < 70; i++, bench.nowMs += SECOND_MS) {
      const queues = i < 65 ? [...(i < 17 ? before : after), ...others] : others;
      await bench.tick(queues, i < 33 || i >= 40 ? {} : aSnapshot({ link: { status: 'unreachable' } }));
    }
    const query = { fromMs: START_MS, toMs: bench.nowMs, maxPoints: 70 };
    const { mean } = await bench.history.read({ series: BACKLOG, ...query });
    const seen = [...Array(17).fill(9), ...Array(16).fill(12), ...Array(7).fill(null), ...Array(25).fill(12)];
    expect(mean.slice(0, 65)).toEqual(seen);
    const other = await bench.history.read({ series: { ...BACKLOG, queue: 'bull:q-599' }, ...query });
    expect(other.mean.filter((value) => value === null)).toHaveLength(7);
  });

  it('holds a value until the next tick of a slowed poller, and no longer', async () => {
    const bench = await aHistory();
    const slow = aSnapshot({ poll: { intervalMs: 5_000 } }).poll;
    for (const second of [0, 5, 10, 40]) {
      bench.nowMs = START_MS + second * SECOND_MS;
      await bench.tick(mail(second), { poll: slow });
    }
    const { mean } = await bench.history.read({
      series: BACKLOG,
      fromMs: START_MS,
      toMs: START_MS + 41 * SECOND_MS,
      maxPoints: 60,
    });
    expect(mean.slice(0, 11)).toEqual([0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 10]);
    expect(mean.slice(11, 40).every((value) => value === null)).toBe(true);
    expect(mean[40]).toBe(40);
  });

  it('is empty for what was never seen', async () => {
    const bench = await aHistory();
    await bench.run(START_MS + 5_000, () => 1);
    const unknown = { ...BACKLOG, queue: 'bull:nobody' };
    const { mean } = await bench.history.read({
      series: unknown,
      fromMs: START_MS,
      toMs: START_MS + 4_000,
      maxPoints: 4,
    });
    expect(mean).toEqual([null, null, null, null]);
  });

  it('reports which series of a signal there are', async () => {
    const bench = await aHistory();
    await bench.run(START_MS + 2_000, () => 1);
    const query = { signal: 'queue_backlog_jobs', sinceMs: START_MS, limit: 10 };
    expect(await bench.history.series(query)).toEqual([BACKLOG]);
    expect(await bench.history.series({ ...query, instance: 'other' })).toEqual([]);
    expect(await bench.history.series({ ...query, sinceMs: START_MS + HOUR_MS })).toEqual([]);
  });
});

describe('a console that starts again', () => {
  it('has what was there before, and a gap for the time that it was down', async () => {
    const bench = await aHistory();
    await bench.run(START_MS + 50 * SECOND_MS, () => 12);
    await bench.history.stop();
    bench.nowMs = START_MS + 200 * SECOND_MS;
    await bench.reopen();
    await bench.run(START_MS + 230 * SECOND_MS, () => 30);
    const { mean } = await bench.history.read({
      series: BACKLOG,
      fromMs: START_MS,
      toMs: bench.nowMs,
      maxPoints: 900,
    });
    expect(mean.slice(0, 50).every((value) => value === 12)).toBe(true);
    expect(mean.slice(50, 200).every((value) => value === null)).toBe(true);
    expect(mean.slice(200).every((value) => value === 30)).toBe(true);
  });

  it('folds after days what it had not folded before it went down', async () => {
    const bench = await aHistory();
    await bench.run(START_MS + 25 * MINUTE_MS, () => 77);
    await bench.history.stop();
    bench.nowMs = START_MS + 3 * 24 * HOUR_MS;
    await bench.reopen();
    await bench.run(bench.nowMs + 12 * MINUTE_MS, () => 3);
    const { mean, stepMs } = await bench.history.read({
      series: BACKLOG,
      fromMs: START_MS,
      toMs: START_MS + 30 * MINUTE_MS,
      maxPoints: 30,
    });
    expect(stepMs).toBe(MINUTE_MS);
    expect(mean).toEqual([...Array(25).fill(77), ...Array(5).fill(null)]);
  });

  it('sets a damaged file aside and begins anew', async () => {
    const bench = await aHistory();
    await bench.run(START_MS + 40_000, () => 1);
    await bench.history.stop();
    await writeFile(
      join(bench.directory, 'history.db'),
      'no database at all, and longer than a header'.repeat(100),
    );
    await rm(join(bench.directory, 'history.db-wal'), { force: true });
    await bench.reopen();
    await bench.run(START_MS + 80_000, () => 2);
    expect(bench.history.problem()).toBeNull();
    expect(bench.warnings).toEqual([expect.stringMatching(/set aside as .*history\.db\.damaged-/)]);
  });
});
