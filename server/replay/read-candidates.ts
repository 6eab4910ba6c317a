import type { RedisClient } from '../redis/connect.js';
import { type PreparedScript, readPlain } from '../redis/forced-script.js';
import { type FilterFacts, MAX_ERROR_LETTERS, type ReplayFilter } from './replay-filter.js';

type ReadScript = 'read-candidates' | 'read-outcomes';

const PARTS: Readonly<Partial<Record<ReadScript, readonly string[]>>> = {
  'read-candidates': ['server/redis/job-type.lua'],
};
const known = new Map<string, PreparedScript>();

/** Runs a script of this folder that only reads: those pass while Redis is full, in every version. */
export async function runRead(
  client: RedisClient,
  name: ReadScript,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const script = known.get(name) ?? load(name);
  try {
    return await client.evalsha(script.sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.eval(script.source, keys.length, ...keys, ...args);
  }
}

function load(name: ReadScript): PreparedScript {
  const script = readPlain([...(PARTS[name] ?? []), `server/replay/${name}.lua`]);
  known.set(name, script);
  return script;
}

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
