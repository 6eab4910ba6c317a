import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTooWide } from '../../server/model/format.js';
import { forecastMemory, type MemoryPoint } from '../../server/watch/memory-forecast.js';
import { MB } from '../support/snapshot.js';

/** `count` samples, `everyMs` apart, of `bytesAt(seconds)`. */
function samples(
  count: number,
  bytesAt: (seconds: number, i: number) => number,
  everyMs = 1000,
): MemoryPoint[] {
  return Array.from({ length: count }, (_, i) => ({
    atMs: 1_000_000 + i * everyMs,
    countedBytes: bytesAt((i * everyMs) / 1000, i),
  }));
}

/** Repeatable noise between -1 and 1. */
const noise = (i: number): number => Math.sin(i * 12.9898) * Math.cos(i * 78.233);

describe('forecastMemory', () => {
  test('steady growth of 2 MB/s with 40 MB left is full in 20 s', () => {
    const forecast = forecastMemory(
      samples(31, (s) => 30 * MB + s * 2 * MB),
      130 * MB,
    );
    // The level is the median of the last five samples: two seconds old here.
    expect(forecast?.growthBytesPerSecond).toBeCloseTo(2 * MB, -2);
    expect(forecast?.fullInSeconds).toBeGreaterThan(19);
    expect(forecast?.fullInSeconds).toBeLessThan(23);
    expect(forecast?.fullInRange?.[0]).toBeLessThanOrEqual(forecast?.fullInSeconds ?? 0);
    expect(forecast?.fullInRange?.[1]).toBeGreaterThanOrEqual(forecast?.fullInSeconds ?? 0);
  });

  test('spikes in every seventh sample do not change the slope by more than a tenth', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 50, noNaN: true }),
        fc.integer({ min: 40, max: 120 }),
        fc.integer({ min: 5, max: 300 }),
        fc.integer({ min: 0, max: 6 }),
        (mbPerSecond, count, spikeMb, phase) => {
          const forecast = forecastMemory(
            samples(count, (s, i) => 100 * MB + s * mbPerSecond * MB + (i % 7 === phase ? spikeMb * MB : 0)),
            null,
          );
          expect(forecast).not.toBeNull();
          const ratio = (forecast?.growthBytesPerSecond ?? 0) / (mbPerSecond * MB);
          expect(ratio).toBeGreaterThan(0.9);
          expect(ratio).toBeLessThan(1.1);
        },
      ),
    );
  });

  test('noise without a trend is not reported as growth', () => {
    const forecast = forecastMemory(
      samples(60, (_s, i) => 50 * MB + noise(i) * MB),
      60 * MB,
    );
    expect(forecast?.growthBytesPerSecond).toBe(0);
    expect(forecast?.fullInSeconds).toBeNull();
  });

  test('work that comes in waves is rarely reported as growth, although neighbouring samples are alike', () => {
    const wave = (t: number): number =>
      50 * MB + 5 * MB * Math.sin((t * 2 * Math.PI) / 60) + noise(t) * 0.1 * MB;
    let told = 0;
    for (let start = 0; start < 120; start++) {
      const forecast = forecastMemory(
        samples(120, (s) => wave(s + start)),
        100 * MB,
      );
      if (forecast?.fullInSeconds !== null) told += 1;
    }
    expect(told).toBeLessThan(6);
  });

  test('growth after a purge is measured from the purge on, not hidden by it', () => {
    const forecast = forecastMemory(
      samples(80, (s) => 400 * MB + s * 2 * MB - (s >= 50 ? 300 * MB : 0)),
      500 * MB,
    );
    expect(forecast?.growthBytesPerSecond).toBeGreaterThan(1.9 * MB);
    expect(forecast?.growthBytesPerSecond).toBeLessThan(2.1 * MB);
    expect(forecast?.windowMs).toBe(29_000);
  });

  test.each([
    ['at once', [-6]],
    ['within three samples', [-3, -2, -1.5]],
    ['trimmed first, then drained over some samples', [-7, 0.3, -2.4, -2.6, -1.8]],
  ])('growth after what freed memory %s is told from there on', (_, falls) => {
    const surge = [...new Array<number>(26).fill(0.4), ...new Array<number>(8).fill(1.5)];
    const isFull = new Array<number>(9).fill(0.02);
    const since = [...surge, ...isFull, ...falls];
    const changes = [...since, ...new Array<number>(30).fill(0.3)];
    const levels = [3];
    for (const by of changes) levels.push((levels.at(-1) ?? 0) + by);
    const points = samples(levels.length, (__, i) => (levels[i] ?? 0) * MB);
    for (let count = surge.length + isFull.length + 1; count <= levels.length; count++)
      expect(
        forecastMemory(points.slice(0, count), 24 * MB)?.fullInSeconds,
        `${count} samples`,
      ).not.toBeNull();
    for (let count = since.length + 7; count <= levels.length; count++) {
      const forecast = forecastMemory(points.slice(0, count), 24 * MB);
      expect(forecast?.growthBytesPerSecond, `${count - since.length} s after it`).toBeCloseTo(0.3 * MB, -2);
      expect(forecast?.windowMs).toBe((count - since.length - 1) * 1000);
    }
  });

  test('a jump up that stays is no growth either', () => {
    const forecast = forecastMemory(
      samples(60, (s, i) => 100 * MB + noise(i) * 0.1 * MB + (s >= 30 ? 80 * MB : 0)),
      300 * MB,
    );
    expect(forecast?.fullInSeconds).toBeNull();
  });

  test('growth that has just begun is reported within 15 s, not when it fills half of the window', () => {
    const forecast = forecastMemory(
      samples(100, (s, i) => 20 * MB + noise(i) * 0.05 * MB + Math.max(0, s - 85) * 3 * MB),
      100 * MB,
    );
    expect(forecast?.growthBytesPerSecond).toBeGreaterThan(2.5 * MB);
    expect(forecast?.fullInSeconds).toBeLessThan(20);
  });

  test('a producer that adds in batches every ten seconds is growth at every moment between two batches', () => {
    for (let count = 50; count < 60; count++) {
      const forecast = forecastMemory(
        samples(count, (s) => 20 * MB + Math.floor(s / 10) * 20 * MB),
        400 * MB,
      );
      expect(forecast?.growthBytesPerSecond).toBeGreaterThan(1.5 * MB);
      expect(forecast?.growthBytesPerSecond).toBeLessThan(2.5 * MB);
    }
  });

  test('right after room was made, the growth before it is taken to go on', () => {
    const forecast = forecastMemory(
      samples(64, (s) => 100 * MB + s * 2 * MB - (s >= 60 ? 90 * MB : 0)),
      300 * MB,
    );
    expect(forecast?.growthBytesPerSecond).toBeCloseTo(2 * MB, -2);
    expect(forecast?.fullInSeconds).toBeGreaterThan(80);
  });

  test('at or over the limit it is full now, whatever the trend', () => {
    expect(
      forecastMemory(
        samples(20, (s) => 100 * MB - s * MB * 0.1),
        90 * MB,
      )?.fullInSeconds,
    ).toBe(0);
  });

  test('without a limit there is growth but no time, and shrinking memory is never full', () => {
    expect(
      forecastMemory(
        samples(20, (s) => 10 * MB + s * MB),
        null,
      ),
    ).toMatchObject({
      fullInSeconds: null,
      fullInRange: null,
    });
    expect(
      forecastMemory(
        samples(20, (s) => 90 * MB - s * MB),
        100 * MB,
      )?.fullInSeconds,
    ).toBeNull();
  });

  test('too few samples say nothing', () => {
    expect(forecastMemory([], 100)).toBeNull();
    expect(
      forecastMemory(
        samples(5, (s) => s * MB),
        100 * MB,
      ),
    ).toBeNull();
    expect(
      forecastMemory(
        samples(50, (s) => s * MB, 10),
        100 * MB,
      ),
    ).toBeNull();
  });

  test('a larger limit is never full sooner', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 8, maxLength: 60 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 0, max: 2000 }),
        (megabytes, limitMb, moreMb) => {
          const points = samples(megabytes.length, (_s, i) => (megabytes[i] ?? 0) * MB);
          const small = forecastMemory(points, limitMb * MB)?.fullInSeconds ?? Number.POSITIVE_INFINITY;
          const large =
            forecastMemory(points, (limitMb + moreMb) * MB)?.fullInSeconds ?? Number.POSITIVE_INFINITY;
          expect(large).toBeGreaterThanOrEqual(small);
        },
      ),
    );
  });

  test('whatever is measured, no number is NaN and no time is negative', () => {
    const anyNumber = fc.double();
    fc.assert(
      fc.property(
        fc.array(fc.record({ atMs: anyNumber, countedBytes: anyNumber }), { maxLength: 40 }),
        fc.option(anyNumber),
        (points, limit) => {
          const forecast = forecastMemory(points, limit);
          if (!forecast) return;
          expect(forecast.growthBytesPerSecond).not.toBeNaN();
          expect(forecast.fullInSeconds ?? 0).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  test('an hour of samples is thinned, and its growth still seen', () => {
    const forecast = forecastMemory(
      samples(3600, (s) => 10 * MB + s * 4096),
      100 * MB,
    );
    expect(forecast?.growthBytesPerSecond).toBeCloseTo(4096, 0);
  });
});

describe('what a forecast does not know', () => {
  test('a Redis that was just emptied below its limit, little by little, is not called full', () => {
    // Three of the last five samples are of before.
    const held = [33, 33, 33, 33, 33, 33, 33, 32.9, 32.6, 32.3, 32, 31.7];
    const points = samples(held.length, (_, i) => (held[i] ?? 0) * MB);
    expect(forecastMemory(points, 32 * MB)?.fullInSeconds).not.toBe(0);
  });

  test('it is said, with the reason, where the range is more than tenfold', () => {
    const accelerating = samples(14, (seconds) => 20 * MB + 400 * seconds ** 3);
    const forecast = forecastMemory(accelerating, 100 * MB);
    expect((forecast?.fullInRange?.[1] ?? 0) / (forecast?.fullInRange?.[0] ?? 1)).toBeGreaterThan(10);
    expect(forecast).toMatchObject({
      fullInSeconds: null,
      notKnown: expect.stringMatching(/^the trend of the last 13 s allows anything from .* to /),
    });
    const steady = forecastMemory(
      samples(14, (seconds) => 20 * MB + 40_000 * seconds),
      100 * MB,
    );
    expect(steady?.notKnown).toBeNull();
    expect(steady?.fullInSeconds).toBeGreaterThan(0);
    expect([isTooWide([48, 10_440]), isTooWide([5, null])]).toEqual([true, true]);
    expect([isTooWide([30, 290]), isTooWide([0.1, 8])]).toEqual([false, false]);
  });
});
