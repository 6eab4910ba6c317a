import type { BatchEvidence } from '../../model/job-type.js';
import { median } from '../../model/theil-sen.js';
import {
  type Burst,
  burstCoverageOf,
  burstGapMs,
  byProcess,
  completedRuns,
  type FinishedRun,
  type FlushTimeout,
  findBursts,
  findFlushTimeout,
  isolatedRatioOf,
  longRuns,
  type Run,
  runsIn,
  spreadMs,
} from './bursts.js';

/** What would be seen if each run took its time whatever the others did. */
interface Chance {
  /** Share of runs that would end in bursts, 0..1. */
  readonly syncRatio: number;
  /** Pairs of runs that would end together. */
  readonly pairs: number;
  /** How many times as wide the bursts' ends would be spread. */
  readonly widerTimes: number;
}

/** Few runs need more shuffles for an even mean. */
const MIN_SHUFFLES = 8;
const MAX_SHUFFLES = 64;
const DEALT_RUNS = 8_000;
/** Steps of the golden section visit everything evenly, and take neighbours far apart. */
const GOLDEN = 0.618_034;
/** Clocks tell whole ms: narrower than this is not narrower. */
const CLOCK_MS = 1;

/**
 * A permutation test without randomness: each run keeps its start and is given another run's duration. Independent work
 * looks the same afterwards, whether its starts are scattered or all at once (cron, a fixed sleep in step); what ended
 * together because of a common timer no longer does. The mean over a few fixed shuffles.
 */
function chanceOf(runs: readonly Run[], bursts: readonly Burst[], gapMs: number): Chance {
  const members = bursts.flatMap((burst) => burst.runs);
  const shuffles = Math.round(
    Math.min(MAX_SHUFFLES, Math.max(MIN_SHUFFLES, DEALT_RUNS / Math.max(1, runs.length))),
  );
  let together = 0;
  let pairs = 0;
  const wider: number[] = [];
  for (let round = 1; round <= shuffles; round++) {
    const dealt = dealDurations(runs, round);
    together += runsTogether(dealt, gapMs);
    pairs += pairsTogether(dealt, gapMs);
    // Only among members: what takes another time altogether would make any burst look tight.
    const dealtMembers = dealDurations(members, round);
    let first = 0;
    for (const burst of bursts) {
      const ends = dealtMembers.slice(first, first + burst.runs.length).map((run) => run.endMs);
      first += burst.runs.length;
      wider.push(Math.max(CLOCK_MS, spreadMs(ends)) / Math.max(CLOCK_MS, burst.lastEndMs - burst.firstEndMs));
    }
  }
  return {
    syncRatio: runs.length === 0 ? 0 : together / (shuffles * runs.length),
    pairs: pairs / shuffles,
    widerTimes: wider.length === 0 ? 1 : median(wider),
  };
}

function dealDurations(runs: readonly Run[], round: number): readonly Run[] {
  const step = coprimeStep(runs.length, round);
  return runs.map((run, i) => {
    const durationMs = runs[(i * step + round) % runs.length]?.durationMs ?? 0;
    return { ...run, durationMs, endMs: run.startMs + durationMs };
  });
}

