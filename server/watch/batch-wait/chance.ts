import { median } from '../../model/theil-sen.js';
import { type Burst, byProcess, spreadMs } from './bursts.js';
import type { Run } from './finished-run.js';

/** What would be seen if each run took its time whatever the others did. */
export interface Chance {
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
export function chanceOf(runs: readonly Run[], bursts: readonly Burst[], gapMs: number): Chance {
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
export function runsTogether(runs: readonly Run[], gapMs: number): number {
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
export function pairsTogether(runs: readonly Run[], gapMs: number): number {
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
