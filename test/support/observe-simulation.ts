import type { PlanInput, TypeLoad } from '../../server/model/plan.js';
import { seededRandom } from './seeded-random.js';
import type { SimulatedQueue, SimulatedType, SimulatedWorld } from './simulate-queue.js';

/** Jobs of each type of which run times are known: a sample, not the truth. */
const SAMPLED_RUNS = 40;
const BLOCK_SECONDS = 5;
/** From the mean to the 90th percentile of a normal distribution. */
const TO_P90 = 1.282;

/**
 * Watches a simulated queue for a while and says what a console would know of it: sampled run times, arrivals and
 * departures as counted, the backlog as it is at the end.
 */
export function observe(
  queue: SimulatedQueue,
  world: SimulatedWorld,
  seconds: number,
  seed: number,
  knowsBatchSize = true,
): PlanInput {
  const arrivedBefore = queue.arrived;
  const blocks: number[] = [];
  for (let at = 0; at < seconds; at += BLOCK_SECONDS) {
    const before = queue.departed;
    queue.runFor(BLOCK_SECONDS);
    blocks.push((queue.departed - before) / BLOCK_SECONDS);
  }
  const arrivals = world.types.reduce((sum, type) => sum + type.arrivalsPerSecond, 0);
  const seen = (queue.arrived - arrivedBefore) / seconds;
  const error = (spread(blocks) * TO_P90) / Math.sqrt(blocks.length);
  const departures = mean(blocks);
  return {
    types: world.types.map((type, i) => ({
      ...load(type, queue, seed + i, knowsBatchSize, world.settings.slotsPerProcess),
      arrivalsPerSecond: arrivals > 0 ? (type.arrivalsPerSecond / arrivals) * seen : 0,
    })),
    processes: world.processes,
    slots: world.processes * world.settings.slotsPerProcess,
    globalConcurrency: world.settings.globalConcurrency,
    rateLimit: world.settings.rateLimit,
    isPaused: world.settings.isPaused,
    measured: {
      departuresPerSecond: departures,
      departuresRange: [Math.max(0, departures - error), departures + error],
    },
    memory: { countedBytes: queue.bytes, limitBytes: null, otherGrowthBytesPerSecond: 0 },
    // The simulated Redis and event loops are never busy.
    redisCpuRatio: departures * 1e-5,
    loopUtilisation: 0.02,
  };
}

function load(
  type: SimulatedType,
  queue: SimulatedQueue,
  seed: number,
  knowsBatchSize: boolean,
  slotsPerProcess: number,
): TypeLoad {
  const random = seededRandom(seed);
  const runs = Array.from({ length: SAMPLED_RUNS }, () => random.logNormalAround(type.runMs, type.variation));
  const runMs = mean(runs);
  const error = (spread(runs) * TO_P90) / Math.sqrt(SAMPLED_RUNS);
  const batch = type.batch && {
    flushTimeoutMs: type.batch.flushTimeoutMs,
    batchSize: knowsBatchSize ? type.batch.size : null,
    batchSizeAtLeast: Math.min(type.batch.size, slotsPerProcess),
  };
  return {
    name: type.name,
    waiting: queue.waitingOf(type),
    arrivalsPerSecond: 0,
    runMs,
    runRangeMs: [Math.max(0, runMs - error), runMs + error],
    bytesPerJob: type.bytesPerJob,
    keepsBytesWhenDone: type.keepsBytesWhenDone,
    failureRatio: type.failureRatio,
    attempts: type.attempts,
    batch,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function spread(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
}
