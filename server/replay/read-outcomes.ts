import type { RedisClient } from '../redis/connect.js';
import type { ParkedSource } from './parked-source.js';
import { runRead } from './read-candidates.js';
import type { ReplayBatch } from './replay-record.js';

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

  /** One turn. @param look looks a batch up and tells whether anything has changed in it. */
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

/** Jobs that one call of the script looks at: it holds Redis for about 0.3 ms. */
const JOBS_A_CALL = 60;

/** The characters of a batch with those that were `m` looked up again (see read-outcomes.lua). Parked jobs carry no mark. */
export async function readOutcomes(
  client: RedisClient,
  batch: ReplayBatch,
  isMarked: boolean,
): Promise<string> {
  const characters = [...batch.characters];
  const open = characters.flatMap((letter, i) => (letter === 'm' ? [i] : []));
  for (let from = 0; from < open.length; from += JOBS_A_CALL) {
    const places = open.slice(from, from + JOBS_A_CALL);
    const found = String(
      await runRead(
        client,
        'read-outcomes',
        [`${batch.queue}:failed`, `${batch.queue}:completed`],
        [
          `${batch.queue}:`,
          isMarked ? `${batch.replay}:${batch.seq}` : '',
          ...places.map((place) => batch.jobs[place]?.[0] ?? ''),
        ],
      ),
    );
    for (const [i, place] of places.entries()) characters[place] = found[i] ?? 'm';
  }
  return characters.join('');
}

/**
 * Reads outcomes as readOutcomes does. A job that came from disk and is not in Redis has not ended while its row is still
 * there: Redis may have lost it, and then it comes once more.
 */
export function outcomesWith(parked: ParkedSource | null) {
  return async (client: RedisClient, batch: ReplayBatch, isMarked: boolean): Promise<string> => {
    const characters = [...(await readOutcomes(client, batch, isMarked))];
    if (isMarked || parked === null) return characters.join('');
    const scoreAt = (i: number): string => batch.jobs[i]?.[1] ?? '';
    const ended = characters.flatMap((letter, i) =>
      letter === 'g' && batch.characters[i] !== 'g' ? [i] : [],
    );
    const unsure = ended.length > 0 ? await parked.unsure(ended.map(scoreAt)) : new Set<string>();
    for (const i of ended) if (unsure.has(scoreAt(i))) characters[i] = 'm';
    return characters.join('');
  };
}