function coprimeStep(count: number, round: number): number {
  let step = Math.max(1, Math.round(count * ((round * GOLDEN) % 1)));
  while (greatestDivisor(step, count) > 1) step += 1;
  return step;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** Runs whose end has another one's within `gapMs` in the same process. */
function runsTogether(runs: readonly Run[], gapMs: number): number {
  let count = 0;
  for (const own of byProcess(runs).values()) {
    const ends = own.map((run) => run.endMs).sort((a, b) => a - b);
    ends.forEach((end, i) => {
      const before = ends[i - 1] ?? Number.NEGATIVE_INFINITY;
      const after = ends[i + 1] ?? Number.POSITIVE_INFINITY;
      if (end - before <= gapMs || after - end <= gapMs) count += 1;
    });
  }
  return count;
}

/** Pairs of runs of one process whose ends are within `gapMs` of each other. */
function pairsTogether(runs: readonly Run[], gapMs: number): number {
  let count = 0;
  for (const own of byProcess(runs).values()) {
    const ends = Float64Array.from(own, (run) => run.endMs).sort();
    let first = 0;
    ends.forEach((end, i) => {
      while (end - (ends[first] ?? end) > gapMs) first += 1;
      count += i - first;
    });
  }
  return count;
}

/** How durations go with starts within a burst. */
interface CarryOver {
  /** false where no starts were apart enough; then the slope means nothing. */
  readonly isKnown: boolean;
  /** In some burst they were so far apart that it can't have been the event loop. */
  readonly isSure: boolean;
  /**
   * −1: who starts later is that much quicker, so ends do not depend on starts (a common timer). 0: a start's delay is
   * carried over to its end (a sleep, a time-out, work).
   */
  readonly slope: number;
  /** Standard error of the slope; Infinity where a single pair of runs tells it. */
  readonly error: number;
}

/**
 * Node runs timers that were set or fall due in one turn of its event loop together, and stamps what one tick resolves one after the
 * other: starts nearer together than this tell nothing, and not all up to APART_MS.
 */
const TELLING_MS = 4;
const TELLING_EACH_MS = 0.1;
/**
 * [measured, workers just started: exact sleeps that began 5 to 27 ms apart ended 1 to 5 ms apart; batches that began 5
 * to 181 ms apart ended within 7 ms]
 */
const APART_MS = 50;

/**
 * Least squares of duration on start, pooled within bursts so that only differences between their members count, over
 * the bursts whose starts are apart enough to tell.
 */
function carryOverOf(bursts: readonly Burst[]): CarryOver {
  const apart = bursts.filter(
    (burst) => startSpreadMs(burst) >= TELLING_MS + TELLING_EACH_MS * burst.runs.length,
  );
  let xx = 0;
  let xy = 0;
  let yy = 0;
  let freedom = -1;
  for (const { runs } of apart) {
    const startMs = mean(runs.map((run) => run.startMs));
    const durationMs = mean(runs.map((run) => run.durationMs));
    for (const run of runs) {
      xx += (run.startMs - startMs) ** 2;
      xy += (run.startMs - startMs) * (run.durationMs - durationMs);
      yy += (run.durationMs - durationMs) ** 2;
    }
    freedom += runs.length - 1;
  }
  if (xx === 0) return { isKnown: false, isSure: false, slope: 0, error: Number.POSITIVE_INFINITY };
  const slope = xy / xx;
  const left = Math.max(0, yy - slope * xy);
  const error = freedom < 1 ? Number.POSITIVE_INFINITY : Math.sqrt(left / freedom / xx);
  return { isKnown: true, isSure: apart.some((burst) => startSpreadMs(burst) >= APART_MS), slope, error };
}

function startSpreadMs({ runs }: Burst): number {
  return spreadMs(runs.map((run) => run.startMs));
}

/** From the first value, so that large times lose no digits. */
function mean(values: readonly number[]): number {
  const first = values[0] ?? 0;
  return first + values.reduce((sum, value) => sum + (value - first), 0) / Math.max(1, values.length);
}

/** What the verdict asks besides. */
export interface Clues {
  readonly evidence: BatchEvidence;
  readonly completed: readonly Run[];
  readonly bursts: readonly Burst[];
  readonly flush: FlushTimeout;
  readonly chance: Chance;
  readonly carryOver: CarryOver;
  /** Pairs of runs that ended together. */
  readonly pairs: number;
  readonly isolatedRatio: number;
  readonly coverageRatio: number;
  /** Runs that ended with one that had ended already, in bursts at the flush timeout. */
  readonly coincidences: number;
  /** Is it known of each run where it ran? */
  readonly knowsProcesses: boolean;
}

/** So near the flush timeout a run took just as long. */
const AT_FLUSH_RATIO = 0.06;
/** A cluster that was not made by one tick is wider than this share of the flush timeout. */
const NEAR_RATIO = 0.05;

/** Everything that can be said of the ends of these runs; null where no two ended together. */
export function gatherClues(finished: readonly FinishedRun[]): Clues | null {
  const completed = completedRuns(finished);
  const runs = longRuns(completed);
  if (runs.length === 0) return null;
  const gapMs = burstGapMs(runs);
  const bursts = findBursts(runs, gapMs);
  const flush = findFlushTimeout(bursts);
  if (!flush) return null;
  const chance = chanceOf(runs, flush.bursts, gapMs);
  const atFlush = runs.filter((run) => Math.abs(run.durationMs - flush.ms) <= AT_FLUSH_RATIO * flush.ms);
  return {
    completed,
    bursts,
    flush,
    chance,
    carryOver: carryOverOf(flush.bursts),
    pairs: pairsTogether(runs, gapMs),
    isolatedRatio: isolatedRatioOf(flush.bursts, runs, NEAR_RATIO * flush.ms),
    coverageRatio: burstCoverageOf(bursts, runs, gapMs),
    coincidences: runsIn(flush.bursts) - flush.bursts.length,
    knowsProcesses: finished.every((run) => run.process !== null),
    evidence: {
      bursts: flush.bursts.length,
      medianBurstSize: median(flush.bursts.map((burst) => burst.runs.length)),
      syncRatio: runsIn(bursts) / runs.length,
      chanceRatio: chance.syncRatio,
      flushSpreadRatio: flush.spreadRatio,
      endSpreadMs: median(flush.bursts.map((burst) => burst.lastEndMs - burst.firstEndMs)),
      startSpreadMs: median(flush.bursts.map((burst) => spreadMs(burst.runs.map((run) => run.startMs)))),
      processes: new Set(runs.map((run) => run.process)).size,
      runs: runs.length,
      shareAtFlush: atFlush.length / runs.length,
    },
  };
}
