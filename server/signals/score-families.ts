import type { Score } from '../forecast/score.js';
import type { MetricFamily } from './signal.js';

const KINDS: readonly {
  readonly name: string;
  readonly help: string;
  readonly read: (score: Score) => number | null;
}[] = [
  {
    name: 'spillway_forecasts_settled',
    help: 'Drain times forecast for a change that was made, and held against what happened: those that are kept.',
    read: ({ count }) => count,
  },
  {
    name: 'spillway_forecasts_median_error_ratio',
    help: 'Half of these were off by no more than this share of the time that it took.',
    read: ({ medianErrorRatio }) => medianErrorRatio,
  },
  {
    name: 'spillway_forecasts_inside_range_ratio',
    help: 'Share of these that came true within their range; 0.9 is meant.',
    read: ({ insideRangeRatio }) => insideRangeRatio,
  },
];

/** How good forecasts have been, by instance. What is not known yet has no sample. Pure. */
export function scoreFamilies(scores: ReadonlyMap<string, Score>): readonly MetricFamily[] {
  return KINDS.map(({ name, help, read }) => ({
    name,
    help,
    kind: 'gauge' as const,
    labelNames: ['redis'],
    samples: [...scores].flatMap(([redis, score]) => {
      const value = read(score);
      return value === null ? [] : [{ labels: { redis }, value }];
    }),
  }));
}
