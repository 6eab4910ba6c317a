import type { JobPage, JobQuery, JobRow } from '../model/job-view.js';
import type { JobState } from '../model/memory.js';
import type { RedisClient } from './connect.js';
import { readTypes } from './job-facts.js';
import { isJobId } from './queue-keys.js';

/** Jobs of one page at most: each is a hash read. */
export const MAX_JOBS_A_PAGE = 100;
const FIELDS = [
  'timestamp',
  'delay',
  'priority',
  'attemptsMade',
  'atm',
  'processedOn',
  'finishedOn',
] as const;
const MAX_REASON_LETTERS = 300;
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
export async function listJobs(client: RedisClient, queueId: string, query: JobQuery): Promise<JobPage> {
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
  return { ...row, failedReason: reason?.slice(0, MAX_REASON_LETTERS) ?? `(${reasonBytes} bytes)` };
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

function numberOrNull(text: string | null | undefined): number | null {
  const value = text == null || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

export { FIELDS as JOB_ROW_FIELDS, rowOf };
