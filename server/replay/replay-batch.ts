import type { ReplayCounts, SkipReason } from './replay-account.js';

/** What a letter of replay-jobs.lua, in a batch that is tried for the first time or again, means for the account. */
const SKIPPED: Readonly<Record<string, SkipReason>> = {
  N: 'no-longer-there',
  G: 'no-longer-there',
  P: 'flow-parent',
  S: 'other-slot',
  H: 'job-missing',
  R: 'id-in-redis',
};
/** Found again when the range is swept once more: not counted twice. */
const STAY_IN_SET: readonly SkipReason[] = ['flow-parent', 'other-slot', 'job-missing', 'id-in-redis'];

/**
 * Characters as they are kept: `m` for what was moved. A job that is gone altogether when a batch is tried again was moved
 * by the first try and has ended, as far as anybody can tell.
 */
export function settledChars(answer: string, isRetry: boolean): string {
  return [...answer]
    .map((letter) => (letter === 'M' || letter === 'A' ? 'm' : letter === 'G' && isRetry ? 'g' : letter))
    .join('');
}

/** Counts with a batch's characters added (`from` empty) or changed. `D` and `b` count as nothing. */
export function countChars(counts: ReplayCounts, from: string, to: string): ReplayCounts {
  let { moved, succeeded, failedAgain, gone, cameBack } = counts;
  const skipped = { ...counts.skipped };
  const add = (letter: string | undefined, by: number): void => {
    if (letter === undefined) return;
    if ('msfg'.includes(letter)) moved += by;
    if (letter === 's') succeeded += by;
    if (letter === 'f') failedAgain += by;
    if (letter === 'g') gone += by;
    if (letter === 'b') cameBack += by;
    const reason = SKIPPED[letter];
    if (reason) skipped[reason] = (skipped[reason] ?? 0) + by;
  };
  for (let i = 0; i < to.length; i += 1) {
    if (from[i] === to[i]) continue;
    add(from[i], -1);
    add(to[i], 1);
  }
  return { ...counts, moved, succeeded, failedAgain, gone, cameBack, skipped };
}

/** Counts as a second sweep begins, which finds again what stayed in the set. */
export function countsForResweep(counts: ReplayCounts): ReplayCounts {
  const skipped = { ...counts.skipped };
  for (const reason of STAY_IN_SET) delete skipped[reason];
  return { ...counts, skipped };
}

/** Is the end of every job of the batch known? */
export function isSettled(characters: string): boolean {
  return !characters.includes('m');
}
