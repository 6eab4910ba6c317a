import type { Clues } from './evidence.js';
import type { Wall } from './wall.js';

/** What waits for less is not in anybody's way. */
const MIN_WALL_MS = 250;
/** One moment may be an upstream that came back; two at the same distance are a timer. */
const MIN_MOMENTS = 2;
const MIN_COINCIDENCES = 4;
const MIN_SYNC = 0.4;
const MIN_BURST_SHARE = 0.65;
/** A wall that is met to some ms time and again may be met by less: the other batches filled. */
const MIN_EXACT_BURST_SHARE = 0.4;
const MIN_EXACT_BURSTS = 8;
const EXACT_RATIO = 0.003;
const EXACT_MS = 5;
/** The timer is exact; what sends and answers after it varies by the network's time, not by the timer's. */
const WALL_SPREAD_RATIO = 0.015;
const WALL_SPREAD_MS = 60;

/**
 * Do the runs wait for a client that batches? First what any such client shows: bursts, again and again, at one wall,
 * whose ends don't repeat their starts. Then one of four reasons to believe that no chance and no work in
 * step made them. Each was held against simulated worlds (test/model/batch-wait.test.ts).
 */
export function isBatchWait(clues: Clues, isRateLimited: boolean): boolean {
  if (!hasWall(clues) || repeatsItsStarts(clues)) return false;
  return (
    beatsChance(clues) ||
    isBesideOthers(clues) ||
    (isSparse(clues) &&
      // A limiter starts its runs together; equal work then ends together too.
      (isTighter(clues) || leavesStartsBehind(clues) || (!isRateLimited && isOneTick(clues))))
  );
}

function hasWall({ wall, evidence, coincidences }: Clues): boolean {
  return (
    wall.ms >= MIN_WALL_MS &&
    wall.moments >= MIN_MOMENTS &&
    wall.burstShare >= (isExact(wall) ? MIN_EXACT_BURST_SHARE : MIN_BURST_SHARE) &&
    coincidences >= MIN_COINCIDENCES &&
    evidence.syncRatio >= MIN_SYNC &&
    wall.spreadRatio * wall.ms <= WALL_SPREAD_RATIO * wall.ms + WALL_SPREAD_MS
  );
}

function isExact({ bursts, spreadRatio, ms }: Wall): boolean {
  return bursts.length >= MIN_EXACT_BURSTS && spreadRatio * ms <= EXACT_RATIO * ms + EXACT_MS;
}

/** [measured] Real batches have slopes of −0.68 to −1, exact sleeps in step −0.1 to −0.95 as Node ends some together. */
const BATCH_SLOPE = -0.65;
const SLEEP_SLOPE = -0.6;

/** Sleeps and time-outs: who started later ended later. Whatever the error, so that what is told stays told. */
function repeatsItsStarts({ carryOver }: Clues): boolean {
  return carryOver.isTold && carryOver.slope > BATCH_SLOPE;
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
function isOneTick({ evidence, wall, coincidences }: Clues): boolean {
  const { medianBurstSize, endSpreadMs } = evidence;
  const queueingMs = 0.05 * medianBurstSize;
  return (
    (wall.moments >= 3 && coincidences >= 6 && endSpreadMs <= Math.max(3 + queueingMs, 0.0006 * wall.ms)) ||
    (coincidences >= 8 && endSpreadMs <= 1 + queueingMs + 0.0001 * wall.ms)
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

/** 0.5 for the least that is told at all, to 1; never less for more of the same. */
export function confidenceOf({ coincidences, wall, carryOver }: Clues): number {
  const most = carryOver.isSure ? 1 : IN_STEP_AT_MOST;
  return FLAGGED + (most - FLAGGED) * (1 - Math.exp(-(coincidences + 2 * wall.moments) / FULL_AT));
}
