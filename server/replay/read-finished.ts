import { NO_REDACTION, type Redactor } from '../model/redact.js';
import type { Cursor, ReplayBatch } from '../model/replay.js';
import type { ReplayFilter } from '../model/replay-spec.js';
import { type FilterFacts, MAX_ERROR_LETTERS } from '../model/replay-spec.js';
import type { RedisClient } from '../redis/connect.js';
import { type PreparedScript, readPlain } from '../redis/forced-script.js';

/** Ids that one read brings at most: it holds Redis for about 0.3 ms. */
const WINDOW = 500;

/** The part of a set of finished jobs that is swept, and in which direction. */
export interface Sweep {
  /** <queue>:failed or <queue>:completed, scored by time of finishing. */
  readonly key: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly isNewestFirst: boolean;
}

/**
 * The next jobs of a sweep behind `cursor`, at most WINDOW; empty at its end.
 *
 * Sorted sets are read from a score on, and many jobs may share one (a bulk that failed in one millisecond). Redis orders
 * those by the bytes of their ids, so a place in the sweep is score and id; entries up to it are dropped here. Where a
 * whole window is dropped, the next one begins further on (`offset`); that only holds where its first entry has been
 * seen before, else jobs that left the set in between have shifted others past the window, and it is read nearer.
 */
export async function readWindow(
  client: RedisClient,
  sweep: Sweep,
  cursor: Cursor | null,
): Promise<readonly Cursor[]> {
  let offset = 0;
  while (true) {
    const entries = await readFrom(client, sweep, cursor, offset);
    const [first] = entries;
    if (!first) {
      // Nothing that far in: either the end, or jobs have left meanwhile.
      if (offset === 0) return [];
      offset = Math.floor(offset / 2);
      continue;
    }
    if (cursor === null) return entries;
    if (offset > 0 && isBehind(first, cursor, sweep.isNewestFirst)) {
      offset = Math.floor(offset / 2);
      continue;
    }
    const fresh = entries.filter((entry) => isBehind(entry, cursor, sweep.isNewestFirst));
    if (fresh.length > 0 || entries.length < WINDOW) return fresh;
    offset += WINDOW - 1;
  }
}

/** Jobs in the time range of a sweep. */
export async function countRange(client: RedisClient, { key, fromMs, toMs }: Sweep): Promise<number> {
  return client.zcount(key, fromMs, toMs);
}

async function readFrom(
  client: RedisClient,
  { key, fromMs, toMs, isNewestFirst }: Sweep,
  cursor: Cursor | null,
  offset: number,
): Promise<readonly Cursor[]> {
  const flat = isNewestFirst
    ? await client.zrevrangebyscore(key, cursor?.score ?? toMs, fromMs, 'WITHSCORES', 'LIMIT', offset, WINDOW)
    : await client.zrangebyscore(key, cursor?.score ?? fromMs, toMs, 'WITHSCORES', 'LIMIT', offset, WINDOW);
  const entries: Cursor[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) entries.push({ id: flat[i] ?? '', score: flat[i + 1] ?? '0' });
  return entries;
}

/** Does an entry come after the cursor, in the direction of the sweep? */
function isBehind(entry: Cursor, cursor: Cursor, isNewestFirst: boolean): boolean {
  const byScore = Number(entry.score) - Number(cursor.score);
  const distance = byScore !== 0 ? byScore : Buffer.compare(Buffer.from(entry.id), Buffer.from(cursor.id));
  return isNewestFirst ? distance < 0 : distance > 0;
}

type ReadScript = 'read-candidates' | 'read-outcomes';

const PARTS: Readonly<Partial<Record<ReadScript, readonly string[]>>> = {
  'read-candidates': ['server/redis/job-type.lua'],
};
const known = new Map<string, PreparedScript>();

/** Runs a script of this folder that only reads: those pass while Redis is full, in every version. */
async function runRead(
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
const LOOKED_AT_A_CALL = 50;
/** Data longer than this is not looked into. */
const MAX_DATA_BYTES = 64 * 1024;
/** A call ends early once it has read so many bytes: long errors and data hold Redis up more than their number. */
const BYTES_A_CALL = 256 * 1024;

/**
 * What a filter needs to know of jobs, in the order of the ids; errors are cut to their first characters.
 * @param redactor errors are matched as they are shown, without what it hides.
 */
export async function readCandidates(
  client: RedisClient,
  queueId: string,
  ids: readonly string[],
  filter: ReplayFilter,
  redactor: Redactor | null,
  wantsError = filter.errorText !== undefined,
): Promise<readonly FilterFacts[]> {
  const facts: FilterFacts[] = [];
  const checks = wantsError ? redactor : null;
  const wantsData = filter.dataField !== undefined || checks !== null;
  while (facts.length < ids.length) {
    const answer = await runRead(
      client,
      'read-candidates',
      [`${queueId}:meta`],
      [
        `${queueId}:`,
        checks ? 2 : wantsError ? 1 : 0,
        wantsData ? MAX_DATA_BYTES : 0,
        BYTES_A_CALL,
        ...ids.slice(facts.length, facts.length + LOOKED_AT_A_CALL),
      ],
    );
    for (const [name, error, attempts, data, opts] of answer as [string, string, string, string, string][]) {
      const redaction = checks?.forJob([data || null, opts || null]) ?? NO_REDACTION;
      facts.push({
        name,
        error: error === '' ? '' : redaction.text(error, MAX_ERROR_LETTERS, true),
        attempts: Number(attempts) || 0,
        dataText: data === '' ? null : data,
      });
    }
  }
  return facts;
}

/** As many, of what came of them. */
const OUTCOMES_A_CALL = 60;

/**
 * The characters of a batch with those that were `m` looked up again (see read-outcomes.lua).
 * @param mark that its jobs carry; empty: none, as where they came from disk.
 */
export async function readOutcomes(
  client: RedisClient,
  batch: Pick<ReplayBatch, 'queue' | 'jobs' | 'characters'>,
  mark: string,
): Promise<string> {
  const characters = [...batch.characters];
  const open = characters.flatMap((code, i) => (code === 'm' ? [i] : []));
  for (let from = 0; from < open.length; from += OUTCOMES_A_CALL) {
    const places = open.slice(from, from + OUTCOMES_A_CALL);
    const found = String(
      await runRead(
        client,
        'read-outcomes',
        [`${batch.queue}:failed`, `${batch.queue}:completed`],
        [`${batch.queue}:`, mark, ...places.map((place) => batch.jobs[place]?.[0] ?? '')],
      ),
    );
    for (const [i, place] of places.entries()) characters[place] = found[i] ?? 'm';
  }
  return characters.join('');
}
