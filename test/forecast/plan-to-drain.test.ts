import { expect, it } from 'vitest';
import { planToDrainWithin } from '../../server/forecast/plan-to-drain.js';
import type { PlanInput } from '../../server/model/plan.js';
import { planInput, typeLoad } from '../support/plan-input.js';
import { MB } from '../support/snapshot.js';

function changesOf(input: PlanInput, seconds: number) {
  const plans = planToDrainWithin(input, seconds);
  if ('none' in plans) throw new Error(`${plans.none}: ${plans.sentence}`);
  return plans.settings.map(({ change }) => change);
}

it('a queue that drains in time as it is needs nothing', () => {
  expect(changesOf(planInput(), 300)).toEqual([{}]);
});

it('slots are raised by N = (λ + backlog / T) · S / ρ, the same in each process; pausing arrivals needs fewer', () => {
  const [raise, pause] = changesOf(planInput(), 60);
  // (50 + 10,000 / 60) · 0.2 / 0.8 = 54.2, and a little less for the jobs that start at once.
  expect(raise?.concurrency).toBeGreaterThanOrEqual(50);
  expect(raise?.concurrency).toBeLessThanOrEqual(56);
  expect((raise?.concurrency ?? 0) % 2).toBe(0);
  expect(pause).toMatchObject({ pauseArrivals: true });
  expect(pause?.concurrency).toBeLessThan(raise?.concurrency ?? 0);
});

it('a limit is lifted no further than is needed, and slots only where they are the next limit', () => {
  const limited = planInput({ rateLimit: { max: 20, durationMs: 1000 } });
  expect(changesOf(limited, 600)[0]).toEqual({ rateLimit: { max: 75, durationMs: 1000 } });
  const [both] = changesOf(limited, 60);
  expect(both).toMatchObject({ rateLimit: { durationMs: 1000 } });
  expect(both?.concurrency).toBeGreaterThan(40);
});

it('a queue that is paused and capped is resumed and freed first', () => {
  const [first] = changesOf(planInput({ isPaused: true, globalConcurrency: 5 }), 300);
  expect(first).toMatchObject({ pauseQueue: false });
  expect(first).toHaveProperty('globalConcurrency');
  expect(first).not.toHaveProperty('concurrency');
});

it('a starved batch is given as many slots in each process as it has jobs, not more', () => {
  const batch = { flushTimeoutMs: 10_000, batchSize: 20, batchSizeAtLeast: 5 };
  const types = [typeLoad({ name: 'track', waiting: 100_000, arrivalsPerSecond: 0, runMs: 100, batch })];
  const [first] = changesOf(planInput({ types, processes: 4, slots: 20 }), 300);
  expect(first?.concurrency).toBeGreaterThanOrEqual(80);
  expect(first?.concurrency).toBeLessThanOrEqual(100);
});

it('while Redis is full, room is made first', () => {
  const memory = { countedBytes: 105 * MB, limitBytes: 100 * MB, otherGrowthBytesPerSecond: 0 };
  const changes = changesOf(planInput({ memory }), 120);
  expect(changes[0]?.freedBytes).toBeCloseTo(10 * MB, -3);
  expect(changes[1]?.addedLimitBytes).toBeCloseTo(10 * MB, -3);
  // Room is enough here, so nobody is told to stop producers for it.
  expect(changesOf(planInput({ memory }), 300)).toHaveLength(2);
});

it('where no setting is enough, what stands in the way is reported', () => {
  const none = (input: PlanInput, seconds: number) => {
    const plans = planToDrainWithin(input, seconds);
    return 'none' in plans ? plans : { none: 'there are plans', sentence: '' };
  };
  const departures = (perSecond: number) => ({
    departuresPerSecond: perSecond,
    departuresRange: [perSecond, perSecond] as const,
  });
  expect(none(planInput({ processes: 0, slots: 0 }), 60).none).toBe('no-workers');
  const busy = planInput({ measured: departures(100), loopUtilisation: 0.95 });
  expect(none(busy, 30)).toMatchObject({ none: 'event-loop-saturated' });
  expect(none(busy, 30).sentence).toContain('more processes do');
  const tiny = typeLoad({ runMs: 1, waiting: 5_000_000, arrivalsPerSecond: 0 });
  const many = { types: [tiny], processes: 100, slots: 1_000 };
  expect(none(planInput({ ...many, measured: departures(9_000), redisCpuRatio: 0.9 }), 60).none).toBe(
    'redis-bound',
  );
});
