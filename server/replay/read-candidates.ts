import { type FilterFacts, MOST_ERROR_LETTERS, type ReplayFilter } from '../model/replay-filter.js';
import type { RedisClient } from '../redis/connect.js';
import { runRead } from './read-script.js';

/** Jobs that one call of the script looks at: it holds Redis for about a millisecond. */
const JOBS_A_CALL = 200;
/** Data longer than this is not looked into. */
const MOST_DATA_BYTES = 64 * 1024;

/** What a filter needs to know of jobs, in the order of the ids; errors are cut to their first letters. */
export async function readCandidates(
  client: RedisClient,
  queueId: string,
  ids: readonly string[],
  filter: ReplayFilter,
  wantsError = filter.errorText !== undefined,
): Promise<readonly FilterFacts[]> {
  const facts: FilterFacts[] = [];
  for (let from = 0; from < ids.length; from += JOBS_A_CALL) {
    const answer = await runRead(
      client,
      'read-candidates',
      [`${queueId}:meta`],
      [
        `${queueId}:`,
        wantsError ? 1 : 0,
        filter.dataField === undefined ? 0 : MOST_DATA_BYTES,
        ...ids.slice(from, from + JOBS_A_CALL),
      ],
    );
    for (const [name, error, attempts, data] of answer as [string, string, string, string][])
      facts.push({
        name,
        error: error.slice(0, MOST_ERROR_LETTERS),
        attempts: Number(attempts) || 0,
        dataText: data === '' ? null : data,
      });
  }
  return facts;
}
