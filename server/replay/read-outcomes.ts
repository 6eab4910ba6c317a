import type { RedisClient } from '../redis/connect.js';
import { runRead } from './read-script.js';
import type { ReplayBatch } from './replay-record.js';

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
