import { median } from '../theil-sen.js';
import { type Burst, byProcess, spreadMs } from './bursts.js';
import type { Run } from './finished-run.js';

/** What would be seen if each run took its time whatever the others did. */
export interface Chance {
  /** Share of runs that would end in bursts, 0..1. */
  readonly syncRatio: number;
  /** How many times as wide the bursts' ends would be spread. */
  readonly widerTimes: number;
}

const SHUFFLES = 8;
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
  const place = new Map(runs.map((run, i) => [run, i]));
  let together = 0;
  const wider: number[] = [];
  for (let round = 1; round <= SHUFFLES; round++) {
    const step = coprimeStep(runs.length, round);
    const moved = runs.map((run, i) => {
      const durationMs = runs[(i * step + round) % runs.length]?.durationMs ?? 0;
      return { ...run, durationMs, endMs: run.startMs + durationMs };
    });
    together += runsTogether(moved, gapMs);
    for (const { runs: members } of bursts) {
      const ends = members.map((run) => moved[place.get(run) ?? -1]?.endMs ?? run.endMs);
      const asSeenMs = Math.max(CLOCK_MS, spreadMs(members.map((run) => run.endMs)));
      wider.push(Math.max(CLOCK_MS, spreadMs(ends)) / asSeenMs);
    }
  }
  return {
    syncRatio: runs.length === 0 ? 0 : together / (SHUFFLES * runs.length),
    widerTimes: wider.length === 0 ? 1 : median(wider),
  };
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
