import type { BatchWait } from '../../server/model/batch-wait.js';
import type { JobTypeState, RunTimes } from '../../server/watch/job-type-state.js';

/** Runs that all take about as long. */
export function someRuns(meanMs: number, count = 200): RunTimes {
  return { count, meanMs, p50Ms: meanMs, p95Ms: meanMs, p99Ms: meanMs, histogram: [] };
}

/** A client that gathers twenty requests or waits ten seconds, with too few slots to fill a batch. */
export function someBatchWait(over: Partial<BatchWait> = {}): BatchWait {
  return {
    wallMs: 10_000,
    batchSize: 20,
    batchSizeAtLeast: 6,
    confidence: 0.9,
    evidence: {
      runs: 40,
      bursts: 8,
      syncRatio: 1,
      chanceRatio: 0.05,
      shareAtWall: 1,
    } as BatchWait['evidence'],
    isStarved: true,
    ...over,
  };
}

/** Job type `track` of which nothing is known but what is given. */
export function aType(over: Partial<JobTypeState> & { readonly waits?: number } = {}): JobTypeState {
  const { waits, ...rest } = over;
  return {
    name: 'track',
    waiting: waits === undefined ? null : { value: waits, low: waits, high: waits },
    active: null,
    shareOfBacklog: null,
    arrivalsPerSecond: null,
    completedPerSecond: null,
    failedPerSecond: null,
    source: 'agent',
    isPartial: false,
    run: null,
    longestRunningMs: null,
    waited: null,
    baseline: null,
    effectiveConcurrency: null,
    memoryBytes: null,
    memoryErrorBytes: null,
    bytesPerJob: null,
    slowThresholdMs: null,
    slow: null,
    batchWait: null,
    failing: null,
    absent: null,
    lastCompletedAtMs: null,
    lastError: null,
    runTrend: [],
    waitTrend: [],
    ...rest,
  };
}
