import type { JobDetail } from '../model/job-view.js';
import type { JobState } from '../model/memory.js';
import type { RedisClient } from './connect.js';
import { readTypes, shownText } from './job-facts.js';
import { JOB_ROW_FIELDS, rowOf } from './list-jobs.js';

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
const MAX_FIELD_LETTERS = 64 * 1024;
/** A field larger than this is not fetched at all: its size is told instead. */
const MAX_FIELD_BYTES = 1024 * 1024;
const MAX_LOGS = 100;
/** Of its parent and its worker. */
const MAX_NAME_CHARS = 1_000;
const MAX_LOG_LETTERS = 2_000;
const MAX_STACKS = 20;
const MAX_STACK_LETTERS = 16 * 1024;
/** Log lines have no bound of their own: where they hold more than this, fewer are fetched. */
const MAX_LOG_BYTES = 2 * 1024 * 1024;
const LARGE_FIELDS = ['data', 'opts', 'returnvalue', 'stacktrace', 'progress', 'failedReason'] as const;

/** Everything of one job, bounded: large fields are measured before they are fetched. null where there is no such job. */
export async function readJob(
  client: RedisClient,
  queueId: string,
  jobId: string,
): Promise<JobDetail | null> {
  const key = `${queueId}:${jobId}`;
  const [[type], values, sizes] = await Promise.all([
    readTypes(client, [key]),
    client.hmget(key, ...JOB_ROW_FIELDS, 'parentKey', 'pb'),
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
    logs: logs.map((line) => line.slice(0, MAX_LOG_LETTERS)),
    logsTotal,
    parentKey: shownText(values[JOB_ROW_FIELDS.length], MAX_NAME_CHARS),
    processedBy: shownText(values[JOB_ROW_FIELDS.length + 1], MAX_NAME_CHARS),
    isTruncated: sizes.some((size) => size > MAX_FIELD_LETTERS) || logsTotal > logs.length,
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
  return text === null || field === 'stacktrace' ? text : text.slice(0, MAX_FIELD_LETTERS);
}

function parseStacks(text: string | null): readonly string[] {
  if (text === null) return [];
  try {
    const stacks: unknown = JSON.parse(text);
    const kept = Array.isArray(stacks) ? stacks.slice(-MAX_STACKS).map(String) : [text];
    return kept.map((stack) => stack.slice(0, MAX_STACK_LETTERS));
  } catch {
    // Too large to be fetched, or not BullMQ's form: shown as it is.
    return [text.slice(0, MAX_STACK_LETTERS)];
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
