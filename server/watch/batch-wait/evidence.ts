import type { BatchEvidence } from '../../model/job-type.js';
import { median } from '../../model/theil-sen.js';
import {
  type Burst,
  burstGapMs,
  coverageOf,
  findBursts,
  isolatedRatioOf,
  runsIn,
  spreadMs,
} from './bursts.js';
import { type CarryOver, carryOverOf } from './carry-over.js';
import { type Chance, chanceOf, pairsTogether } from './chance.js';
import { completedRuns, type FinishedRun, longRuns, type Run } from './finished-run.js';
import { findWall, type Wall } from './wall.js';

/** What the verdict asks besides. */
export interface Clues {
  readonly evidence: BatchEvidence;
  readonly completed: readonly Run[];
  readonly bursts: readonly Burst[];
  readonly wall: Wall;
  readonly chance: Chance;
  readonly carryOver: CarryOver;
  /** Pairs of runs that ended together. */
  readonly pairs: number;
  readonly isolatedRatio: number;
  readonly coverageRatio: number;
  /** Runs that ended with one that had ended already, in bursts at the wall. */
  readonly coincidences: number;
  /** Is it known of each run where it ran? */
  readonly knowsProcesses: boolean;
}

/** So near the wall a run's duration is the wall. */
const AT_WALL_RATIO = 0.06;
/** A cluster that was not made by one tick is wider than this share of the wall. */
const NEAR_RATIO = 0.05;

/** Everything that can be said of the ends of these runs; null where no two ended together. */
export function gatherClues(finished: readonly FinishedRun[]): Clues | null {
  const completed = completedRuns(finished);
  const runs = longRuns(completed);
  if (runs.length === 0) return null;
  const gapMs = burstGapMs(runs);
  const bursts = findBursts(runs, gapMs);
  const wall = findWall(bursts);
  if (!wall) return null;
  const chance = chanceOf(runs, wall.bursts, gapMs);
  const atWall = runs.filter((run) => Math.abs(run.durationMs - wall.ms) <= AT_WALL_RATIO * wall.ms);
  return {
    completed,
    bursts,
    wall,
    chance,
    carryOver: carryOverOf(wall.bursts),
    pairs: pairsTogether(runs, gapMs),
    isolatedRatio: isolatedRatioOf(wall.bursts, runs, NEAR_RATIO * wall.ms),
    coverageRatio: coverageOf(bursts, runs, gapMs),
    coincidences: runsIn(wall.bursts) - wall.bursts.length,
    knowsProcesses: finished.every((run) => run.process !== null),
    evidence: {
      bursts: wall.bursts.length,
      medianBurstSize: median(wall.bursts.map((burst) => burst.runs.length)),
      syncRatio: runsIn(bursts) / runs.length,
      chanceRatio: chance.syncRatio,
      wallSpreadRatio: wall.spreadRatio,
      endSpreadMs: median(wall.bursts.map((burst) => burst.lastEndMs - burst.firstEndMs)),
      startSpreadMs: median(wall.bursts.map((burst) => spreadMs(burst.runs.map((run) => run.startMs)))),
      processes: new Set(runs.map((run) => run.process)).size,
      runs: runs.length,
      shareAtWall: atWall.length / runs.length,
    },
  };
}
