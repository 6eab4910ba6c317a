import type { JobDetail, JobPage, JobQuery, JobRow } from '../model/job-view.js';
import type { JobState } from '../model/memory.js';
import { NO_REDACTION, type Redaction, type Redactor } from '../model/redact.js';
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

/** Where jobs are read, and what is hidden of them; RedisLink is one. */
interface JobsOf {
  readonly client: RedisClient;
  readonly redactor: Redactor | null;
}

/** One page of a queue's jobs in one state, without their data. A bounded window, whatever the length. */
export async function readJobPage(
  { client, redactor }: JobsOf,
  queueId: string,
  query: JobQuery,
): Promise<JobPage> {
  const limit = Math.min(query.limit, MAX_JOBS_A_PAGE);
  const { ids, total } = await pageOfIds(client, queueId, query.state, query.cursor, limit);
  // BullMQ 4 and early 5 leave markers `0:<timestamp>` in `wait`; they count as places, and are no jobs.
  const jobIds = ids.filter(isJobId);
  const types = await readTypes(
    client,
    jobIds.map((jobId) => `${queueId}:${jobId}`),
  );
  const rows = await Promise.all(
    jobIds.map((jobId, i) => readRow(client, redactor, queueId, jobId, types[i] ?? null)),
  );
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
  redactor: Redactor | null,
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
  const redaction = redactor && reason !== null ? await readRedaction(client, redactor, key) : NO_REDACTION;
  const shown = reason === null ? `(${reasonBytes} bytes)` : redaction.text(reason, MAX_REASON_CHARS);
  return { ...row, failedReason: shown };
}

/** What is hidden of a job whose error may quote what it was given. */
async function readRedaction(client: RedisClient, redactor: Redactor, key: string): Promise<Redaction> {
  const fields = ['data', 'opts'] as const;
  const sizes = await Promise.all(fields.map((field) => client.hstrlen(key, field)));
  const isRead = sizes.every((bytes) => bytes <= MAX_FIELD_CHARS);
  const parts = isRead ? await client.hmget(key, ...fields) : [null];
  return redactor.forJob(isRead ? parts.map((part) => part ?? '') : parts);
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
type LargeField = (typeof LARGE_FIELDS)[number];

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
  { client, redactor }: JobsOf,
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
  const isRead = (i: number): boolean => (sizes[i] ?? 0) > 0 && (sizes[i] ?? 0) <= MAX_FIELD_BYTES;
  const [large, logs, logsTotal, state, memoryBytes] = await Promise.all([
    Promise.all(LARGE_FIELDS.map((field, i) => (isRead(i) ? client.hget(key, field) : null))),
    readLogs(client, `${key}:logs`),
    client.llen(`${key}:logs`),
    stateOf(client, queueId, jobId),
    memoryOf(client, key),
  ]);
  const part = (field: LargeField): string | null => {
    const i = LARGE_FIELDS.indexOf(field);
    return sizes[i] === 0 ? '' : (large[i] ?? null);
  };
  const { json, text } = redactor
    ? redactor.forJob([part('data'), part('opts'), part('returnvalue'), part('progress')])
    : NO_REDACTION;
  const shown = (field: LargeField, by: (whole: string) => string): string | null => {
    const whole = part(field);
    if (whole === '') return null;
    const bytes = sizes[LARGE_FIELDS.indexOf(field)];
    return whole === null ? `(${bytes} bytes: too large to show here)` : by(whole).slice(0, MAX_FIELD_CHARS);
  };
  return {
    ...row,
    failedReason: shown('failedReason', (whole) => text(whole, MAX_FIELD_CHARS)),
    memoryBytes,
    state,
    data: shown('data', json) ?? '',
    opts: shown('opts', json) ?? '',
    returnValue: shown('returnvalue', json),
    stackTrace: shownStacks(part('stacktrace'), shown('stacktrace', String), text),
    progress: shown('progress', json),
    logs: logs.map((line) => text(line, MAX_LOG_CHARS)),
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

/** The latest stack traces. @param whole as half a JSON array is none; null: `instead` says why there are none. */
function shownStacks(
  whole: string | null,
  instead: string | null,
  text: Redaction['text'],
): readonly string[] {
  if (whole === null || instead === null) return instead === null ? [] : [instead];
  let stacks: unknown;
  try {
    stacks = JSON.parse(whole);
  } catch {
    // Not BullMQ's form: shown as it is.
  }
  const kept = Array.isArray(stacks) ? stacks.slice(-MAX_STACKS).map(String) : [whole];
  return kept.map((stack) => text(stack, MAX_STACK_CHARS));
}

async function memoryOf(client: RedisClient, key: string): Promise<number | null> {
  try {
    return Number(await client.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
  } catch (error) {
    if (error instanceof Error && /NOPERM|unknown command/i.test(error.message)) return null;
    throw error;
  }
}
