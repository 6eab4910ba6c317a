import fc from 'fast-check';
import { expect, it } from 'vitest';
import { drainCurves } from '../../server/forecast/drain-curve.js';
import { planToDrainWithin } from '../../server/forecast/plan-to-drain.js';
import { predict } from '../../server/forecast/predict.js';
import type { Plan, PlanChange, PlanInput } from '../../server/model/plan.js';
import { anyPlanInput } from '../support/plan-input.js';

const RUNS = { numRuns: 500 };
const drain = (plan: Plan): number => plan.drainSeconds ?? Number.POSITIVE_INFINITY;
/** `after` drains no later than `before`, rounding aside. */
function expectNoSlower(input: PlanInput, before: PlanChange, after: PlanChange): void {
  const [slow, fast] = [drain(predict(input, before)), drain(predict(input, after))];
  expect(fast).toBeLessThanOrEqual(slow * (1 + 1e-6) + 1e-6);
}

it('more slots never drain a queue slower', () => {
  fc.assert(
    fc.property(anyPlanInput, fc.nat({ max: 3_000 }), fc.nat({ max: 3_000 }), (input, slots, more) => {
      expectNoSlower(input, { concurrency: slots }, { concurrency: slots + more });
    }),
    RUNS,
  );
});

it('pausing arrivals never drains a queue slower', () => {
  fc.assert(
    fc.property(anyPlanInput, (input) => {
      expectNoSlower(input, {}, { pauseArrivals: true });
    }),
    RUNS,
  );
});

it('a tighter rate limit is never faster than a looser one, nor than none', () => {
  const limit = fc.integer({ min: 1, max: 10_000 });
  fc.assert(
    fc.property(anyPlanInput, limit, limit, (input, max, more) => {
      const tight = { rateLimit: { max, durationMs: 1000 } };
      expectNoSlower(input, tight, { rateLimit: { max: max + more, durationMs: 1000 } });
      expectNoSlower(input, tight, { rateLimit: null });
    }),
    RUNS,
  );
});

it('making room never drains a queue slower', () => {
  fc.assert(
    fc.property(anyPlanInput, fc.nat({ max: 2_000_000_000 }), (input, freedBytes) => {
      expectNoSlower(input, {}, { freedBytes });
    }),
    RUNS,
  );
});

function expectSound(plan: Plan, input: PlanInput): void {
  const numbers = JSON.stringify(plan, (_key, value) =>
    typeof value === 'number' && !Number.isFinite(value) ? 'NOT A NUMBER' : value,
  );
  expect(numbers).not.toContain('NOT A NUMBER');
  expect(plan.reason).not.toMatch(/NaN|Infinity|undefined|unknown/);
  const [slowest, fastest] = plan.throughputRange;
  expect(slowest).toBeLessThanOrEqual(plan.throughputPerSecond);
  expect(fastest).toBeGreaterThanOrEqual(plan.throughputPerSecond);
  const [low, high] = plan.drainRange;
  if (plan.drainSeconds !== null) expect(low).toBeLessThanOrEqual(plan.drainSeconds);
  if (high !== null) expect(high).toBeGreaterThanOrEqual(drain(plan));
  expect(plan.throughputPerSecond).toBeGreaterThanOrEqual(0);
  const limitBytes = input.memory?.limitBytes ?? null;
  const most = limitBytes === null ? Infinity : Math.max(limitBytes, input.memory?.countedBytes ?? 0);
  for (const { bytes, lowBytes, highBytes } of plan.memory) {
    expect(lowBytes).toBeGreaterThanOrEqual(0);
    expect(lowBytes).toBeLessThanOrEqual(bytes);
    expect(bytes).toBeLessThanOrEqual(highBytes);
    expect(highBytes).toBeLessThanOrEqual(most);
  }
}

const anyChange: fc.Arbitrary<PlanChange> = fc.record(
  {
    concurrency: fc.nat({ max: 5_000 }),
    globalConcurrency: fc.option(fc.nat({ max: 500 })),
    pauseArrivals: fc.boolean(),
    pauseQueue: fc.boolean(),
  },
  { requiredKeys: [] },
);

it('whatever the queue, ranges are in order, numbers are numbers, and a limit that is hit is named', () => {
  fc.assert(
    fc.property(anyPlanInput, anyChange, (input, change) => {
      const plan = predict(input, change);
      expectSound(plan, input);
      if (plan.bottleneck === 'arrivals') return;
      const limit = input.rateLimit;
      if (limit && plan.throughputPerSecond > (limit.max * 1000) / limit.durationMs) {
        throw new Error(`${plan.throughputPerSecond}/s pass a limit: ${plan.reason}`);
      }
      if (plan.bottleneck === 'rate-limit') expect(plan.reason).toContain('rate limit');
    }),
    RUNS,
  );
});

it('a plan to drain within a time does so, and where there is none the reason is reported', () => {
  fc.assert(
    fc.property(anyPlanInput, fc.integer({ min: 1, max: 86_400 }), (input, seconds) => {
      const plans = planToDrainWithin(input, seconds);
      if ('none' in plans) {
        expect(plans.sentence).not.toMatch(/NaN|Infinity|undefined|unknown/);
        return;
      }
      expect(plans.settings.length).toBeGreaterThan(0);
      for (const { change, plan } of plans.settings) {
        expectSound(plan, {
          ...input,
          memory: input.memory && {
            ...input.memory,
            limitBytes: input.memory.limitBytes && input.memory.limitBytes + (change.addedLimitBytes ?? 0),
          },
        });
        expect(drain(plan)).toBeLessThanOrEqual(seconds);
      }
    }),
    { numRuns: 200 },
  );
});

it('a drain curve is within its range, begins at what waits, and is at 0 when the drain time says so; where nothing leaves there is none', () => {
  fc.assert(
    fc.property(anyPlanInput, fc.integer({ min: 1, max: 3_000 }), (input, concurrency) => {
      const { now, after } = drainCurves(input, { concurrency });
      const { drainSeconds, drainRange } = predict(input, { concurrency });
      const waiting = input.types.reduce((sum, type) => sum + type.waiting, 0);
      const leaves = predict(input, { concurrency }).throughputPerSecond;
      if (leaves === 0 && (drainSeconds ?? 1) > 0 && input.memory === null)
        expect(drainRange).toEqual([null, null]);
      expect(after?.map(({ atSeconds }) => atSeconds)).toEqual(now.map(({ atSeconds }) => atSeconds));
      for (const { atSeconds, jobs, low, high } of [...now, ...(after ?? [])]) {
        expect([atSeconds, jobs, low, high].every(Number.isFinite)).toBe(true);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(jobs);
        expect(high).toBeGreaterThanOrEqual(jobs);
      }
      expect(after?.[0]?.jobs ?? 0).toBeLessThanOrEqual(waiting + 1e-6);
      for (const { atSeconds, jobs, low, high } of after ?? []) {
        const nearly = 1e-6 * Math.max(1, waiting) + 1e-6;
        if (drainSeconds !== null && atSeconds >= drainSeconds) expect(jobs).toBeLessThanOrEqual(nearly);
        if (drainRange[0] !== null && atSeconds >= drainRange[0]) expect(low).toBeLessThanOrEqual(nearly);
        if (drainRange[1] !== null && atSeconds >= drainRange[1]) expect(high).toBeLessThanOrEqual(nearly);
      }
    }),
    RUNS,
  );
});
