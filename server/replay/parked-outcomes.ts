import type { RedisClient } from '../redis/connect.js';
import type { ParkedSource } from './parked-source.js';
import { readOutcomes } from './read-outcomes.js';
import type { ReplayBatch } from './replay-record.js';

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
