import type { BatchWait } from '../../model/job-type.js';
import { median } from '../../model/theil-sen.js';
import type { Burst, FinishedRun, FlushTimeout, Run } from './bursts.js';
import type { Clues } from './evidence.js';
import { gatherClues } from './evidence.js';

/** A burst of so many of its process's slots took all that there were; a few may do other work. */
const ALL_SLOTS_RATIO = 0.9;
const MAX_BURSTS = 0.6;
/** Where slots are always busy, nearly all runs begin with a batch and wait for all of it. */
const AT_FLUSH_SHARE = 0.7;
const MIN_BURSTS_OF_ONE_SIZE = 4;
const ONE_SIZE_SHARE = 0.75;

/**
 * Is it the number of slots that keeps batches from filling, rather than too few jobs?
 * @param seenRatio share of the runs that happened which are known, 0..1.
 */
function isStarved(
  { flush, evidence, knowsProcesses }: Clues,
  batchSize: number | null,
  slotsByProcess: ReadonlyMap<string, number> | null,
  seenRatio: number,
): boolean {
  const slots = slotsByProcess && slotsByProcess.size > 0 ? median([...slotsByProcess.values()]) : null;
  if (batchSize !== null && slots !== null) return slots < batchSize;
  if (evidence.shareAtFlush >= AT_FLUSH_SHARE) return true;
  if (slots !== null && knowsProcesses) {
    // A burst of which some runs were not seen was larger.
    const tookAll = ({ process, runs }: Burst): boolean =>
      runs.length >= ALL_SLOTS_RATIO * seenRatio * (slotsByProcess?.get(process) ?? slots);
    return flush.bursts.filter(tookAll).length >= MAX_BURSTS * flush.bursts.length;
  }
  return areOfOneSize(flush.bursts);
}

/** Jobs that come one by one come in varying numbers; slots that are all taken are always as many. */
function areOfOneSize(bursts: readonly Burst[]): boolean {
  const sizes = bursts.map((burst) => burst.runs.length);
  const usual = median(sizes);
  return (
    sizes.length >= MIN_BURSTS_OF_ONE_SIZE &&
    sizes.filter((size) => size === usual).length >= ONE_SIZE_SHARE * sizes.length
  );
}

interface BatchSize {
  /** Of batches that were sent before the flush timeout, because they were full; null where none was seen. */
  readonly size: number | null;
  /** Batches of one less did not fill. */
  readonly atLeast: number;
}

/** A batch that filled was sent clearly sooner than the timer would have. */
const FULL_BEFORE_RATIO = 0.85;
/** Batches that fill at once may end at once, several as one. */
const FULL_AFTER_RATIO = 0.1;
const MIN_FULL_BURSTS = 3;
/** So many of the bursts that came early must be of one and the same size: a limit repeats itself, chance does not. */
const SAME_SIZE_RATIO = 0.7;
/** A stray end within a burst makes it one too large: the largest few are not believed. */
const LARGEST_BELIEVED = 0.9;

/**
 * Sizes of batches from the bursts in which they end: those at the flush timeout did not fill, those before it did.
 * @param all every completed run, also the short ones: who joins last waits least.
 * @param isWhole is every run of each process among them? Where not, no size is stated, and the lower bound stays one.
 */
function sizeOfBatches(
  bursts: readonly Burst[],
  flush: FlushTimeout,
  all: readonly Run[],
  isWhole: boolean,
): BatchSize {
  const unfilled = flush.bursts.map((burst) => sizeOf(burst, all)).sort((a, b) => a - b);
  const largest = unfilled[Math.floor((unfilled.length - 1) * LARGEST_BELIEVED)] ?? 0;
  const full = bursts
    .filter(
      ({ longestMs }) => longestMs < flush.ms * FULL_BEFORE_RATIO && longestMs > flush.ms * FULL_AFTER_RATIO,
    )
    .map((burst) => sizeOf(burst, all))
    .filter((size) => size >= largest);
  const size = isWhole && full.length >= MIN_FULL_BURSTS ? agreed(full) : null;
  return { size, atLeast: size ?? largest + 1 };
}

