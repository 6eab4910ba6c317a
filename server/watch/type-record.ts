import { Sketch } from '../../agent/sketch.js';
import type { BatchWait, FailureRise, RunTimes } from '../model/job-type.js';
import type { FinishedRun } from './batch-wait/bursts.js';
import { type Baseline, RunPast, runTimesOf } from './run-past.js';
import type { OutcomeBucket } from './type-trends.js';

/** A verdict that is worked out again only where what it was made from has changed. */
class Memo<T> {
  #key: string | null = null;
  #value: T | null = null;

  /** @param key changes with everything that `make` looks at. */
  of(key: string, make: () => T): T {
    if (this.#key !== key) {
      this.#value = make();
      this.#key = key;
    }
    return this.#value as T;
  }
}

/** Run times of now are those of one to two of these. */
const GENERATION_MS = 60_000;
/** Single runs that are kept until some are dropped: so many more. */
const RUNS_AT_ONCE = 100;
const RUNS_FOR_MS = 10 * 60_000;
/** Failures are counted over spans of this length, for half an hour; what is older over longer ones. */
const BUCKET_MS = 2_000;
const BUCKETS_FOR_MS = 30 * 60_000;
const MAX_BUCKETS = 240;
const MAX_COMPLETIONS = 64;
const RATE_MS = 10_000;
const TREND_POINTS = 30;
/** Its own fields, its name and trends; one run with what it is made of. */
const BASE_BYTES = 3_000;
const RUN_BYTES = 100;

interface Generation {
  readonly sinceMs: number;
  /** null: empty. */
  run: Sketch | null;
  waited: Sketch | null;
  unseen: number;
}

/** Over the last one to two minutes. */
export interface RecentRuns {
  readonly run: RunTimes | null;
  readonly waited: { readonly p50Ms: number; readonly p95Ms: number } | null;
  /** Runs that ended unseen in between. */
  readonly unseen: number;
}

