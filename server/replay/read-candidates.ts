import type { RedisClient } from '../redis/connect.js';
import { runRead } from './read-script.js';
import { type FilterFacts, MAX_ERROR_LETTERS, type ReplayFilter } from './replay-filter.js';

/** Jobs that one call of the script looks at: it holds Redis for about 0.3 ms. */
const JOBS_A_CALL = 50;
/** Data longer than this is not looked into. */
const MAX_DATA_BYTES = 64 * 1024;
/** A call ends early once it has read so many bytes: long errors and data hold Redis up more than their number. */
const BYTES_A_CALL = 256 * 1024;

/** What a filter needs to know of jobs, in the order of the ids; errors are cut to their first characters. */
export async function readCandidates(
  client: RedisClient,
  queueId: string,
  ids: readonly string[],
  filter: ReplayFilter,
  wantsError = filter.errorText !== undefined,
): Promise<readonly FilterFacts[]> {
  const facts: FilterFacts[] = [];
  while (facts.length < ids.length) {
    const answer = await runRead(
      client,
      'read-candidates',
      [`${queueId}:meta`],
      [
        `${queueId}:`,
        wantsError ? 1 : 0,
        filter.dataField === undefined ? 0 : MAX_DATA_BYTES,
        BYTES_A_CALL,
        ...ids.slice(facts.length, facts.length + JOBS_A_CALL),
      ],
    );
    for (const [name, error, attempts, data] of answer as [string, string, string, string][])
      facts.push({
        name,
        error: error.slice(0, MAX_ERROR_LETTERS),
        attempts: Number(attempts) || 0,
        dataText: data === '' ? null : data,
      });
  }
  return facts;
}