/** With the short runs that ended in it. */
function sizeOf(burst: Burst, all: readonly Run[]): number {
  return all.filter(
    (run) =>
      run.process === burst.process &&
      run.startMs < burst.firstEndMs &&
      run.endMs >= burst.firstEndMs &&
      run.endMs <= burst.lastEndMs,
  ).length;
}

function agreed(sizes: readonly number[]): number | null {
  const counts = new Map<number, number>();
  for (const size of sizes) counts.set(size, (counts.get(size) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return most && most[1] >= SAME_SIZE_RATIO * sizes.length ? most[0] : null;
}

/** What waits for less is not in anybody's way. */
const MIN_FLUSH_MS = 250;
/** One moment may be an upstream that came back; two at the same distance are a timer. */
const MIN_MOMENTS = 2;
const MIN_COINCIDENCES = 4;
const MIN_SYNC = 0.4;
const MIN_BURST_SHARE = 0.65;
/** A timeout that is met to some ms time and again may be met by less: the other batches filled. */
const MIN_EXACT_BURST_SHARE = 0.4;
const MIN_EXACT_BURSTS = 8;
const EXACT_RATIO = 0.003;
const EXACT_MS = 5;
/** The timer is exact; what sends and answers after it varies by the network's time, not by the timer's. */
const FLUSH_SPREAD_RATIO = 0.015;
const FLUSH_SPREAD_MS = 60;

/**
 * Do the runs wait for a client that batches? First what any such client shows: bursts, again and again, at one flush timeout,
 * whose ends don't repeat their starts. Then one of four reasons to believe that no chance and no work in
 * step made them. Each was held against simulated worlds (test/watch/batch-wait.test.ts).
 */
function isBatchWait(clues: Clues, isRateLimited: boolean): boolean {
  if (!hasFlushTimeout(clues) || repeatsItsStarts(clues)) return false;
  return (
    beatsChance(clues) ||
    isBesideOthers(clues) ||
    (isSparse(clues) &&
      // A limiter starts its runs together; equal work then ends together too.
      (isTighter(clues) || leavesStartsBehind(clues) || (!isRateLimited && isOneTick(clues))))
  );
}

function hasFlushTimeout({ flush, evidence, coincidences }: Clues): boolean {
  return (
    flush.ms >= MIN_FLUSH_MS &&
    flush.moments >= MIN_MOMENTS &&
    flush.burstShare >= (isExact(flush) ? MIN_EXACT_BURST_SHARE : MIN_BURST_SHARE) &&
    coincidences >= MIN_COINCIDENCES &&
    evidence.syncRatio >= MIN_SYNC &&
    flush.spreadRatio * flush.ms <= FLUSH_SPREAD_RATIO * flush.ms + FLUSH_SPREAD_MS
  );
}

function isExact({ bursts, spreadRatio, ms }: FlushTimeout): boolean {
  return bursts.length >= MIN_EXACT_BURSTS && spreadRatio * ms <= EXACT_RATIO * ms + EXACT_MS;
}

/** [measured] Real batches have slopes of −0.68 to −1, exact sleeps in step −0.1 to −0.95 as Node ends some together. */
const BATCH_SLOPE = -0.65;
const SLEEP_SLOPE = -0.6;

/** Sleeps and time-outs: who started later ended later. Whatever the error, so that what was said stays so. */
function repeatsItsStarts({ carryOver }: Clues): boolean {
  return carryOver.isKnown && carryOver.slope > BATCH_SLOPE;
}

/** Surely not. Only where nearly all runs are in bursts: picking those that ended together would feign it. */
function leavesStartsBehind({ carryOver, evidence }: Clues): boolean {
  return evidence.syncRatio >= 0.9 && carryOver.slope + 2 * carryOver.error <= SLEEP_SLOPE;
}

/** 1. Starts are scattered (jobs come one by one) and ends are not: durations dealt out anew end together far less. */
function beatsChance({ pairs, chance, evidence }: Clues): boolean {
  const times = 3 + 8 / Math.sqrt(evidence.runs);
  return pairs >= times * chance.pairs + 4 && chance.widerTimes >= 2;
}

/** Slots that are always busy start together too. Then at least nothing else ends near a burst, as in a stream it would. */
function isSparse({ evidence, isolatedRatio, coverageRatio }: Clues): boolean {
  return evidence.syncRatio >= 0.7 && isolatedRatio >= 0.6 && evidence.syncRatio - coverageRatio >= 0.4;
}

/** 2. A burst's runs are more alike than runs of different bursts, as all waited for one and the same answer. */
function isTighter({ chance, coincidences }: Clues): boolean {
  return chance.widerTimes >= 1.6 + 11 / coincidences;
}

/**
 * 3. All starts the same and all ends the same to the ms, which no work manages for long. Exact sleeps and time-outs
 * that began in step do, and can't be told apart by times alone.
 */
function isOneTick({ evidence, flush, coincidences }: Clues): boolean {
  const { medianBurstSize, endSpreadMs } = evidence;
  const queueingMs = 0.05 * medianBurstSize;
  return (
    (flush.moments >= 3 && coincidences >= 6 && endSpreadMs <= Math.max(3 + queueingMs, 0.0006 * flush.ms)) ||
    (coincidences >= 8 && endSpreadMs <= 1 + queueingMs + 0.0001 * flush.ms)
  );
}

/** 4. Where processes are not known their bursts are beside each other, so that none is alone: more must speak for it. */
function isBesideOthers(clues: Clues): boolean {
  const { evidence, coverageRatio, chance, pairs } = clues;
  return (
    !clues.knowsProcesses &&
    evidence.syncRatio - coverageRatio >= 0.4 &&
    pairs >= 1.2 * chance.pairs + 2 * Math.sqrt(chance.pairs) &&
    chance.widerTimes >= 2 &&
    leavesStartsBehind(clues)
  );
}

const FLAGGED = 0.5;
/** Where the runs of a burst always began nearly together, exact sleeps in step look the same. */
const IN_STEP_AT_MOST = 0.7;
const FULL_AT = 20;

/** 0.5 for the least that is said at all, to 1; never less for more of the same. */
function confidenceOf({ coincidences, flush, carryOver }: Clues): number {
  const most = carryOver.isSure ? 1 : IN_STEP_AT_MOST;
  return FLAGGED + (most - FLAGGED) * (1 - Math.exp(-(coincidences + 2 * flush.moments) / FULL_AT));
}

export interface BatchWaitInput {
  /** Of one job type, in any order, at most some 2,000. */
  readonly runs: readonly FinishedRun[];
  /** Slots of each process now; null where they are not known. */
  readonly slotsByProcess: ReadonlyMap<string, number> | null;
  readonly isRateLimited: boolean;
  /** Runs that happened but are not in `runs`. */
  readonly skippedRuns: number;
}

/** One request alone is no batch that waits. */
const LEAST_BATCH = 2;

/**
 * Says whether the runs of a job type wait for a client that gathers requests (PostHog 20 or 10 s, Segment 15 or 10 s)
 * and so take as long as its timer, however fast the work is (incidents.md, 1). Its mark: runs of a process end in the
 * same ms whatever their starts were, again and again at the same longest duration, and more so than the same durations
 * dealt out anew would. Pure.
 * @returns null where that is not so, or where too little was seen to say it: two bursts are the least.
 */
export function judgeBatchWait(input: BatchWaitInput): BatchWait | null {
  const clues = gatherClues(input.runs);
  if (!clues || !isBatchWait(clues, input.isRateLimited)) return null;
  const { flush, evidence, knowsProcesses } = clues;
  const isWhole = input.skippedRuns === 0 && knowsProcesses;
  const { size, atLeast } = sizeOfBatches(clues.bursts, flush, clues.completed, isWhole);
  const seenRatio = input.runs.length / (input.runs.length + input.skippedRuns);
  return {
    flushTimeoutMs: flush.ms,
    batchSize: size,
    // Bursts of several processes that look like one would make it too large.
    batchSizeAtLeast: knowsProcesses ? atLeast : LEAST_BATCH,
    confidence: confidenceOf(clues),
    evidence,
    isStarved: isStarved(clues, size, input.slotsByProcess, seenRatio),
  };
}
