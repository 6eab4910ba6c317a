import type { SketchWire } from '../../agent/protocol.js';
import { addWire, newSketch, quantileMs, type Sketch, wireOf } from './sketch.js';

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
    this.#notYet = [...this.#notYet, { sinceMs, generations: 1, run: wireOf(run) }];
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
    run: wireOf(together([a, b])),
  };
}

function together(spans: readonly Span[]): Sketch {
  const sketch = newSketch();
  for (const { run } of spans) addWire(sketch, run);
  return sketch;
}

function baselineOf(spans: readonly Span[]): Baseline | null {
  const run = together(spans);
  if (run.count === 0) return null;
  return {
    p50Ms: quantileMs(run, 0.5),
    p95Ms: quantileMs(run, 0.95),
    count: Math.round(run.count),
    sinceMs: spans[0]?.sinceMs ?? 0,
  };
}
