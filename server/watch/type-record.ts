import type { FinishedRun } from '../model/batch-wait.js';
import type { OutcomeBucket } from '../model/failure-rise.js';
import { newSketch, quantileMs, type Sketch } from './sketch.js';

/** Run times of now are told over one to two of these. */
const GENERATION_MS = 60_000;
/** What is usual: so many generations, without the newest that are being judged by it. */
const BASELINE_GENERATIONS = 60;
const NOT_YET_BASELINE = 2;
/** Single runs that are kept: enough for some batches of some processes. */
const MOST_RUNS = 600;
const RUNS_FOR_MS = 10 * 60_000;
/** Failures are counted over spans of this length, for half an hour. */
const BUCKET_MS = 2_000;
const MOST_BUCKETS = 900;
const MOST_COMPLETIONS = 64;
const RATE_MS = 10_000;
const TREND_POINTS = 30;

interface Generation {
  readonly sinceMs: number;
  readonly run: Sketch;
  readonly waited: Sketch;
  untold: number;
}

interface MutableBucket extends OutcomeBucket {
  completed: number;
  failed: number;
  firstFailedAtMs: number | null;
  error: string | null;
}

/** What is remembered of one job type. Bounded, however many jobs there are. */
export class TypeRecord {
  readonly firstSeenAtMs: number;
  #now: Generation;
  #before: Generation | null = null;
  #past: { readonly sinceMs: number; readonly run: Sketch }[] = [];
  #runs: FinishedRun[] = [];
  #runsUntold: { readonly atMs: number; readonly runs: number }[] = [];
  readonly #buckets: MutableBucket[] = [];
  readonly #completions: number[] = [];
  #runMedians: (number | null)[] = [];
  #waitMedians: (number | null)[] = [];
  #trendAtMs: number;
  #runTrend: Sketch = newSketch();
  #waitTrend: Sketch = newSketch();
  lastError: string | null = null;
  lastSeenAtMs: number;

  constructor(nowMs: number) {
    this.firstSeenAtMs = nowMs;
    this.lastSeenAtMs = nowMs;
    this.#trendAtMs = nowMs;
    this.#now = generation(nowMs);
  }

