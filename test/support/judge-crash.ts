import type { CrashOutcome } from './crash-world.js';

/** The figures of a crash run that must hold; each is empty or zero where nothing was lost or doubled by us. */
interface CrashVerdict {
  /** Jobs of both kinds that never ran, or that ran again for no reason of BullMQ's or of Redis'. */
  readonly lost: readonly string[];
  readonly doubled: CrashOutcome['replayed']['doubled'];
  /** Jobs that no worker runs and that are not, byte by byte, what they were. */
  readonly changed: number;
  /** Jobs that a list or set has other than before: lost from it, or twice in it. */
  readonly misplaced: number;
  /** Parkings whose account does not add up. */
  readonly wrongParkings: number;
  readonly isReplayRight: boolean;
}

export function judgeCrash(outcome: CrashOutcome): CrashVerdict {
  const { replayed, run, resting, last, plan, failsAgain } = outcome;
  const { before, after } = resting;
  const ids = new Set([...Object.keys(before.jobs), ...Object.keys(after.jobs)]);
  const changed = [...ids].filter((id) => textOf(before.jobs[id]) !== textOf(after.jobs[id]));
  const { matched, moved, succeeded, failedAgain, gone, skipped, remaining } = last.replay?.account ?? {};
  return {
    lost: [...replayed.lost, ...run.lost],
    doubled: [...replayed.doubled, ...run.doubled],
    changed: changed.length,
    misplaced:
      differing([...before.wait].sort(), [...after.wait].sort()) +
      differing(before.prioritized, after.prioritized) +
      differing(before.delayed, after.delayed),
    wrongParkings: last.parkings.filter(
      (parking) =>
        parking.remaining !== 0 || parking.restored + parking.existed + parking.fellBack !== parking.parked,
    ).length,
    isReplayRight:
      matched === plan.replayedJobs &&
      moved === matched &&
      failedAgain === failsAgain &&
      succeeded === matched - failsAgain &&
      gone === 0 &&
      skipped === 0 &&
      remaining === 0,
  };
}

/** What a run must come to. */
export const NOTHING_WRONG: CrashVerdict = {
  lost: [],
  doubled: [],
  changed: 0,
  misplaced: 0,
  wrongParkings: 0,
  isReplayRight: true,
};

function textOf(fields: Readonly<Record<string, string>> | undefined): string {
  return JSON.stringify(Object.entries(fields ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function differing(before: readonly string[], after: readonly string[]): number {
  const most = Math.max(before.length, after.length);
  return Array.from({ length: most }).filter((_, i) => before[i] !== after[i]).length;
}
