import type { SketchWire } from '../../agent/protocol.js';
import { Sketch } from '../../agent/sketch.js';
import type { RunTimes } from '../model/job-type.js';

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
    p50Ms: sketch.quantileMs(0.5),
    p95Ms: sketch.quantileMs(0.95),
    p99Ms: sketch.quantileMs(0.99),
    histogram: histogramOf(sketch),
  };
}

/** Bins of the sketch in the buckets that people are shown, without the empty ones at both ends. */
function histogramOf(sketch: Sketch): RunTimes['histogram'] {
  const counts = ALL_EDGES.map(() => 0);
  counts[0] = sketch.zeroCount;
  sketch.forEachBin((value, count) => {
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

/** What is usual: so many spans of so many generations. Kept as their filled bins alone: a type that runs seldom takes little. */
const MAX_SPANS = 6;
const GENERATIONS_A_SPAN = 10;
/** The newest generations are being judged by what is usual, and are not in it. */
const NOT_YET = 2;

interface Span {
  readonly sinceMs: number;
  readonly generations: number;
  readonly run: SketchWire;
}

/** What is usual for a job type, in ms, since when and by how many runs. */
export interface Baseline {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly count: number;
  readonly sinceMs: number;
}

/** Run times of one job type over the last hour in which it ran. */
export class RunPast {
  #spans: readonly Span[] = [];
  #notYet: readonly Span[] = [];
  #baseline: Baseline | null = null;

  /** Takes in one generation that has ended. */
  add(sinceMs: number, run: Sketch): void {
    this.#notYet = [...this.#notYet, { sinceMs, generations: 1, run: run.toWire() }];
    const [next, ...rest] = this.#notYet;
    if (!next || rest.length < NOT_YET) return;
    this.#notYet = rest;
    const last = this.#spans[this.#spans.length - 1];
    this.#spans =
      last && last.generations < GENERATIONS_A_SPAN
        ? [...this.#spans.slice(0, -1), joined(last, next)]
        : [...this.#spans, next].slice(-MAX_SPANS);
    this.#baseline = baselineOf(this.#spans);
  }

  /** What it holds in memory, about. */
  get bytes(): number {
    return [...this.#spans, ...this.#notYet].reduce((sum, { run }) => sum + 200 + 8 * run.bins.length, 0);
  }

  /** null: it has not run for long enough. */
  get baseline(): Baseline | null {
    return this.#baseline;
  }
}

function joined(a: Span, b: Span): Span {
  return {
    sinceMs: a.sinceMs,
    generations: a.generations + b.generations,
    run: together([a, b]).toWire(),
  };
}

function together(spans: readonly Span[]): Sketch {
  const sketch = new Sketch();
  for (const { run } of spans) sketch.addWire(run);
  return sketch;
}

function baselineOf(spans: readonly Span[]): Baseline | null {
  const run = together(spans);
  if (run.count === 0) return null;
  return {
    p50Ms: run.quantileMs(0.5),
    p95Ms: run.quantileMs(0.95),
    count: Math.round(run.count),
    sinceMs: spans[0]?.sinceMs ?? 0,
  };
}