  /** Runs that ended by `nowMs`, summed up. */
  addOutcomes(
    outcome: { readonly completed: number; readonly failed: number; readonly error: string | null },
    firstFailedAtMs: number | null,
    nowMs: number,
  ): void {
    this.lastSeenAtMs = nowMs;
    const bucket = this.#bucket(nowMs);
    bucket.completed += outcome.completed;
    bucket.failed += outcome.failed;
    if (outcome.failed > 0) bucket.firstFailedAtMs ??= firstFailedAtMs ?? nowMs;
    if (outcome.error !== null) {
      bucket.error = outcome.error;
      this.lastError = outcome.error;
    }
    if (outcome.completed > 0 && (this.#completions[this.#completions.length - 1] ?? 0) < nowMs) {
      this.#completions.push(nowMs);
      if (this.#completions.length > MOST_COMPLETIONS) this.#completions.shift();
    }
  }

  /** A place to add run times to, for the moment. */
  runSketches(nowMs: number): readonly Sketch[] {
    this.#turn(nowMs);
    return [this.#now.run, this.#runTrend];
  }

  /** A place to add waits to, for the moment. */
  waitSketches(nowMs: number): readonly Sketch[] {
    this.#turn(nowMs);
    return [this.#now.waited, this.#waitTrend];
  }

  addRun(run: FinishedRun): void {
    this.#runs.push(run);
    if (this.#runs.length > MOST_RUNS + 100) this.#runs = this.#runs.slice(-MOST_RUNS);
  }

  addUntold(runs: number, nowMs: number): void {
    if (runs <= 0) return;
    this.#now.untold += runs;
    this.#runsUntold = [...this.#runsUntold.slice(-50), { atMs: nowMs, runs }];
  }

  /** Over the last one to two minutes. */
  recent(nowMs: number): { readonly run: Sketch; readonly waited: Sketch; readonly untold: number } {
    this.#turn(nowMs);
    const [run, waited] = [newSketch(), newSketch()];
    for (const part of [this.#before, this.#now]) {
      if (!part) continue;
      run.merge(part.run);
      waited.merge(part.waited);
    }
    return { run, waited, untold: this.#now.untold + (this.#before?.untold ?? 0) };
  }

  /** Its past; null: too short. */
  baseline(nowMs: number): { readonly run: Sketch; readonly sinceMs: number } | null {
    this.#turn(nowMs);
    const past = this.#past.slice(0, -NOT_YET_BASELINE);
    const run = newSketch();
    for (const part of past) run.merge(part.run);
    return run.count === 0 ? null : { run, sinceMs: past[0]?.sinceMs ?? nowMs };
  }

  /** Runs that ended lately, and how many more there were. */
  runs(nowMs: number): { readonly runs: readonly FinishedRun[]; readonly untold: number } {
    this.#runs = this.#runs.filter(({ endedAtMs }) => nowMs - endedAtMs < RUNS_FOR_MS);
    const since = this.#runs[0]?.endedAtMs ?? nowMs;
    const untold = this.#runsUntold
      .filter(({ atMs }) => atMs >= since)
      .reduce((sum, { runs }) => sum + runs, 0);
    return { runs: this.#runs, untold };
  }

  get buckets(): readonly OutcomeBucket[] {
    return this.#buckets;
  }

  get completions(): readonly number[] {
    return this.#completions;
  }

  /** Completed and failed per second over the last 10 s (less where it is known for less). */
  rates(nowMs: number): { readonly completed: number; readonly failed: number } {
    const from = Math.max(nowMs - RATE_MS, this.firstSeenAtMs - BUCKET_MS);
    const seconds = Math.max(BUCKET_MS, nowMs - from) / 1000;
    const lately = this.#buckets.filter(({ atMs }) => atMs > from);
    return {
      completed: lately.reduce((sum, { completed }) => sum + completed, 0) / seconds,
      failed: lately.reduce((sum, { failed }) => sum + failed, 0) / seconds,
    };
  }

  /** Medians over spans of 10 s, oldest first; the last span is the one that goes on. null: nothing ended in it. */
  runTrend(nowMs: number): readonly (number | null)[] {
    this.#turn(nowMs);
    return [...this.#runMedians, medianOf(this.#runTrend)];
  }

  /** The same of the time that jobs waited before they started. */
  waitTrend(nowMs: number): readonly (number | null)[] {
    this.#turn(nowMs);
    return [...this.#waitMedians, medianOf(this.#waitTrend)];
  }

  #bucket(nowMs: number): MutableBucket {
    const last = this.#buckets[this.#buckets.length - 1];
    if (last && nowMs - last.atMs < BUCKET_MS) return last;
    const made = { atMs: nowMs, completed: 0, failed: 0, firstFailedAtMs: null, error: null };
    this.#buckets.push(made);
    if (this.#buckets.length > MOST_BUCKETS) this.#buckets.shift();
    return made;
  }

  #turn(nowMs: number): void {
    while (nowMs - this.#trendAtMs >= RATE_MS) {
      const isLong = nowMs - this.#trendAtMs >= TREND_POINTS * RATE_MS;
      this.#runMedians = [...this.#runMedians.slice(2 - TREND_POINTS), medianOf(this.#runTrend)];
      this.#waitMedians = [...this.#waitMedians.slice(2 - TREND_POINTS), medianOf(this.#waitTrend)];
      this.#runTrend = newSketch();
      this.#waitTrend = newSketch();
      this.#trendAtMs = isLong ? nowMs : this.#trendAtMs + RATE_MS;
    }
    if (nowMs - this.#now.sinceMs < GENERATION_MS) return;
    if (this.#now.run.count > 0)
      this.#past = [...this.#past, this.#now].slice(-BASELINE_GENERATIONS - NOT_YET_BASELINE);
    this.#before = this.#now;
    this.#now = generation(nowMs);
  }
}

function generation(nowMs: number): Generation {
  return { sinceMs: nowMs, run: newSketch(), waited: newSketch(), untold: 0 };
}

function medianOf(sketch: Sketch): number | null {
  return sketch.count === 0 ? null : quantileMs(sketch, 0.5);
}
