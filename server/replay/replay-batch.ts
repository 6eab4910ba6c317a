import type { ReplayBatch, ReplayCounts, SkipReason } from '../model/replay.js';

/** What a code of replay-jobs.lua, in a batch that is tried for the first time or again, means for the account. */
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
    .map((code) => (code === 'M' || code === 'A' ? 'm' : code === 'G' && isRetry ? 'g' : code))
    .join('');
}

/** Counts with a batch's characters added (`from` empty) or changed. `D` and `b` count as nothing. */
export function countChars(counts: ReplayCounts, from: string, to: string): ReplayCounts {
  let { moved, succeeded, failedAgain, gone, cameBack } = counts;
  const skipped = { ...counts.skipped };
  const add = (code: string | undefined, by: number): void => {
    if (code === undefined) return;
    if ('msfg'.includes(code)) moved += by;
    if (code === 's') succeeded += by;
    if (code === 'f') failedAgain += by;
    if (code === 'g') gone += by;
    if (code === 'b') cameBack += by;
    const reason = SKIPPED[code];
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

/** A batch with what is known of each of its jobs: settled once the end of all is. */
export function settledBatch(batch: ReplayBatch, characters: string): ReplayBatch {
  return { ...batch, characters, phase: characters.includes('m') ? 'open' : 'settled' };
}

/** Batches that one turn looks up at most: of 250 jobs each, four turns a second keep up with 20,000 jobs a second. */
const MAX_BATCHES = 20;
/** Where nothing changes, so few: looking a job up costs Redis 4 µs, and most of a long backlog has not run yet. */
const FEWEST_BATCHES = 2;

/**
 * Which batches are looked up next, so that a backlog of a million jobs that have been moved and not run costs Redis
 * little. Jobs mostly run in the order in which they were moved: every turn begins at the oldest open batch and goes on
 * for as long as it finds news. Those that run out of order (other queues, priorities, long jobs in front) are found by
 * a walk over all of them, which takes long steps where it finds news and short ones elsewhere.
 */
export class OutcomeRounds {
  readonly #open: (afterSeq: number, most: number) => Promise<readonly ReplayBatch[]>;
  #walkedTo = 0;
  #stride = MAX_BATCHES;

  /** @param open open batches in order, behind a number. */
  constructor(open: (afterSeq: number, most: number) => Promise<readonly ReplayBatch[]>) {
    this.#open = open;
  }

  /** One turn. @param look looks a batch up and says whether anything has changed in it. */
  async turn(look: (batch: ReplayBatch) => Promise<boolean>): Promise<void> {
    const front = await this.#front(look);
    const most = this.#stride;
    const batches = await this.#open(Math.max(front, this.#walkedTo), most);
    let news = 0;
    for (const batch of batches) if (await look(batch)) news += 1;
    this.#stride = news > 0 ? Math.min(MAX_BATCHES, most * 2) : Math.max(FEWEST_BATCHES, most >> 1);
    this.#walkedTo = batches.length < most ? 0 : (batches.at(-1)?.seq ?? 0);
  }

  /** @returns number of the last batch that was looked up. */
  async #front(look: (batch: ReplayBatch) => Promise<boolean>): Promise<number> {
    let last = 0;
    let withoutNews = 0;
    for (let looked = 0; looked < MAX_BATCHES && withoutNews < FEWEST_BATCHES; looked += FEWEST_BATCHES) {
      const batches = await this.#open(last, FEWEST_BATCHES);
      if (batches.length === 0) break;
      for (const batch of batches) withoutNews = (await look(batch)) ? 0 : withoutNews + 1;
      last = batches.at(-1)?.seq ?? last;
    }
    return last;
  }
}
