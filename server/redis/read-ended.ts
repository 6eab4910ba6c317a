import type { Redis } from 'ioredis';
import { type FinishedJob, firstLine } from '../watch/finished-job.js';
import { isJobId } from './queue-keys.js';
import { type Answers, ReadBatch, Refused, type Slot, sumOfCalls } from './read-batch.js';

/** Jobs looked at of one kind in one turn of one queue: 1.5 µs each. */
const MOST_ENDED = 60;
const MOST_RUNNING = 20;
const MOST_NEWEST = 12;

/** What is wanted of one queue. Scores of its sets of finished jobs are their ends in ms. */
export interface EndedRequest {
  readonly id: string;
  /** Ends that are known up to here; those of this very ms are read again, since more may have come. null: the newest ones. */
  readonly completedSinceMs: number | null;
  readonly failedSinceMs: number | null;
  readonly wantsFinished: boolean;
  readonly wantsRunning: boolean;
  readonly wantsNewest: boolean;
}

export interface EndedReading {
  readonly id: string;
  /** Newest last. */
  readonly finished: readonly FinishedJob[];
  /** False: more have ended since than a turn looks at; the newest are here. */
  readonly isWhole: boolean;
  /** Longest running first. */
  readonly running: readonly {
    readonly type: string;
    readonly startedAtMs: number;
    readonly waitedMs: number | null;
    readonly jobId: string;
  }[];
  readonly newestTypes: readonly string[];
}

interface Ids {
  readonly completed: Slot | null;
  readonly failed: Slot | null;
  readonly running: Slot | null;
  readonly newest: Slot | null;
  readonly newestPrioritized: Slot | null;
}

/**
 * Looks at the jobs of many queues that have ended since the last look, that have run longest, and that came last, in two
 * pipelines. Never reads what jobs hold: names, times, the worker's name and the first line of an error.
 * @returns no reading of a queue of which anything was refused.
 */
export async function readEnded(
  client: Redis,
  requests: readonly EndedRequest[],
): Promise<{ readonly readings: readonly EndedReading[]; readonly calls: ReadonlyMap<string, number> }> {
  const lists = new ReadBatch();
  const slots = requests.map((request) => addIds(lists, request));
  await lists.run(client);
  const facts = new ReadBatch();
  const decoders = requests.flatMap((request, i) => {
    const decode = lists.read((answers) => addFacts(facts, answers, request, slots[i]));
    return decode instanceof Refused ? [] : [decode];
  });
  await facts.run(client);
  const readings = decoders.flatMap((decode) => {
    const reading = facts.read(decode);
    return reading instanceof Refused ? [] : [reading];
  });
  return { readings, calls: sumOfCalls(lists.calls, facts.calls) };
}

function addIds(batch: ReadBatch, request: EndedRequest): Ids {
  const { id, wantsFinished, wantsRunning, wantsNewest } = request;
  const since = (ms: number | null): string => (ms === null ? '-inf' : String(ms));
  const newestOf = (state: string, ms: number | null): Slot =>
    batch.add('zrevrangebyscore', `${id}:${state}`, '+inf', since(ms), 'LIMIT', 0, MOST_ENDED);
  return {
    completed: wantsFinished ? newestOf('completed', request.completedSinceMs) : null,
    failed: wantsFinished ? newestOf('failed', request.failedSinceMs) : null,
    // BullMQ pushes what begins at the left end, so the longest running is at the right.
    running: wantsRunning ? batch.add('lrange', `${id}:active`, -MOST_RUNNING, -1) : null,
    newest: wantsNewest ? batch.add('lrange', `${id}:wait`, 0, MOST_NEWEST - 1) : null,
    newestPrioritized: wantsNewest ? batch.add('zrange', `${id}:prioritized`, -2, -1) : null,
  };
}

function addFacts(
  batch: ReadBatch,
  lists: Answers,
  { id }: EndedRequest,
  slots: Ids | undefined,
): (answers: Answers) => EndedReading {
  const idsAt = (slot: Slot | null | undefined): readonly string[] =>
    lists.list(slot ?? null).filter(isJobId);
  const [completed, failed] = [idsAt(slots?.completed), idsAt(slots?.failed)];
  const ended = [
    ...completed.map((jobId) => ({ jobId, failed: false, slot: addEnded(batch, id, jobId, false) })),
    ...failed.map((jobId) => ({ jobId, failed: true, slot: addEnded(batch, id, jobId, true) })),
  ];
  const running = idsAt(slots?.running).map((jobId) => ({
    jobId,
    slot: batch.add('hmget', `${id}:${jobId}`, 'name', 'processedOn', 'timestamp', 'delay', 'ats'),
  }));
  const newest = [...idsAt(slots?.newest), ...idsAt(slots?.newestPrioritized)].map((jobId) =>
    batch.add('hget', `${id}:${jobId}`, 'name'),
  );
  return (answers) => ({
    id,
    finished: ended
      .flatMap(({ jobId, failed: hasFailed, slot }) => endedOf(answers.list(slot), jobId, hasFailed) ?? [])
      .sort((a, b) => a.endedAtMs - b.endedAtMs),
    isWhole: completed.length < MOST_ENDED && failed.length < MOST_ENDED,
    running: running
      .flatMap(({ jobId, slot }) => runningOf(answers.list(slot), jobId) ?? [])
      .sort((a, b) => a.startedAtMs - b.startedAtMs),
    newestTypes: newest.flatMap((slot) => answers.text(slot) ?? []),
  });
}

function addEnded(batch: ReadBatch, id: string, jobId: string, hasFailed: boolean): Slot {
  const fields = ['name', 'processedOn', 'finishedOn', 'timestamp', 'delay', 'ats', 'pb'];
  return batch.add('hmget', `${id}:${jobId}`, ...fields, ...(hasFailed ? ['failedReason'] : []));
}

function endedOf(values: readonly (string | null)[], jobId: string, failed: boolean): FinishedJob | null {
  const [name, processedOn, finishedOn, timestamp, delay, attempts, process, reason] = values;
  const endedAtMs = Number(finishedOn ?? Number.NaN);
  if (name === null || name === undefined || !Number.isFinite(endedAtMs)) return null;
  const startedAtMs = numberOrNull(processedOn);
  return {
    jobId,
    type: name,
    failed,
    endedAtMs,
    startedAtMs,
    dueAtMs: isFirstTry(attempts) ? dueAt(timestamp, delay) : null,
    process: process ?? null,
    error: failed && reason ? firstLine(reason) : null,
  };
}

function runningOf(
  values: readonly (string | null)[],
  jobId: string,
): EndedReading['running'][number] | null {
  const [name, processedOn, timestamp, delay, attempts] = values;
  const startedAtMs = numberOrNull(processedOn);
  if (name === null || name === undefined || startedAtMs === null) return null;
  const dueAtMs = isFirstTry(attempts) ? dueAt(timestamp, delay) : null;
  return { jobId, type: name, startedAtMs, waitedMs: dueAtMs === null ? null : startedAtMs - dueAtMs };
}

/** A retry has waited since its first try failed, which nothing tells. */
function isFirstTry(attempts: string | null | undefined): boolean {
  return Number(attempts ?? 0) <= 1;
}

function dueAt(timestamp: string | null | undefined, delay: string | null | undefined): number | null {
  const addedAtMs = numberOrNull(timestamp);
  return addedAtMs === null ? null : addedAtMs + (Number(delay ?? 0) || 0);
}

function numberOrNull(text: string | null | undefined): number | null {
  const value = Number(text ?? Number.NaN);
  return Number.isFinite(value) && value > 0 ? value : null;
}
