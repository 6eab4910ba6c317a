import type { JobTypeState } from '../model/job-type.js';
import type { TypeLoad } from '../model/plan.js';
import type { QueueState } from '../model/snapshot.js';
import { arrivalsNow } from './flow.js';
import { bytesWaiting, keptBytes } from './job-bytes.js';

/** Sending a batch and the answer to it, where a run's wall is all that was seen; but never most of the wall. */
const SENDING_MS = 100;
const MAX_OF_WALL = 0.2;
/** From 10th to 90th percentile of a mean of n runs that scatter as much as their mean: ± 1.282 / √n. */
const TO_P90 = 1.282;
/** Nothing has ended yet: a second, give or take a factor of ten. */
const UNKNOWN_MS = 1_000;
const UNKNOWN_RANGE_MS = [100, 10_000] as const;
/** Fewer failures than this say nothing of retries. */
const SOME_FAILURES_RATIO = 0.05;
const MAX_ATTEMPTS = 10;

export interface TypeLoads {
  readonly types: readonly TypeLoad[];
  /** Share of what waits whose run times are known. */
  readonly knownRatio: number;
}

/**
 * What waits, by type. Samples of types are scaled to the queue's own counts, which are exact. Pure.
 * @param secondsPerJob Of a job whose type has not ended one; null: not known.
 */
export function typeLoads(queue: QueueState, secondsPerJob: number | null): TypeLoads {
  const backlog = finite(queue.backlog);
  const arrivals = arrivalsNow(queue);
  if (backlog === 0 && arrivals === 0) return { types: [], knownRatio: 1 };
  const waits = shares(queue.types, (type) => finite(type.waiting?.value));
  const comes = shares(queue.types, (type) => finite(type.arrivalsPerSecond));
  // A type that only comes also waits, and the other way round, where the other has not been sampled.
  const waiting = waits ?? comes;
  const coming = comes ?? waits;
  if (!waiting || !coming)
    return { types: [whole(queue, secondsPerJob)], knownRatio: secondsPerJob === null ? 0 : 1 };
  const retries = startsPerDeparture(queue);
  const loads = queue.types.map((type, i) => ({
    isKnown: type.run !== null || type.batchWait !== null,
    load: {
      name: type.name,
      waiting: backlog * (waiting[i] ?? 0),
      arrivalsPerSecond: arrivals * (coming[i] ?? 0),
      ...runOf(type, secondsPerJob),
      bytesPerJob: bytesWaiting(queue, type.name),
      keepsBytesWhenDone: keptBytes(queue, type.name),
      ...failuresOf(type, retries),
    },
  }));
  const used = loads.filter(({ load }) => load.waiting > 0 || load.arrivalsPerSecond > 0);
  const knownShare = used.reduce(
    (sum, { isKnown, load }) => sum + (isKnown ? load.waiting + load.arrivalsPerSecond : 0),
    0,
  );
  const share = used.reduce((sum, { load }) => sum + load.waiting + load.arrivalsPerSecond, 0);
  return {
    types: used.map(({ load }) => load),
    knownRatio: secondsPerJob !== null || share === 0 ? 1 : knownShare / share,
  };
}

/** Types are not known: all jobs as one. */
function whole(queue: QueueState, secondsPerJob: number | null): TypeLoad {
  return {
    name: 'all jobs',
    waiting: finite(queue.backlog),
    arrivalsPerSecond: arrivalsNow(queue),
    ...unknownRun(secondsPerJob),
    bytesPerJob: bytesWaiting(queue, null),
    keepsBytesWhenDone: keptBytes(queue, null),
    failureRatio: 0,
    attempts: 1,
    batch: null,
  };
}

type Run = Pick<TypeLoad, 'runMs' | 'runRangeMs' | 'batch'>;

function runOf({ run, batchWait }: JobTypeState, secondsPerJob: number | null): Run {
  if (batchWait && finite(batchWait.wallMs) > 0) {
    // A run of a batch that fills shows the work itself; of one that waits only the wall is seen.
    const sendingMs = Math.min(SENDING_MS, batchWait.wallMs * MAX_OF_WALL);
    const shortest = run && !batchWait.isStarved ? finite(run.p50Ms) : sendingMs;
    const runMs = Math.max(1, Math.min(shortest || sendingMs, batchWait.wallMs / 2));
    return {
      runMs,
      runRangeMs: [runMs / 2, runMs * 2],
      batch: {
        wallMs: Math.max(0, batchWait.wallMs - runMs),
        batchSize: batchWait.batchSize === null ? null : Math.max(1, finite(batchWait.batchSize)),
        batchSizeAtLeast: Math.max(1, finite(batchWait.batchSizeAtLeast)),
      },
    };
  }
  if (!run || !(finite(run.count) > 0) || !(finite(run.meanMs) > 0)) return unknownRun(secondsPerJob);
  const errorRatio = Math.min(0.9, TO_P90 / Math.sqrt(run.count));
  return {
    runMs: run.meanMs,
    runRangeMs: [run.meanMs * (1 - errorRatio), run.meanMs * (1 + errorRatio)],
    batch: null,
  };
}

function unknownRun(secondsPerJob: number | null): Run {
  if (secondsPerJob === null) return { runMs: UNKNOWN_MS, runRangeMs: UNKNOWN_RANGE_MS, batch: null };
  const runMs = secondsPerJob * 1000;
  return { runMs, runRangeMs: [runMs / 2, runMs * 2], batch: null };
}

/** Attempts that start for each job that leaves, over all types; 1 where nothing is retried. */
function startsPerDeparture({ types, rates }: QueueState): number {
  const ended = types.reduce(
    (sum, type) => sum + finite(type.completedPerSecond) + finite(type.failedPerSecond),
    0,
  );
  const left = finite(rates?.departuresPerSecond);
  return left > 0 && ended > 0 ? Math.max(1, ended / left) : 1;
}

/** How often jobs are tried shows in attempts per departure: (1 − fⁿ) / (1 − f), solved for n. */
function failuresOf(
  { completedPerSecond, failedPerSecond }: JobTypeState,
  startsPerJob: number,
): Pick<TypeLoad, 'failureRatio' | 'attempts'> {
  const failed = finite(failedPerSecond);
  const ended = finite(completedPerSecond) + failed;
  const failureRatio = ended > 0 ? Math.min(1, failed / ended) : 0;
  if (failureRatio < SOME_FAILURES_RATIO) return { failureRatio, attempts: 1 };
  if (failureRatio >= 1) return { failureRatio, attempts: Math.min(MAX_ATTEMPTS, Math.round(startsPerJob)) };
  const unfailed = 1 - startsPerJob * (1 - failureRatio);
  const attempts = unfailed > 0 ? Math.log(unfailed) / Math.log(failureRatio) : MAX_ATTEMPTS;
  return { failureRatio, attempts: Math.min(MAX_ATTEMPTS, Math.max(1, Math.round(attempts))) };
}

/** Each one's part of the whole; null: nobody has any. */
function shares(
  types: readonly JobTypeState[],
  of: (type: JobTypeState) => number,
): readonly number[] | null {
  const total = types.reduce((sum, type) => sum + of(type), 0);
  return total > 0 && Number.isFinite(total) ? types.map((type) => of(type) / total) : null;
}

function finite(value: number | null | undefined): number {
  return value != null && Number.isFinite(value) && value > 0 ? value : 0;
}
