import type { Score } from '../forecast/score.js';
import { freshnessOf } from '../model/sight.js';
import { instanceSignals, type MetricFamily } from './signal.js';

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

/** How well the console sees an instance, and what its looking costs. Known even while it is blind. */
export const CONSOLE_SIGNALS = instanceSignals([
  {
    name: 'redis_up',
    help: 'Whether the console reads this Redis live: 1, or 0 when stale or unreachable.',
    unit: 'bool',
    read: (snapshot, nowMs) => (freshnessOf(snapshot, nowMs).isLive ? 1 : 0),
  },
  {
    name: 'console_snapshot_age_seconds',
    help: 'Time since the last complete read of this Redis.',
    unit: 'seconds',
    read: (snapshot, nowMs) => freshnessOf(snapshot, nowMs).ageSeconds,
  },
  {
    name: 'console_redis_cpu_ratio',
    help: "Share of one core of Redis that the console's own reads cost.",
    unit: 'ratio',
    read: ({ poll }) => poll.ownCpuRatio,
  },
  {
    name: 'console_redis_cpu_budget_ratio',
    help: 'Share of one core of Redis that the console allows itself.',
    unit: 'ratio',
    read: ({ poll }) => poll.budgetRatio,
  },
  {
    name: 'console_poll_interval_seconds',
    help: 'Time between two reads of this Redis at present.',
    unit: 'seconds',
    read: ({ poll }) => poll.intervalMs / 1000,
  },
  {
    name: 'console_poll_slowed',
    help: 'Whether the console reads less often than configured, to keep its cost down.',
    unit: 'bool',
    read: ({ poll }) => (poll.isSlowed ? 1 : 0),
  },
  {
    name: 'console_poll_round_trip_seconds',
    help: 'How long Redis took to answer the last read.',
    unit: 'seconds',
    read: ({ poll }) => poll.roundTripMs / 1000,
  },
  {
    name: 'console_polls_total',
    help: 'Reads of this Redis since the console started.',
    unit: 'count',
    kind: 'counter',
    read: ({ poll }) => poll.ticks,
  },
  {
    name: 'console_polls_failed_total',
    help: 'Reads of this Redis that failed or timed out since the console started.',
    unit: 'count',
    kind: 'counter',
    read: ({ poll }) => poll.failedTicks,
  },
  {
    name: 'console_discovery_age_seconds',
    help: 'Time since the last complete pass over the keyspace, which finds new queues and misses deleted ones.',
    unit: 'seconds',
    read: ({ discovery }, nowMs) =>
      discovery.lastPassAtMs === null ? null : Math.max(0, nowMs - discovery.lastPassAtMs) / 1000,
  },
]);
