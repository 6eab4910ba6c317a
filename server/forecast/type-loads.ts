import type { JobTypeState } from '../model/job-type.js';
import type { PlanInput, TypeLoad } from '../model/plan.js';
import { positive } from '../model/plan.js';
import type { QueueState, RedisNode, Snapshot } from '../model/snapshot.js';
import { arrivalsNow } from './flow.js';

/** So much of all that has ever ended is still there: nothing is removed. Less: as much is removed as comes. */
const ALL_KEPT_RATIO = 0.9;
/** Growth that queues don't explain counts once it is so much of the whole. */
const UNEXPLAINED_RATIO = 0.5;

/** Bytes that a waiting job of a type holds, mean; of all types where that one was not sampled, 0 where none was. */
function bytesWaiting({ memory, unfinished, types }: QueueState, type: string | null): number {
  const sampled = memory?.types.find((one) => one.type === type);
  const own = sampled ? quotient(sampled.backlogBytes, sampled.unfinished) : 0;
  const shown = types.find(({ name }) => name === type)?.bytesPerJob;
  return own || positive(shown) || quotient(memory?.backlogBytes, unfinished);
}

/** Bytes that stay of a job that is done, mean; 0 where retention has settled, as then one goes for each that comes. */
function keptBytes({ memory, counts, addedTotal, unfinished }: QueueState, type: string | null): number {
  const done = positive(counts.completed) + positive(counts.failed);
  const everDone = Math.max(done, positive(addedTotal) - positive(unfinished));
  if (!memory || done === 0 || everDone === 0) return 0;
  const keptRatio = done / everDone;
  if (counts.completed > 0 && keptRatio < ALL_KEPT_RATIO) return 0;
  const sampled = memory.types.find((one) => one.type === type);
  const mean = quotient(positive(memory.completedBytes) + positive(memory.failedBytes), done);
  // Of a type it is known what is kept, not of how many: its own size bounds the mean.
  return keptRatio * Math.min(mean, positive(sampled?.bytesPerJob) || mean);
}

/** Redis's memory as a plan needs it; null where it is not one process that is known. */
export function planMemory(snapshot: Snapshot, queue: QueueState): PlanInput['memory'] {
  const [node, ...others] = snapshot.nodes;
  if (!node || others.length > 0) return null;
  const limitBytes = limitOf(node);
  const countedBytes = positive(node.countedBytes);
  return {
    countedBytes: node.isFull && limitBytes !== null ? Math.max(countedBytes, limitBytes) : countedBytes,
    limitBytes,
    otherGrowthBytesPerSecond: otherGrowth(node, snapshot, queue),
  };
}

/** A Redis that evicts does not refuse, so nothing of a queue's flow ends there. */
function limitOf(node: RedisNode): number | null {
  if (!node.limit || !(positive(node.limit.bytes) > 0)) return null;
  const isEvicting = node.limit.source === 'maxmemory' && node.policy !== 'noeviction';
  return isEvicting ? null : node.limit.bytes;
}

/** Growth of the other queues' backlogs, and of what is no queue's where that is most of the growth there is. */
function otherGrowth(node: RedisNode, snapshot: Snapshot, queue: QueueState): number {
  const growthOf = (one: QueueState): number => {
    const perSecond = one.rates?.growthPerSecond ?? 0;
    return (Number.isFinite(perSecond) ? perSecond : 0) * bytesWaiting(one, null);
  };
  const others = snapshot.queues.reduce((sum, one) => (one.id === queue.id ? sum : sum + growthOf(one)), 0);
  const all = positive(node.forecast?.growthBytesPerSecond);
  const unexplained = all - others - growthOf(queue);
  return others + (all > 0 && unexplained > UNEXPLAINED_RATIO * all ? unexplained : 0);
}

function quotient(bytes: number | undefined, jobs: number): number {
  return positive(jobs) > 0 ? positive(bytes) / jobs : 0;
}

/** Sending a batch and the answer to it, where the flush timeout is all that was seen; but never most of it. */
const SENDING_MS = 100;
const MAX_OF_TIMEOUT = 0.2;
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
  const backlog = positive(queue.backlog);
  const arrivals = arrivalsNow(queue);
  if (backlog === 0 && arrivals === 0) return { types: [], knownRatio: 1 };
  const waits = shares(queue.types, (type) => positive(type.waiting?.value));
  const comes = shares(queue.types, (type) => positive(type.arrivalsPerSecond));
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
    waiting: positive(queue.backlog),
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
  if (batchWait && positive(batchWait.flushTimeoutMs) > 0) {
    // A run of a batch that fills shows the work itself; of one that waits only the flush timeout is seen.
    const sendingMs = Math.min(SENDING_MS, batchWait.flushTimeoutMs * MAX_OF_TIMEOUT);
    const shortest = run && !batchWait.isStarved ? positive(run.p50Ms) : sendingMs;
    const runMs = Math.max(1, Math.min(shortest || sendingMs, batchWait.flushTimeoutMs / 2));
    return {
      runMs,
      runRangeMs: [runMs / 2, runMs * 2],
      batch: {
        flushTimeoutMs: Math.max(0, batchWait.flushTimeoutMs - runMs),
        batchSize: batchWait.batchSize === null ? null : Math.max(1, positive(batchWait.batchSize)),
        batchSizeAtLeast: Math.max(1, positive(batchWait.batchSizeAtLeast)),
      },
    };
  }
  if (!run || !(positive(run.count) > 0) || !(positive(run.meanMs) > 0)) return unknownRun(secondsPerJob);
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
    (sum, type) => sum + positive(type.completedPerSecond) + positive(type.failedPerSecond),
    0,
  );
  const left = positive(rates?.departuresPerSecond);
  return left > 0 && ended > 0 ? Math.max(1, ended / left) : 1;
}

/** How often jobs are tried shows in attempts per departure: (1 − fⁿ) / (1 − f), solved for n. */
function failuresOf(
  { completedPerSecond, failedPerSecond }: JobTypeState,
  startsPerJob: number,
): Pick<TypeLoad, 'failureRatio' | 'attempts'> {
  const failed = positive(failedPerSecond);
  const ended = positive(completedPerSecond) + failed;
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
