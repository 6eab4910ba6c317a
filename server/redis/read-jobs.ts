import type { JobDetail, JobPage, JobQuery, JobRow } from '../model/job-view.js';
import type { JobState } from '../model/memory.js';
import type { RedisClient } from './connect.js';
import { numberOrNull, readTypes, shownText } from './job-facts.js';
import { isJobId } from './queue-keys.js';

/** Jobs of one page at most: each is a hash read. */
const MAX_JOBS_A_PAGE = 100;
const FIELDS = [
  'timestamp',
  'delay',
  'priority',
  'attemptsMade',
  'atm',
  'processedOn',
  'finishedOn',
] as const;
const MAX_REASON_CHARS = 300;
const MAX_REASON_BYTES = 16 * 1024;

/** Where a state's job ids are, in the order in which a person wants them: next to run first, newest finished first. */
const PLACES: Readonly<
  Record<JobState, { readonly key: string; readonly kind: 'list' | 'zset'; readonly newestFirst: boolean }>
> = {
  waiting: { key: 'wait', kind: 'list', newestFirst: false },
  prioritized: { key: 'prioritized', kind: 'zset', newestFirst: false },
  active: { key: 'active', kind: 'list', newestFirst: false },
  delayed: { key: 'delayed', kind: 'zset', newestFirst: false },
  'waiting-children': { key: 'waiting-children', kind: 'zset', newestFirst: true },
  completed: { key: 'completed', kind: 'zset', newestFirst: true },
  failed: { key: 'failed', kind: 'zset', newestFirst: true },
};

/** One page of a queue's jobs in one state, without their data. A bounded window, whatever the length. */
export async function readJobPage(client: RedisClient, queueId: string, query: JobQuery): Promise<JobPage> {
  const limit = Math.min(query.limit, MAX_JOBS_A_PAGE);
  const { ids, total } = await pageOfIds(client, queueId, query.state, query.cursor, limit);
  // BullMQ 4 and early 5 leave markers `0:<timestamp>` in `wait`; they count as places, and are no jobs.
  const jobIds = ids.filter(isJobId);
  const types = await readTypes(
    client,
    jobIds.map((jobId) => `${queueId}:${jobId}`),
  );
  const rows = await Promise.all(jobIds.map((jobId, i) => readRow(client, queueId, jobId, types[i] ?? null)));
  const next = query.cursor + ids.length;
  return {
    state: query.state,
    total,
    jobs: rows.filter((row) => row !== null),
    nextCursor: ids.length === limit && next < total ? next : null,
  };
}

async function pageOfIds(client: RedisClient, queueId: string, state: JobState, from: number, limit: number) {
  const place = PLACES[state];
  const key = `${queueId}:${place.key}`;
  if (place.kind === 'zset') {
    const [total, ids] = await Promise.all([
      client.zcard(key),
      place.newestFirst
        ? client.zrange(key, String(from), String(from + limit - 1), 'REV')
        : client.zrange(key, String(from), String(from + limit - 1)),
    ]);
    return { ids, total };
  }
  if (state === 'waiting') return pageOfWaiting(client, queueId, from, limit);
  const [total, ids] = await Promise.all([client.llen(key), fromTheRight(client, key, from, limit)]);
  return { ids, total };
}

/** `wait`, and behind it the legacy `paused` list: a v5 pause keeps the waiting jobs there. */
async function pageOfWaiting(client: RedisClient, queueId: string, from: number, limit: number) {
  const [waiting, paused] = await Promise.all([
    client.llen(`${queueId}:wait`),
    client.llen(`${queueId}:paused`),
  ]);
  const first = from < waiting ? await fromTheRight(client, `${queueId}:wait`, from, limit) : [];
  const missing = limit - first.length;
  const second =
    missing > 0 && paused > 0
      ? await fromTheRight(client, `${queueId}:paused`, Math.max(0, from - waiting), missing)
      : [];
  return { ids: [...first, ...second], total: waiting + paused };
}

