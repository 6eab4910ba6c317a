import { median } from '../theil-sen.js';
import { type Burst, burstGapMs, coverageOf, findBursts, isolatedRatioOf, spreadMs } from './bursts.js';
import { carryOverOf } from './carry-over.js';
import { chanceOf, pairsTogether } from './chance.js';
import { completedRuns, type FinishedRun, longRuns, type Run } from './finished-run.js';
import type { BatchEvidence } from './verdict.js';
import { countRuns, findWall, type Wall } from './wall.js';

export interface Seen {
  readonly completed: readonly Run[];
  readonly bursts: readonly Burst[];
  readonly wall: Wall;
  readonly evidence: BatchEvidence;
}

/** So near the wall a run's duration is the wall. */
const AT_WALL_RATIO = 0.06;
/** A cluster that was not made by one tick is wider than this share of the wall. */
const NEAR_RATIO = 0.05;

/** Everything that can be said of the ends of these runs; null where no two ended together. */
export function gatherEvidence(finished: readonly FinishedRun[]): Seen | null {
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
    evidence: {
      bursts: wall.bursts.length,
      medianBurstSize: median(wall.bursts.map((burst) => burst.runs.length)),
      syncRatio: countRuns(bursts) / runs.length,
      chanceRatio: chance.syncRatio,
      widerTimes: chance.widerTimes,
      wallSpreadRatio: wall.spreadRatio,
      endSpreadMs: median(wall.bursts.map((burst) => burst.lastEndMs - burst.firstEndMs)),
      startSpreadMs: median(wall.bursts.map((burst) => spreadMs(burst.runs.map((run) => run.startMs)))),
      processes: new Set(runs.map((run) => run.process)).size,
      runs: runs.length,
      shareAtWall: atWall.length / runs.length,
      moments: wall.moments,
      burstShare: wall.burstShare,
      isolatedRatio: isolatedRatioOf(wall.bursts, runs, NEAR_RATIO * wall.ms),
      coverageRatio: coverageOf(bursts, runs, gapMs),
      pairs: pairsTogether(runs, gapMs),
      chancePairs: chance.pairs,
      carryOver: carryOverOf(wall.bursts),
      coincidences: countRuns(wall.bursts) - wall.bursts.length,
    },
  };
}
