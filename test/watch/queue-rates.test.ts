import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { estimateDrainSeconds, type QueuePoint, queueRates } from '../../server/watch/queue-rates.js';

/** One read a second of a queue into which `inPerSecond` come and from which `outPerSecond` go. */
function reads(count: number, inPerSecond: number, outPerSecond: number, start = 1000): QueuePoint[] {
  return Array.from({ length: count }, (_, i) => {
    const unfinished = start + i * (inPerSecond - outPerSecond);
    return { atMs: i * 1000, addedTotal: 5000 + i * inPerSecond, unfinished, backlog: unfinished };
  });
}

describe('queueRates', () => {
  test('what came in the last seconds is told apart from a burst before it', () => {
    const quiet = reads(31, 0, 0).map((point) => ({
      ...point,
      addedTotal: point.atMs < 20_000 ? 5000 : 35_000,
    }));
    const rates = queueRates(quiet);
    expect(rates?.arrivalsPerSecond).toBe(1000);
    expect(rates?.recentArrivals).toEqual({ perSecond: 0, windowMs: 5000 });
    expect(queueRates(reads(3, 12, 4))?.recentArrivals).toBeUndefined();
  });

  test('arrivals come from the id counter and departures from what is left', () => {
    const rates = queueRates(reads(31, 12, 4));
    expect(rates).toMatchObject({
      arrivalsPerSecond: 12,
      departuresPerSecond: 4,
      growthPerSecond: 8,
      isGrowing: true,
    });
  });

  test('jobs that are parked are no throughput, and what comes back hides none', () => {
    // 100 are parked a second from the 10th on, and come back from the 20th on; 4 a second are done all the time.
    const parked = (i: number): number => 100 * Math.max(0, Math.min(i, 20) - 10) - 100 * Math.max(0, i - 20);
    const points = reads(31, 0, 4, 10_000).map((point, i) => {
      const unfinished = point.unfinished - parked(i);
      return { ...point, unfinished, backlog: unfinished, takenTotal: parked(i) };
    });
    for (const until of [15, 20, 25, 31])
      expect(queueRates(points.slice(0, until))?.departuresPerSecond).toBeCloseTo(4);
  });

  test('only the last 30 s count', () => {
    const rates = queueRates([
      ...reads(300, 0, 0),
      ...reads(31, 10, 10).map((p) => ({ ...p, atMs: p.atMs + 300_000 })),
    ]);
    expect(rates).toMatchObject({ arrivalsPerSecond: 10, windowMs: 30_000, isGrowing: false });
  });

  test('two reads that lie further apart than the window are still compared', () => {
    const rates = queueRates([
      { atMs: 0, addedTotal: 0, unfinished: 0, backlog: 0 },
      { atMs: 60_000, addedTotal: 600, unfinished: 0, backlog: 0 },
    ]);
    expect(rates).toMatchObject({ arrivalsPerSecond: 10, departuresPerSecond: 10 });
  });

  test('an obliterated queue, whose counter starts again, does not show negative arrivals', () => {
    const after = reads(10, 3, 3, 0).map((p) => ({
      ...p,
      atMs: p.atMs + 20_000,
      addedTotal: p.addedTotal - 5000,
    }));
    expect(queueRates([...reads(20, 50, 1), ...after])).toMatchObject({
      arrivalsPerSecond: 3,
      departuresPerSecond: 3,
    });
  });

  test('jobs that are retried by hand are no negative departures', () => {
    expect(
      queueRates([
        { atMs: 0, addedTotal: 100, unfinished: 0, backlog: 0 },
        { atMs: 10_000, addedTotal: 100, unfinished: 50, backlog: 50 },
      ]),
    ).toMatchObject({ arrivalsPerSecond: 0, departuresPerSecond: 0 });
  });

  test('a backlog that goes up and down is not called growing', () => {
    const sawtooth = Array.from({ length: 31 }, (_, i) => ({
      atMs: i * 1000,
      addedTotal: i * 10,
      unfinished: 100 + (i % 5) * 20,
      backlog: 100 + (i % 5) * 20,
    }));
    expect(queueRates(sawtooth)?.isGrowing).toBe(false);
  });

  test('growth in bursts, with quiet reads between, is growth', () => {
    const bursts = Array.from({ length: 31 }, (_, i) => {
      const backlog = 100 + Math.floor(i / 5) * 200;
      return { atMs: i * 1000, addedTotal: backlog, unfinished: backlog, backlog };
    });
    expect(queueRates(bursts)?.isGrowing).toBe(true);
  });

  test('one read says nothing', () => {
    expect(queueRates([])).toBeNull();
    expect(queueRates(reads(1, 5, 5))).toBeNull();
  });

  test('rates are never negative or NaN, whatever is read', () => {
    const count = fc.integer({ min: 0, max: 1_000_000 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ atMs: count, addedTotal: count, unfinished: count, backlog: count }), {
          maxLength: 40,
        }),
        (points) => {
          const rates = queueRates(points);
          if (!rates) return;
          expect(rates.arrivalsPerSecond).toBeGreaterThanOrEqual(0);
          expect(rates.departuresPerSecond).toBeGreaterThanOrEqual(0);
          expect(rates.growthPerSecond).not.toBeNaN();
        },
      ),
    );
  });
});

describe('estimateDrainSeconds', () => {
  test('a backlog of 100 with 15/s leaving and 5/s arriving drains in 10 s', () => {
    expect(estimateDrainSeconds({ backlog: 100, arrivalsPerSecond: 5, departuresPerSecond: 15 })).toBe(10);
  });

  test('it never drains when as much arrives as leaves, and an empty queue has nothing to drain', () => {
    expect(estimateDrainSeconds({ backlog: 1, arrivalsPerSecond: 5, departuresPerSecond: 5 })).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(estimateDrainSeconds({ backlog: 0, arrivalsPerSecond: 5, departuresPerSecond: 1 })).toBeNull();
  });

  test('a drain time is never negative or NaN', () => {
    fc.assert(
      fc.property(
        fc.double(),
        fc.double(),
        fc.double(),
        (backlog, arrivalsPerSecond, departuresPerSecond) => {
          const seconds = estimateDrainSeconds({ backlog, arrivalsPerSecond, departuresPerSecond });
          expect(seconds === null || seconds >= 0).toBe(true);
        },
      ),
    );
  });
});
