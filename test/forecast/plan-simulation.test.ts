import { expect, it } from 'vitest';
import { predict } from '../../server/forecast/predict.js';
import type { MemoryAt } from '../../server/model/plan.js';
import { median } from '../../server/model/theil-sen.js';
import { observe } from '../support/observe-simulation.js';
import { SimulatedQueue } from '../support/simulate-queue.js';
import { trialOf, WORLD_KINDS, type WorldKind } from '../support/simulated-worlds.js';

/** Enough for each bound below: some worlds drain before anything is forecast. */
const WORLDS_OF_A_KIND = 18;
/** Others than those with which the model was made. */
const FIRST_SEED = 70_000;
const OBSERVED_SECONDS = 60;
/** What takes longer is counted as never. */
const LONGEST_SECONDS = 3600;

interface Result {
  readonly kind: WorldKind;
  readonly seed: number;
  readonly predicted: number | null;
  readonly range: readonly [number | null, number | null];
  readonly truth: number | null;
  readonly errorRatio: number;
  readonly isInside: boolean;
  /** Of the range, relative to what is predicted; NaN where it is open. */
  readonly widthRatio: number;
  /** Memory halfway is inside its range; null: it never drains. */
  readonly isMemoryInside: boolean | null;
  readonly because: string;
}

/** Forecasts the outcome of one world from what was observed, and then lets it happen; null: nothing waits. */
function run(kind: WorldKind, seed: number, knowsBatchSize = true): Result | null {
  const trial = trialOf(kind, seed);
  const queue = new SimulatedQueue(trial.world, seed);
  const input = observe(queue, trial.world, OBSERVED_SECONDS, seed, knowsBatchSize);
  if (queue.waiting < 10) return null;
  const plan = predict(input, trial.change);
  queue.change(trial.settings);
  const halfwaySeconds = (plan.drainSeconds ?? 0) / 2;
  const early = halfwaySeconds > 0 ? queue.runUntilDrained(halfwaySeconds) : null;
  const isMemoryInside = early === null ? isAround(plan.memory, halfwaySeconds, queue.bytes) : null;
  const later = early ?? queue.runUntilDrained(LONGEST_SECONDS);
  const truth = later === null ? null : early === null ? halfwaySeconds + later : early;
  const [low, high] = plan.drainRange;
  const predicted =
    plan.drainSeconds !== null && plan.drainSeconds > LONGEST_SECONDS ? null : plan.drainSeconds;
  const isInside =
    truth === null
      ? high === null || high > LONGEST_SECONDS
      : low !== null && truth >= low && (high === null || truth <= high);
  return {
    ...{
      kind,
      seed,
      predicted,
      range: plan.drainRange,
      truth,
      isInside,
      isMemoryInside,
      because: plan.reason,
    },
    errorRatio:
      predicted === null || truth === null
        ? Number(predicted !== truth)
        : Math.abs(predicted - truth) / Math.max(truth, 1),
    widthRatio: predicted && high !== null ? (high - (low ?? 0)) / predicted : Number.NaN,
  };
}

function isAround(points: readonly MemoryAt[], atSeconds: number, bytes: number): boolean {
  const after = points.findIndex((point) => point.atSeconds >= atSeconds);
  const ends = [points[after - 1], points[after]].flatMap((point) => point ?? []);
  return (
    bytes >= Math.min(...ends.map(({ lowBytes }) => lowBytes)) &&
    bytes <= Math.max(...ends.map(({ highBytes }) => highBytes))
  );
}

function runAll(
  kinds: readonly WorldKind[],
  worlds = WORLDS_OF_A_KIND,
  knowsBatchSize = true,
): readonly Result[] {
  return kinds.flatMap((kind, k) =>
    Array.from({ length: worlds }, (_, i) => i).flatMap(
      (i) => run(kind, FIRST_SEED + 1000 * k + i, knowsBatchSize) ?? [],
    ),
  );
}

const shareOf = (results: readonly Result[], is: (result: Result) => boolean | null): number =>
  results.filter(is).length / Math.max(1, results.length);

/** A line of figures. */
function told(name: string, results: readonly Result[]): string {
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)} %`;
  const withMemory = results.filter(({ isMemoryInside }) => isMemoryInside !== null);
  return [
    `${name.padEnd(15)} ${results.length} worlds`,
    `median error ${percent(median(results.map(({ errorRatio }) => errorRatio)))}`,
    `inside ${percent(shareOf(results, ({ isInside }) => isInside))}`,
    `median width ${percent(median(results.map(({ widthRatio }) => widthRatio).filter(Number.isFinite)))}`,
    `memory inside ${percent(shareOf(withMemory, ({ isMemoryInside }) => isMemoryInside))}`,
  ].join(', ');
}

/** The worst, to look at when a figure is bad: SPILLWAY_SHOW_WORST=1. */
function showWorst(results: readonly Result[]): void {
  if (!process.env.SPILLWAY_SHOW_WORST) return;
  const bad = results.filter(
    ({ isInside, isMemoryInside, errorRatio }) => !isInside || isMemoryInside === false || errorRatio > 0.3,
  );
  for (const result of bad) console.log(JSON.stringify(result));
}

it('drain times are forecast within 20 % and inside the range, over a grid of simulated worlds', () => {
  const results = runAll(WORLD_KINDS);
  const lines = WORLD_KINDS.map((kind) =>
    told(
      kind,
      results.filter((result) => result.kind === kind),
    ),
  );
  console.log([...lines, told('all', results)].join('\n'));
  showWorst(results);
  expect(results.length).toBeGreaterThanOrEqual(100);
  expect(median(results.map(({ errorRatio }) => errorRatio))).toBeLessThanOrEqual(0.2);
  expect(shareOf(results, ({ isInside }) => isInside)).toBeGreaterThanOrEqual(0.9);
  const drained = results.filter(({ isMemoryInside }) => isMemoryInside !== null);
  expect(shareOf(drained, ({ isMemoryInside }) => isMemoryInside)).toBeGreaterThanOrEqual(0.9);
});

it('where the size of batches is not known, what happens is inside the wider range', () => {
  const results = runAll(['batching'], 30, false);
  console.log(told('size unknown', results));
  showWorst(results);
  expect(results.length).toBeGreaterThanOrEqual(20);
  expect(shareOf(results, ({ isInside }) => isInside)).toBeGreaterThanOrEqual(0.85);
});
