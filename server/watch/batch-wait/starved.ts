import { median } from '../../model/theil-sen.js';
import type { Burst } from './bursts.js';
import type { Clues } from './evidence.js';

/** A burst of so many of its process's slots took all that there were; a few may do other work. */
const ALL_SLOTS_RATIO = 0.9;
const MAX_BURSTS = 0.6;
/** Where slots are always busy, nearly all runs begin with a batch and wait for all of it. */
const AT_WALL_SHARE = 0.7;
const MIN_BURSTS_OF_ONE_SIZE = 4;
const ONE_SIZE_SHARE = 0.75;

/**
 * Is it the number of slots that keeps batches from filling, rather than too few jobs?
 * @param seenRatio share of the runs that happened which are known, 0..1.
 */
export function isStarved(
  { wall, evidence, knowsProcesses }: Clues,
  batchSize: number | null,
  slotsByProcess: ReadonlyMap<string, number> | null,
  seenRatio: number,
): boolean {
  const slots = slotsByProcess && slotsByProcess.size > 0 ? median([...slotsByProcess.values()]) : null;
  if (batchSize !== null && slots !== null) return slots < batchSize;
  if (evidence.shareAtWall >= AT_WALL_SHARE) return true;
  if (slots !== null && knowsProcesses) {
    // A burst of which some runs were not seen was larger.
    const tookAll = ({ process, runs }: Burst): boolean =>
      runs.length >= ALL_SLOTS_RATIO * seenRatio * (slotsByProcess?.get(process) ?? slots);
    return wall.bursts.filter(tookAll).length >= MAX_BURSTS * wall.bursts.length;
  }
  return areOfOneSize(wall.bursts);
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
