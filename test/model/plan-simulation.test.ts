import { expect, it } from 'vitest';
import { predict } from '../../server/model/plan/predict.js';
import { median } from '../../server/model/theil-sen.js';
import { observe } from '../support/observe-simulation.js';
import { SimulatedQueue } from '../support/simulate-queue.js';
import { trialOf, WORLD_KINDS, type WorldKind } from '../support/simulated-worlds.js';

const WORLDS_OF_A_KIND = 30;
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
  readonly widthRatio: number;
  readonly isMemoryInside: boolean;
  readonly because: string;
}

function run(kind: WorldKind, seed: number): Result | null {
  const trial = trialOf(kind, seed);
  const queue = new SimulatedQueue(trial.world, seed);
  const input = observe(queue, trial.world, OBSERVED_SECONDS, seed);
  if (queue.waiting < 10) return null;
  const plan = predict(input, trial.change);
  queue.change(trial.settings);
  const truth = queue.runUntilDrained(LONGEST_SECONDS);
  const [low, high] = plan.drainRange;
  const predicted =
    plan.drainSeconds !== null && plan.drainSeconds > LONGEST_SECONDS ? null : plan.drainSeconds;
  const isInside =
    truth === null
      ? high === null || high > LONGEST_SECONDS
      : low !== null && truth >= low && (high === null || truth <= high);
  const point =
    truth === null ? undefined : [...plan.memory].reverse().find(({ atSeconds }) => atSeconds <= truth);
  return {
    ...{ kind, seed, predicted, range: plan.drainRange, truth, isInside, because: plan.because },
    errorRatio:
      predicted === null || truth === null
        ? predicted === truth
          ? 0
          : 1
        : Math.abs(predicted - truth) / Math.max(truth, 1),
    widthRatio: predicted && high !== null ? (high - (low ?? 0)) / predicted : Number.NaN,
    isMemoryInside: point === undefined || truth === null || Number.isFinite(point.bytes),
  };
}

it('drain times are told within 20 % and inside the range, over a grid of simulated worlds', () => {
  const results = WORLD_KINDS.flatMap((kind, k) =>
    Array.from({ length: WORLDS_OF_A_KIND }, (_, i) => run(kind, 1000 * k + i) ?? []).flat(),
  );
  const share = (of: readonly Result[], is: (result: Result) => boolean): number =>
    of.filter(is).length / Math.max(1, of.length);
  const told = (name: string, of: readonly Result[]): string => {
    const widths = of.map((result) => result.widthRatio).filter(Number.isFinite);
    return [
      name.padEnd(15),
      `${of.length} worlds`,
      `median error ${(100 * median(of.map((result) => result.errorRatio))).toFixed(1)} %`,
      `inside ${(100 * share(of, (result) => result.isInside)).toFixed(0)} %`,
      `median width ${(100 * median(widths)).toFixed(0)} %`,
    ].join(', ');
  };
  const lines = WORLD_KINDS.map((kind) =>
    told(
      kind,
      results.filter((result) => result.kind === kind),
    ),
  );
  console.log([...lines, told('all', results)].join('\n'));
  if (process.env.PLAN_DEBUG)
    for (const result of results)
      if (!result.isInside || result.errorRatio > 0.3) console.log(JSON.stringify(result));
  expect(results.length).toBeGreaterThanOrEqual(100);
  expect(median(results.map((result) => result.errorRatio))).toBeLessThanOrEqual(0.2);
  expect(share(results, (result) => result.isInside)).toBeGreaterThanOrEqual(0.9);
}, 120_000);
