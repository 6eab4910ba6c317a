import type { JobDetail } from '../watch/job-view.js';
import type { JobState } from '../watch/snapshot.js';
import type { RedisClient } from './connect.js';
import { JOB_ROW_FIELDS, rowOf } from './list-jobs.js';

/** A field larger than this is not fetched: its size is told instead. */
const MOST_FIELD_BYTES = 64 * 1024;
const MOST_LOGS = 100;
const MOST_LOG_LETTERS = 2_000;
const MOST_STACKS = 20;
const LARGE_FIELDS = ['data', 'opts', 'returnvalue', 'stacktrace', 'progress'] as const;

/** Everything of one job, bounded: large fields are measured before they are fetched. null where there is no such job. */
export async function readJob(
  client: RedisClient,
  queueId: string,
  jobId: string,
): Promise<JobDetail | null> {
  const key = `${queueId}:${jobId}`;
  const [values, sizes] = await Promise.all([
    client.hmget(key, ...JOB_ROW_FIELDS, 'parentKey', 'pb'),
    Promise.all(LARGE_FIELDS.map((field) => client.hstrlen(key, field))),
  ]);
  const row = rowOf(jobId, values);
  if (!row) return null;
  const [large, logs, logsTotal, state, memoryBytes] = await Promise.all([
    Promise.all(LARGE_FIELDS.map((field, i) => readField(client, key, field, sizes[i] ?? 0))),
    client.lrange(`${key}:logs`, -MOST_LOGS, -1),
    client.llen(`${key}:logs`),
    stateOf(client, queueId, jobId),
    memoryOf(client, key),
  ]);
  const [data, opts, returnValue, stackTrace, progress] = large;
  return {
    ...row,
    memoryBytes,
    state,
    data: data ?? '',
    opts: opts ?? '',
    returnValue: returnValue ?? null,
    stackTrace: parseStacks(stackTrace ?? null),
    progress: progress ?? null,
    logs: logs.map((line) => line.slice(0, MOST_LOG_LETTERS)),
    logsTotal,
    parentKey: values[JOB_ROW_FIELDS.length] ?? null,
    processedBy: values[JOB_ROW_FIELDS.length + 1] ?? null,
    isTruncated: sizes.some((size) => size > MOST_FIELD_BYTES) || logsTotal > MOST_LOGS,
  };
}

async function readField(
  client: RedisClient,
  key: string,
  field: string,
  bytes: number,
): Promise<string | null> {
  if (bytes === 0) return null;
  if (bytes > MOST_FIELD_BYTES) return `(${bytes} bytes: too large to show here)`;
  return client.hget(key, field);
}

/** Which set or list holds it. LPOS looks at most at the first 100,000 entries from the end that is taken next. */
async function stateOf(client: RedisClient, queueId: string, jobId: string): Promise<JobState | 'unknown'> {
  const sets: readonly JobState[] = ['completed', 'failed', 'delayed', 'prioritized', 'waiting-children'];
  const [active, scores, waiting, paused] = await Promise.all([
    client.lpos(`${queueId}:active`, jobId, 'MAXLEN', 100_000),
    Promise.all(sets.map((state) => client.zscore(`${queueId}:${state}`, jobId))),
    client.lpos(`${queueId}:wait`, jobId, 'RANK', -1, 'MAXLEN', 100_000),
    client.lpos(`${queueId}:paused`, jobId, 'RANK', -1, 'MAXLEN', 100_000),
  ]);
  if (active !== null) return 'active';
  const found = sets.find((_, i) => scores[i] !== null);
  if (found) return found;
  return waiting !== null || paused !== null ? 'waiting' : 'unknown';
}

function parseStacks(text: string | null): readonly string[] {
  if (text === null) return [];
  try {
    const stacks: unknown = JSON.parse(text);
    return Array.isArray(stacks) ? stacks.slice(-MOST_STACKS).map(String) : [text];
  } catch {
    // Too large to be fetched, or not BullMQ's form: shown as it is.
    return [text];
  }
}

async function memoryOf(client: RedisClient, key: string): Promise<number | null> {
  try {
    return Number(await client.memory('USAGE', key));
  } catch (error) {
    if (error instanceof Error && /NOPERM|unknown command/i.test(error.message)) return null;
    throw error;
  }
}
