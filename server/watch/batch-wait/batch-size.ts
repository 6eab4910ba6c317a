import type { Burst } from './bursts.js';
import type { Run } from './finished-run.js';
import type { Wall } from './wall.js';

export interface BatchSize {
  /** Of batches that were sent before the wall, because they were full; null where none was seen. */
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
 * Sizes of batches from the bursts in which they end: those at the wall did not fill, those before it did.
 * @param all every completed run, also the short ones: who joins last waits least.
 * @param isWhole is every run of each process among them? Where not, no size is stated, and the lower bound stays one.
 */
export function sizeOfBatches(
  bursts: readonly Burst[],
  wall: Wall,
  all: readonly Run[],
  isWhole: boolean,
): BatchSize {
  const unfilled = wall.bursts.map((burst) => sizeOf(burst, all)).sort((a, b) => a - b);
  const largest = unfilled[Math.floor((unfilled.length - 1) * LARGEST_BELIEVED)] ?? 0;
  const full = bursts
    .filter(
      ({ longestMs }) => longestMs < wall.ms * FULL_BEFORE_RATIO && longestMs > wall.ms * FULL_AFTER_RATIO,
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
