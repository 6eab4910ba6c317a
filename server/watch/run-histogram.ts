import type { RunTimes } from '../model/job-type.js';
import { quantileMs, type Sketch } from './sketch.js';

/** Upper ends of the buckets that people are shown: 1, 2 and 5 of each decade. */
const EDGES_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];
const DECADES_MS = [100_000, 200_000, 500_000, 1_000_000, 3_600_000, 86_400_000];
const ALL_EDGES = [...EDGES_MS, ...DECADES_MS];

/** What a sketch says of run times; null for an empty one. */
export function runTimesOf(sketch: Sketch): RunTimes | null {
  if (sketch.count === 0) return null;
  return {
    count: Math.round(sketch.count),
    meanMs: Math.max(0, sketch.sum / sketch.count),
    p50Ms: quantileMs(sketch, 0.5),
    p95Ms: quantileMs(sketch, 0.95),
    p99Ms: quantileMs(sketch, 0.99),
    histogram: histogramOf(sketch),
  };
}

/** Bins of the sketch in the buckets that people are shown, without the empty ones at both ends. */
function histogramOf(sketch: Sketch): RunTimes['histogram'] {
  const counts = ALL_EDGES.map(() => 0);
  counts[0] = sketch.zeroCount;
  sketch.store.bins.forEach((count, i) => {
    if (count <= 0) return;
    const value = sketch.mapping.value(i + sketch.store.offset);
    // A bin is 4% wide: what lies at an edge belongs to the bucket that ends there.
    const at = ALL_EDGES.findIndex((edge) => value <= edge * 1.03);
    const bucket = at < 0 ? ALL_EDGES.length - 1 : at;
    counts[bucket] = (counts[bucket] ?? 0) + count;
  });
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  return first < 0
    ? []
    : ALL_EDGES.slice(first, last + 1).map((upToMs, i) => ({
        upToMs,
        count: Math.round(counts[first + i] ?? 0),
      }));
}