/** Workers take from the right end, so that end comes first. */
async function fromTheRight(
  client: RedisClient,
  key: string,
  from: number,
  limit: number,
): Promise<readonly string[]> {
  return (await client.lrange(key, -(from + limit), -(from + 1))).reverse();
}

async function readRow(
  client: RedisClient,
  queueId: string,
  jobId: string,
  type: string | null,
): Promise<JobRow | null> {
  const key = `${queueId}:${jobId}`;
  const [values, reasonBytes] = await Promise.all([
    client.hmget(key, ...FIELDS),
    client.hstrlen(key, 'failedReason'),
  ]);
  const row = rowOf(jobId, type, values);
  if (row === null || reasonBytes === 0) return row;
  // Errors that carry a whole answer or query are measured before they are fetched.
  const reason = reasonBytes <= MAX_REASON_BYTES ? await client.hget(key, 'failedReason') : null;
  return { ...row, failedReason: reason?.slice(0, MAX_REASON_CHARS) ?? `(${reasonBytes} bytes)` };
}

/** A job's plain facts from its type and the fields above; null where the hash is gone. */
function rowOf(jobId: string, type: string | null, values: readonly (string | null)[]): JobRow | null {
  const [timestamp, delay, priority, attemptsMade, atm, processedOn, finishedOn] = values;
  if (type === null && timestamp == null) return null;
  return {
    id: jobId,
    name: type ?? '',
    timestampMs: numberOrNull(timestamp),
    delayMs: numberOrNull(delay) ?? 0,
    priority: numberOrNull(priority) ?? 0,
    attemptsMade: numberOrNull(atm ?? attemptsMade) ?? 0,
    processedAtMs: numberOrNull(processedOn),
    finishedAtMs: numberOrNull(finishedOn),
    failedReason: null,
    memoryBytes: null,
  };
}

/** LPOS looks at most at so many entries, from the end that is taken next: about 1 ms of Redis. */
const MAX_LOOKED_AT = 100_000;

/**
 * Which set or list of the queue holds a job; `unknown` where none does, or where it lies deeper in a list than is
 * looked. Jobs in BullMQ 5's `paused` list are waiting.
 */
export async function stateOf(
  client: RedisClient,
  queueId: string,
  jobId: string,
): Promise<JobState | 'unknown'> {
  const sets: readonly JobState[] = ['completed', 'failed', 'delayed', 'prioritized', 'waiting-children'];
  const [active, scores, waiting, paused] = await Promise.all([
    client.lpos(`${queueId}:active`, jobId, 'MAXLEN', MAX_LOOKED_AT),
    Promise.all(sets.map((state) => client.zscore(`${queueId}:${state}`, jobId))),
    client.lpos(`${queueId}:wait`, jobId, 'RANK', -1, 'MAXLEN', MAX_LOOKED_AT),
    client.lpos(`${queueId}:paused`, jobId, 'RANK', -1, 'MAXLEN', MAX_LOOKED_AT),
  ]);
  if (active !== null) return 'active';
  const found = sets.find((_, i) => scores[i] !== null);
  if (found) return found;
  return waiting !== null || paused !== null ? 'waiting' : 'unknown';
}

/** A field is shown up to this length. */
const MAX_FIELD_CHARS = 64 * 1024;
/** A field larger than this is not fetched at all: its size is shown instead. */
const MAX_FIELD_BYTES = 1024 * 1024;
const MAX_LOGS = 100;
/** Of its parent and its worker. */
const MAX_NAME_CHARS = 1_000;
const MAX_LOG_CHARS = 2_000;
const MAX_STACKS = 20;
const MAX_STACK_CHARS = 16 * 1024;
/** Log lines have no bound of their own: where they hold more than this, fewer are fetched. */
const MAX_LOG_BYTES = 2 * 1024 * 1024;
const LARGE_FIELDS = ['data', 'opts', 'returnvalue', 'stacktrace', 'progress', 'failedReason'] as const;

/**
 * Those of the queues that have a job of that id. The hash's `timestamp` is asked for, as other keys of a queue (`meta`,
 * `wait`) are named like jobs; Redis refuses it for keys of another type, which are no jobs.
 */
