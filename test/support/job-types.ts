import fc from 'fast-check';
import { expect } from 'vitest';
import { findAction } from '../../server/actions/index.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { BatchWait, JobTypeState, RunTimes } from '../../server/model/job-type.js';
import { detectFindings } from './few-words.js';
import { aQueue, aSnapshot, NOW_MS, type QueueOver, type SnapshotOver } from './snapshot.js';

/** Quick, healthy runs. */
export function someRuns(over: Partial<RunTimes> = {}): RunTimes {
  return {
    count: 100,
    meanMs: 50,
    p50Ms: 40,
    p95Ms: 90,
    p99Ms: 110,
    histogram: [
      { upToMs: 50, count: 70 },
      { upToMs: 100, count: 25 },
      { upToMs: 200, count: 5 },
    ],
    ...over,
  };
}

/** A client that waits for 20 requests or 10 s, with too few slots to fill that. */
export function aBatchWait(over: Partial<BatchWait> = {}): BatchWait {
  return {
    flushTimeoutMs: 10_000,
    batchSize: 20,
    batchSizeAtLeast: 6,
    confidence: 0.9,
    isStarved: true,
    evidence: {
      bursts: 10,
      chanceRatio: 0,
      endSpreadMs: 1,
      medianBurstSize: 5,
      processes: 1,
      runs: 50,
      shareAtFlush: 1,
      startSpreadMs: 2,
      syncRatio: 1,
      flushSpreadRatio: 0.001,
    },
    ...over,
  };
}

/** A job type `digest` that the agent reports, quiet and healthy. */
export function aJobType(over: Partial<JobTypeState> = {}): JobTypeState {
  return {
    name: 'digest',
    waiting: { value: 0, low: 0, high: 0 },
    active: { value: 0, low: 0, high: 0 },
    shareOfBacklog: null,
    arrivalsPerSecond: 0,
    completedPerSecond: 0,
    failedPerSecond: 0,
    source: 'agent',
    isPartial: false,
    run: someRuns(),
    longestRunningMs: null,
    waited: null,
    baseline: null,
    effectiveConcurrency: 0,
    memoryBytes: null,
    memoryErrorBytes: null,
    bytesPerJob: null,
    slowThresholdMs: null,
    slow: null,
    batchWait: null,
    failing: null,
    absent: null,
    lastCompletedAtMs: NOW_MS - 1_000,
    lastError: null,
    runTrend: [],
    waitTrend: [],
    ...over,
  };
}

/** Runs that all take about as long. */
export function runsOf(meanMs: number, count = 200): RunTimes {
  return { count, meanMs, p50Ms: meanMs, p95Ms: meanMs, p99Ms: meanMs, histogram: [] };
}

/** Job type `track` of which nothing is known but what is given. */
export function aType(over: Partial<JobTypeState> & { readonly waits?: number } = {}): JobTypeState {
  const { waits, ...rest } = over;
  return aJobType({
    name: 'track',
    waiting: waits === undefined ? null : { value: waits, low: waits, high: waits },
    active: null,
    arrivalsPerSecond: null,
    completedPerSecond: null,
    failedPerSecond: null,
    run: null,
    effectiveConcurrency: null,
    lastCompletedAtMs: null,
    ...rest,
  });
}

const amount = fc.oneof(
  fc.constantFrom(0, 1, 1e9, 1e15),
  fc.double({ min: 0, max: 1e12, noNaN: true }),
  fc.nat(1000),
);
const whole = fc.oneof(fc.constantFrom(0, 1, 100_000), fc.nat(10_000_000));
const ratio = fc.double({ min: 0, max: 1, noNaN: true });
const time = fc.integer({ min: NOW_MS - 100_000, max: NOW_MS });
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

const anyEstimate = fc.tuple(whole, whole, whole).map((three) => {
  const [low = 0, value = 0, high = 0] = [...three].sort((a, b) => a - b);
  return { value, low, high };
});

const anyRuns = fc
  .record({
    count: whole,
    meanMs: amount,
    p50Ms: amount,
    p95Ms: amount,
    p99Ms: amount,
    counts: fc.array(whole, { maxLength: 21 }),
  })
  .map(({ counts, ...run }) => ({
    ...run,
    histogram: counts.map((count, i) => ({ upToMs: 2 ** i, count })),
  }));

const anySlow: fc.Arbitrary<JobTypeState['slow']> = fc.oneof(
  fc.record({ code: fc.constant('threshold' as const), thresholdMs: whole, p95Ms: amount }),
  fc.record({ code: fc.constant('baseline' as const), baselineP50Ms: amount, nowP50Ms: amount }),
  fc.record({ code: fc.constant('drain' as const), shareOfWork: ratio }),
);

/** Any state of a job type that its type allows with sane units. */
export function anyJobType(anyName: fc.Arbitrary<string>): fc.Arbitrary<JobTypeState> {
  return fc
    .record({
      name: fc.oneof(anyName, fc.constant('(other)')),
      waiting: orNull(anyEstimate),
      active: orNull(anyEstimate),
      shareOfBacklog: orNull(ratio),
      arrivalsPerSecond: orNull(amount),
      completedPerSecond: orNull(amount),
      failedPerSecond: orNull(amount),
      source: orNull(fc.constantFrom('agent', 'finished', 'events', 'active')),
      isPartial: fc.boolean(),
      run: orNull(anyRuns),
      longestRunningMs: orNull(amount),
      waited: orNull(fc.record({ p50Ms: amount, p95Ms: amount })),
      baseline: orNull(fc.record({ p50Ms: amount, p95Ms: amount, count: whole, sinceMs: time })),
      effectiveConcurrency: orNull(amount),
      memoryBytes: orNull(amount),
      memoryErrorBytes: orNull(amount),
      bytesPerJob: orNull(amount),
      slowThresholdMs: orNull(fc.integer({ min: 1, max: 86_400_000 })),
      slow: orNull(anySlow),
      batchWait: orNull(
        fc
          .record({
            flushTimeoutMs: amount,
            batchSize: orNull(whole),
            batchSizeAtLeast: whole,
            confidence: ratio,
            isStarved: fc.boolean(),
          })
          .map(aBatchWait),
      ),
      failing: orNull(
        fc.record({
          firstFailureAtMs: time,
          beforeRatio: ratio,
          sinceRatio: ratio,
          failedSince: whole,
          error: orNull(anyName),
          isNewError: fc.boolean(),
        }),
      ),
      absent: orNull(fc.record({ lastCompletedAtMs: time, usualGapMs: amount, longestGapMs: amount })),
      lastCompletedAtMs: orNull(time),
      lastError: orNull(anyName),
      runTrend: fc.array(orNull(amount), { maxLength: 30 }),
      waitTrend: fc.array(orNull(amount), { maxLength: 30 }),
    })
    .map((over) => aJobType(over as Partial<JobTypeState>));
}

/** A number that is known for sure. */
export const exactly = (value: number) => ({ value, low: value, high: value });

/** What is found of a queue with one job type; each remedy is checked to be one that its action takes. */
export function findOfType(type: Partial<JobTypeState>, queue: QueueOver = {}, snapshot: SnapshotOver = {}) {
  const made = aSnapshot({ queues: [aQueue({ types: [aJobType(type)], ...queue })], ...snapshot });
  const findings = detectFindings(made, NOW_MS, DEFAULT_THRESHOLDS);
  for (const remedy of findings.flatMap((finding) => finding.remedies))
    expect(findAction(remedy.action)?.schema.safeParse(remedy.args), remedy.label).toMatchObject({
      success: true,
    });
  return findings;
}
