import type { TypeLoad } from '../model/plan.js';

/** Jobs of several types, served in the order in which they came, as one average job. */
export interface Mix {
  /** Attempts until a job is done. */
  readonly startsPerJob: number;
  /** Share of first attempts after which a job is done; 1: none is retried. */
  readonly doneAtFirstRatio: number;
  /** Share of starts whose job waits for a batch, 0..1. */
  readonly batchShare: number;
  /** Mean busy time of a start that waits for no batch. */
  readonly plainMs: number;
  /** Of the starts that do wait; null: none. */
  readonly batch: MixBatch | null;
  readonly bytesPerJob: number;
  readonly keepsBytesPerJob: number;
  /** Standard deviation of the mean run time, relative to it. */
  readonly runErrorRatio: number;
}

export interface MixBatch {
  readonly flushTimeoutMs: number;
  /** Busy time once the batch is sent. */
  readonly runMs: number;
  /** Jobs of all batching types that are held when the first batch fills; null: not known. */
  readonly size: number | null;
  readonly sizeAtLeast: number;
}

/** From the 10th to the 90th percentile of a normal distribution there are so many standard deviations. */
export const P10_P90_DEVIATIONS = 2.563;
/** Shorter than this nothing runs, and what isn't known can't be divided by. */
const LEAST_MS = 0.05;

/**
 * Average of the types by `weightOf`: Σ shareᵢ · Sᵢ (algorithms.md c), each with its mean number of attempts. Several
 * batching types are taken as one; the first of their batches to fill is the one that counts.
 * @returns null where no type weighs anything.
 */
export function mixOf(types: readonly TypeLoad[], weightOf: (type: TypeLoad) => number): Mix | null {
  const parts = types
    .map((type) => ({ type, jobs: atLeast(weightOf(type), 0), attempts: attemptsPerJob(type) }))
    .filter(({ jobs }) => jobs > 0)
    .map((part) => ({ ...part, starts: part.jobs * part.attempts }));
  const jobs = sum(parts, (part) => part.jobs);
  if (!(jobs > 0)) return null;
  const starts = sum(parts, (part) => part.starts);
  const plain = parts.filter(({ type }) => type.batch === null);
  const batching = parts.filter(({ type }) => type.batch !== null);
  return {
    startsPerJob: starts / jobs,
    doneAtFirstRatio: sum(parts, (part) => part.jobs * doneAtFirst(part.type)) / jobs,
    batchShare: sum(batching, (part) => part.starts) / starts,
    plainMs: Math.max(
      LEAST_MS,
      mean(plain, ({ type }) => runMs(type)),
    ),
    batch: batchOf(batching),
    bytesPerJob: sum(parts, (part) => part.jobs * atLeast(part.type.bytesPerJob, 0)) / jobs,
    keepsBytesPerJob: sum(parts, (part) => part.jobs * atLeast(part.type.keepsBytesWhenDone, 0)) / jobs,
    runErrorRatio: runError(parts),
  };
}

/** Attempts that a job takes when each fails by chance: 1 + f + f² + … over at most `attempts`. */
function attemptsPerJob({ failureRatio, attempts }: TypeLoad): number {
  const failing = Math.min(1, atLeast(failureRatio, 0));
  const most = Math.max(1, Math.floor(atLeast(attempts, 1)));
  return failing >= 1 ? most : (1 - failing ** most) / (1 - failing);
}

function doneAtFirst({ failureRatio, attempts }: TypeLoad): number {
  return attempts > 1 ? 1 - Math.min(0.99, atLeast(failureRatio, 0)) : 1;
}

interface Part {
  readonly type: TypeLoad;
  readonly starts: number;
}

function batchOf(parts: readonly Part[]): MixBatch | null {
  const all = sum(parts, (part) => part.starts);
  if (!(all > 0)) return null;
  // Held slots fill in proportion, so a type with a small share makes the others wait until its batch is full.
  const held = (size: (type: TypeLoad) => number | null): number | null => {
    const sizes = parts.flatMap((part) => {
      const one = size(part.type);
      return one === null ? [] : (one * all) / part.starts;
    });
    return sizes.length === 0 ? null : Math.max(1, Math.min(...sizes));
  };
  return {
    flushTimeoutMs: Math.max(
      LEAST_MS,
      mean(parts, ({ type }) => atLeast(type.batch?.flushTimeoutMs ?? 0, 0)),
    ),
    runMs: Math.max(
      LEAST_MS,
      mean(parts, ({ type }) => runMs(type)),
    ),
    size: held((type) => type.batch?.batchSize ?? null),
    sizeAtLeast: held((type) => type.batch?.batchSizeAtLeast ?? null) ?? 1,
  };
}

/** Errors of the types' means are independent, so they add as squares. */
function runError(parts: readonly Part[]): number {
  const total = sum(parts, (part) => part.starts * runMs(part.type));
  const squares = sum(parts, ({ type, starts }) => {
    const [low, high] = type.runRangeMs;
    const deviation = (starts * atLeast(high - low, 0)) / P10_P90_DEVIATIONS;
    return deviation ** 2;
  });
  return total > 0 ? Math.sqrt(squares) / total : 0;
}

function runMs(type: TypeLoad): number {
  return Math.max(LEAST_MS, atLeast(type.runMs, LEAST_MS));
}

function mean(parts: readonly Part[], of: (part: Part) => number): number {
  const weight = sum(parts, (part) => part.starts);
  return weight > 0 ? sum(parts, (part) => part.starts * of(part)) / weight : 0;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** `value`, or `least` where it is less or not a number. */
function atLeast(value: number, least: number): number {
  return Number.isFinite(value) && value > least ? value : least;
}
