import { describe, expect, it } from 'vitest';
import { findFailureRise, type OutcomeBucket } from '../../server/watch/type-trends.js';
import { type SeededRandom, seededRandom } from '../support/seeded-random.js';

const SPAN_MS = 2_000;

function poisson(random: SeededRandom, mean: number): number {
  let count = 0;
  for (let at = random.exponential(1); at < mean; at += random.exponential(1)) count += 1;
  return count;
}

/** What ended in span number `i`; null: nothing. */
function aBucket(i: number, random: SeededRandom, mean: number, failingRatio: number): OutcomeBucket | null {
  const ended = poisson(random, mean);
  if (ended === 0) return null;
  const failed = Array.from({ length: ended }, () => random.uniform() < failingRatio).filter(Boolean).length;
  const atMs = i * SPAN_MS;
  const isFailing = failed > 0;
  return {
    atMs,
    completed: ended - failed,
    failed,
    firstFailedAtMs: isFailing ? atMs + 300 : null,
    error: isFailing ? 'ETIMEDOUT' : null,
  };
}

/** `jobs` of which `failed` fail, each in a span of its own, from `fromMs` on. */
function oneByOne(outcomes: readonly ('ok' | 'failed')[], fromMs = 0, error = 'new'): OutcomeBucket[] {
  return outcomes.map((outcome, i) => {
    const atMs = fromMs + i * SPAN_MS;
    const isFailed = outcome === 'failed';
    return {
      atMs,
      completed: isFailed ? 0 : 1,
      failed: isFailed ? 1 : 0,
      firstFailedAtMs: isFailed ? atMs : null,
      error: isFailed ? error : null,
    };
  });
}
const times = (count: number, outcome: 'ok' | 'failed') => Array.from({ length: count }, () => outcome);

describe('since when a type fails', () => {
  it('raises no false alarm while the rate of failures stays as it is, asked after every span', () => {
    let alarms = 0;
    for (let series = 0; series < 1_000; series++) {
      const random = seededRandom(series + 1);
      const rate = [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4][series % 7] ?? 0;
      const mean = [0.2, 1, 3, 10][Math.floor(series / 7) % 4] ?? 1;
      const buckets: OutcomeBucket[] = [];
      let isAlarm = false;
      for (let i = 0; i < 200; i++) {
        const bucket = aBucket(i, random, mean, rate);
        if (!bucket) continue;
        buckets.push(bucket);
        isAlarm ||= findFailureRise(buckets) !== null;
      }
      if (isAlarm) alarms += 1;
    }
    expect(alarms).toBeLessThanOrEqual(2);
  });

  const jumps = [
    { from: 0, to: 1, within: 20 },
    { from: 0, to: 0.3, within: 15 },
    { from: 0.02, to: 0.5, within: 15 },
    { from: 0.1, to: 0.5, within: 40 },
    { from: 0.3, to: 0.9, within: 30 },
  ];
  for (const { from, to, within } of jumps) {
    it(`is found within ${within} failures where the share jumps from ${from} to ${to}, with the moment of the first`, () => {
      let late = 0;
      let wrongMoment = 0;
      for (let run = 0; run < 100; run++) {
        const random = seededRandom(run + 77);
        const buckets: OutcomeBucket[] = [];
        let failed = 0;
        let firstMs: number | null = null;
        let found = null;
        for (let i = 0; i < 400 && !found; i++) {
          const bucket = aBucket(i, random, 4, i < 100 ? from : to);
          if (!bucket) continue;
          buckets.push(bucket);
          if (i < 100) continue;
          failed += bucket.failed;
          firstMs ??= bucket.firstFailedAtMs;
          found = findFailureRise(buckets);
        }
        if (!found || failed > within) late += 1;
        // Failures of before may lie next to the jump, by chance.
        if (
          !found ||
          firstMs === null ||
          Math.abs(found.firstFailureAtMs - firstMs) > (from > 0 ? 5 * SPAN_MS : 0)
        )
          wrongMoment += 1;
      }
      expect(late).toBeLessThanOrEqual(5);
      expect(wrongMoment).toBeLessThanOrEqual(10);
    });
  }

  it('names the first failure also where it came at the end of a span in which all went well until then', () => {
    const span = (i: number, completed: number, failed: number): OutcomeBucket => ({
      atMs: i * SPAN_MS,
      completed,
      failed,
      firstFailedAtMs: failed > 0 ? i * SPAN_MS + (completed > 0 ? 1_900 : 50) : null,
      error: failed > 0 ? 'new' : null,
    });
    const well = Array.from({ length: 10 }, (_, i) => span(i, 40, 0));
    const rise = findFailureRise([...well, span(10, 39, 1), span(11, 0, 40), span(12, 0, 40)]);
    expect(rise).toMatchObject({ firstFailureAtMs: 10 * SPAN_MS + 1_900, isNewError: true, failedSince: 80 });
  });

  it('names the first failure, the error that came with it, and that it is new', () => {
    const rise = findFailureRise([
      ...oneByOne([...times(60, 'ok'), 'failed', ...times(40, 'ok')], 0, 'old'),
      ...oneByOne(times(12, 'failed'), 1_000_000),
    ]);
    expect(rise).toMatchObject({
      firstFailureAtMs: 1_000_000,
      failedSince: 12,
      error: 'new',
      isNewError: true,
      sinceRatio: 1,
    });
    expect(rise?.beforeRatio).toBeCloseTo(1 / 101);
  });

  it('is found where all has failed from the first that was seen', () => {
    expect(findFailureRise(oneByOne(times(9, 'failed')))).toBeNull();
    expect(findFailureRise(oneByOne(times(10, 'failed')))).toMatchObject({
      firstFailureAtMs: 0,
      beforeRatio: 0,
    });
  });

  it('is over when what ended lately went well', () => {
    const past = oneByOne([...times(100, 'ok'), ...times(20, 'failed')]);
    expect(findFailureRise(past)).not.toBeNull();
    expect(findFailureRise([...past, ...oneByOne(times(5, 'ok'), 900_000)])).toBeNull();
  });

  it('is not found in a handful of failures, nor in nothing', () => {
    expect(findFailureRise([])).toBeNull();
    expect(findFailureRise(oneByOne([...times(500, 'ok'), ...times(4, 'failed')]))).toBeNull();
  });
});
