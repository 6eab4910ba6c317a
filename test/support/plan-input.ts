import fc from 'fast-check';
import type { PlanInput, TypeLoad } from '../../server/model/plan.js';

/** A job type with a backlog that nothing is wrong with. */
export function typeLoad(over: Partial<TypeLoad> = {}): TypeLoad {
  const runMs = over.runMs ?? 200;
  return {
    name: 'mail',
    waiting: 10_000,
    arrivalsPerSecond: 50,
    runMs,
    runRangeMs: [runMs * 0.95, runMs * 1.05],
    bytesPerJob: 1_000,
    keepsBytesWhenDone: 0,
    failureRatio: 0,
    attempts: 1,
    batch: null,
    ...over,
  };
}

/** 20 slots in 2 processes, nothing measured, no limits. */
export function planInput(over: Partial<PlanInput> = {}): PlanInput {
  return {
    types: [typeLoad()],
    processes: 2,
    slots: 20,
    globalConcurrency: null,
    rateLimit: null,
    isPaused: false,
    measured: null,
    memory: null,
    redisCpuRatio: 0.02,
    loopUtilisation: null,
    ...over,
  };
}

const ratio = fc.double({ min: 0, max: 1, noNaN: true });
const amount = (max: number) => fc.oneof(fc.constant(0), fc.double({ min: 0, max, noNaN: true }));

const anyType: fc.Arbitrary<TypeLoad> = fc
  .record({
    name: fc.constantFrom('mail', 'resize', 'track'),
    waiting: fc.oneof(fc.constant(0), fc.nat({ max: 1_000_000 })),
    arrivalsPerSecond: amount(5_000),
    runMs: fc.oneof(fc.constant(0), fc.double({ min: 0.1, max: 600_000, noNaN: true })),
    error: ratio,
    bytesPerJob: fc.nat({ max: 1_000_000 }),
    keepsBytesWhenDone: fc.nat({ max: 1_000_000 }),
    failureRatio: ratio,
    attempts: fc.integer({ min: 1, max: 20 }),
    batch: fc.option(
      fc.record({
        flushTimeoutMs: fc.nat({ max: 60_000 }),
        batchSize: fc.option(fc.integer({ min: 1, max: 200 })),
        batchSizeAtLeast: fc.integer({ min: 1, max: 50 }),
      }),
    ),
  })
  .map(({ error, ...type }) => ({
    ...type,
    runRangeMs: [type.runMs * (1 - error), type.runMs * (1 + error)] as const,
  }));

/** Any queue, sensible or not. */
export const anyPlanInput: fc.Arbitrary<PlanInput> = fc.record({
  types: fc.array(anyType, { maxLength: 4 }),
  processes: fc.integer({ min: 0, max: 50 }),
  slots: fc.nat({ max: 2_000 }),
  globalConcurrency: fc.option(fc.nat({ max: 2_000 })),
  rateLimit: fc.option(
    fc.record({ max: fc.integer({ min: 1, max: 5_000 }), durationMs: fc.integer({ min: 1, max: 60_000 }) }),
  ),
  isPaused: fc.boolean(),
  measured: fc.option(
    fc.record({ departures: amount(10_000), error: ratio }).map(({ departures, error }) => ({
      departuresPerSecond: departures,
      departuresRange: [departures * (1 - error), departures * (1 + error)] as const,
    })),
  ),
  memory: fc.option(
    fc.record({
      countedBytes: fc.nat({ max: 2_000_000_000 }),
      limitBytes: fc.option(fc.integer({ min: 1, max: 2_000_000_000 })),
      otherGrowthBytesPerSecond: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    }),
  ),
  redisCpuRatio: ratio,
  loopUtilisation: fc.option(ratio),
});