export async function queuesHoldingJob(
  client: RedisClient,
  queueIds: readonly string[],
  jobId: string,
): Promise<readonly string[]> {
  if (!isJobId(jobId)) return [];
  const isThere = await Promise.all(
    queueIds.map(async (queueId) => {
      try {
        return (await client.hexists(`${queueId}:${jobId}`, 'timestamp')) === 1;
      } catch (error) {
        if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return false;
        throw error;
      }
    }),
  );
  return queueIds.filter((_, i) => isThere[i]);
}

/** Everything of one job, bounded: large fields are measured before they are fetched. null where there is no such job. */
export async function readJobDetail(
  client: RedisClient,
  queueId: string,
  jobId: string,
): Promise<JobDetail | null> {
  const key = `${queueId}:${jobId}`;
  const [[type], values, sizes] = await Promise.all([
    readTypes(client, [key]),
    client.hmget(key, ...FIELDS, 'parentKey', 'pb'),
    Promise.all(LARGE_FIELDS.map((field) => client.hstrlen(key, field))),
  ]);
  const row = rowOf(jobId, type ?? null, values);
  if (!row) return null;
  const [large, logs, logsTotal, state, memoryBytes] = await Promise.all([
    Promise.all(LARGE_FIELDS.map((field, i) => readField(client, key, field, sizes[i] ?? 0))),
    readLogs(client, `${key}:logs`),
    client.llen(`${key}:logs`),
    stateOf(client, queueId, jobId),
    memoryOf(client, key),
  ]);
  const [data, opts, returnValue, stackTrace, progress, failedReason] = large;
  return {
    ...row,
    failedReason: failedReason ?? null,
    memoryBytes,
    state,
    data: data ?? '',
    opts: opts ?? '',
    returnValue: returnValue ?? null,
    stackTrace: parseStacks(stackTrace ?? null),
    progress: progress ?? null,
    logs: logs.map((line) => line.slice(0, MAX_LOG_CHARS)),
    logsTotal,
    parentKey: shownText(values[FIELDS.length], MAX_NAME_CHARS),
    processedBy: shownText(values[FIELDS.length + 1], MAX_NAME_CHARS),
    isTruncated: sizes.some((size) => size > MAX_FIELD_CHARS) || logsTotal > logs.length,
  };
}

/** The newest lines, at most 100. */
async function readLogs(client: RedisClient, key: string): Promise<readonly string[]> {
  const bytes = (await memoryOf(client, key)) ?? 0;
  const lines = bytes <= MAX_LOG_BYTES ? MAX_LOGS : Math.floor((MAX_LOGS * MAX_LOG_BYTES) / bytes);
  return client.lrange(key, -Math.max(1, lines), -1);
}

async function readField(
  client: RedisClient,
  key: string,
  field: string,
  bytes: number,
): Promise<string | null> {
  if (bytes === 0) return null;
  if (bytes > MAX_FIELD_BYTES) return `(${bytes} bytes: too large to show here)`;
  const text = await client.hget(key, field);
  // Stack traces are cut after they are parsed: half a JSON array is none.
  return text === null || field === 'stacktrace' ? text : text.slice(0, MAX_FIELD_CHARS);
}

function parseStacks(text: string | null): readonly string[] {
  if (text === null) return [];
  try {
    const stacks: unknown = JSON.parse(text);
    const kept = Array.isArray(stacks) ? stacks.slice(-MAX_STACKS).map(String) : [text];
    return kept.map((stack) => stack.slice(0, MAX_STACK_CHARS));
  } catch {
    // Too large to be fetched, or not BullMQ's form: shown as it is.
    return [text.slice(0, MAX_STACK_CHARS)];
  }
}

async function memoryOf(client: RedisClient, key: string): Promise<number | null> {
  try {
    return Number(await client.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
  } catch (error) {
    if (error instanceof Error && /NOPERM|unknown command/i.test(error.message)) return null;
    throw error;
  }
}