interface MutableBucket extends OutcomeBucket {
  atMs: number;
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
  readonly #past = new RunPast();
  #recent: RecentRuns | null = null;
  #runs: FinishedRun[] = [];
  #runsUnseen: { readonly atMs: number; readonly runs: number }[] = [];
  #buckets: MutableBucket[] = [];
  readonly #completions: number[] = [];
  #runMedians: (number | null)[] = [];
  #waitMedians: (number | null)[] = [];
  #trendAtMs: number;
  #runTrend: Sketch | null = null;
  #waitTrend: Sketch | null = null;
  lastError: string | null = null;
  lastSeenAtMs: number;
  /** Change with every run that is kept or forgotten, and with every outcome. */
  runsVersion = 0;
  outcomesVersion = 0;
  readonly batchWait = new Memo<BatchWait | null>();
  readonly failing = new Memo<FailureRise | null>();
  /** What the latest runs had waited before they started; null: not known. */
  lastWaitedMs: number | null = null;

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
    this.outcomesVersion += 1;
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
      if (this.#completions.length > MAX_COMPLETIONS) this.#completions.shift();
    }
  }

  /** Sketches that run times of this moment are added to. */
  runSketches(nowMs: number): readonly Sketch[] {
    this.#turn(nowMs);
    this.#recent = null;
    this.#now.run ??= new Sketch();
    this.#runTrend ??= new Sketch();
    return [this.#now.run, this.#runTrend];
  }

  /** Sketches that waits of this moment are added to. */
  waitSketches(nowMs: number): readonly Sketch[] {
    this.#turn(nowMs);
    this.#recent = null;
    this.#now.waited ??= new Sketch();
    this.#waitTrend ??= new Sketch();
    return [this.#now.waited, this.#waitTrend];
  }

  /** @param most that are kept. */
  addRun(run: FinishedRun, most: number): void {
    this.runsVersion += 1;
    this.#runs.push(run);
    if (this.#runs.length > most + RUNS_AT_ONCE) this.#runs = this.#runs.slice(-most);
  }

  addUnseen(runs: number, nowMs: number): void {
    if (runs <= 0) return;
    this.#recent = null;
    this.runsVersion += 1;
    this.#now.unseen += runs;
    this.#runsUnseen = [...this.#runsUnseen.slice(-50), { atMs: nowMs, runs }];
  }

  /** The same object until something ended. */
  recent(nowMs: number): RecentRuns {
    this.#turn(nowMs);
    this.#recent ??= recentOf(this.#before, this.#now);
    return this.#recent;
  }

  /** Its past; null: too short. */
  baseline(nowMs: number): Baseline | null {
    this.#turn(nowMs);
    return this.#past.baseline;
  }

  /** Runs that ended lately, and how many more there were. */
  runs(nowMs: number): { readonly runs: readonly FinishedRun[]; readonly unseen: number } {
    const oldest = this.#runs[0];
    if (oldest && nowMs - oldest.endedAtMs >= RUNS_FOR_MS) {
      this.#runs = this.#runs.filter(({ endedAtMs }) => nowMs - endedAtMs < RUNS_FOR_MS);
      this.runsVersion += 1;
    }
    const since = this.#runs[0]?.endedAtMs ?? nowMs;
    const unseen = this.#runsUnseen
      .filter(({ atMs }) => atMs >= since)
      .reduce((sum, { runs }) => sum + runs, 0);
    return { runs: this.#runs, unseen };
  }

  /** What it holds in memory, about. */
  get bytes(): number {
    const sketches = [this.#now.run, this.#now.waited, this.#before?.run, this.#before?.waited];
    const trends = [this.#runTrend, this.#waitTrend];
    const inSketches = [...sketches, ...trends].reduce((sum, sketch) => sum + (sketch?.bytes ?? 0), 0);
    const errors = this.lastError === null ? 0 : 2 * this.lastError.length;
    return (
      BASE_BYTES +
      inSketches +
      this.#past.bytes +
      RUN_BYTES * this.#runs.length +
      (100 + errors) * this.#buckets.length
    );
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
    if (this.#buckets.length > MAX_BUCKETS)
      this.#buckets = coarser(this.#buckets.filter(({ atMs }) => nowMs - atMs < BUCKETS_FOR_MS));
    return made;
  }

  #turn(nowMs: number): void {
    while (nowMs - this.#trendAtMs >= RATE_MS) {
      const isLong = nowMs - this.#trendAtMs >= TREND_POINTS * RATE_MS;
      this.#runMedians = [...this.#runMedians.slice(2 - TREND_POINTS), medianOf(this.#runTrend)];
      this.#waitMedians = [...this.#waitMedians.slice(2 - TREND_POINTS), medianOf(this.#waitTrend)];
      this.#runTrend = null;
      this.#waitTrend = null;
      this.#trendAtMs = isLong ? nowMs : this.#trendAtMs + RATE_MS;
    }
    if (nowMs - this.#now.sinceMs < GENERATION_MS) return;
    if (this.#now.run && this.#now.run.count > 0) this.#past.add(this.#now.sinceMs, this.#now.run);
    this.#recent = null;
    this.#before = this.#now;
    this.#now = generation(nowMs);
  }
}

function generation(nowMs: number): Generation {
  return { sinceMs: nowMs, run: null, waited: null, unseen: 0 };
}

function recentOf(before: Generation | null, now: Generation): RecentRuns {
  const run = joined(before?.run ?? null, now.run);
  const waited = joined(before?.waited ?? null, now.waited);
  return {
    run: run && runTimesOf(run),
    waited:
      waited && waited.count > 0 ? { p50Ms: waited.quantileMs(0.5), p95Ms: waited.quantileMs(0.95) } : null,
    unseen: now.unseen + (before?.unseen ?? 0),
  };
}

function joined(a: Sketch | null, b: Sketch | null): Sketch | null {
  if (!a || !b) return a ?? b;
  const both = new Sketch();
  both.merge(a);
  both.merge(b);
  return both;
}

/** The older half in pairs: when something began long ago matters less to the second. */
function coarser(buckets: readonly MutableBucket[]): MutableBucket[] {
  const half = Math.floor(buckets.length / 4) * 2;
  const older: MutableBucket[] = [];
  for (let i = 0; i < half; i += 2) {
    const [a, b] = [buckets[i], buckets[i + 1]];
    if (!a || !b) continue;
    older.push({
      atMs: a.atMs,
      completed: a.completed + b.completed,
      failed: a.failed + b.failed,
      firstFailedAtMs: a.firstFailedAtMs ?? b.firstFailedAtMs,
      error: b.error ?? a.error,
    });
  }
  return [...older, ...buckets.slice(half)];
}

function medianOf(sketch: Sketch | null): number | null {
  return sketch === null || sketch.count === 0 ? null : sketch.quantileMs(0.5);
}
