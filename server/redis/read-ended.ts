import type { Redis } from 'ioredis';
import { type FinishedJob, firstLine } from '../model/job-type.js';
import { NO_REDACTION, type Redactor } from '../model/redact.js';
import { nameField, numberOrNull, shownText, typeFrom } from './job-facts.js';
import { isJobId } from './queue-keys.js';
import { type AnswerPlace, type Answers, ReadBatch, Refused, sumOfCalls } from './read-batch.js';

/** Jobs looked at of one kind in one turn of one queue: 2 µs each. */
const MAX_ENDED = 60;
const MAX_RUNNING = 20;
const MAX_NEWEST = 12;
/** Data and options that are longer are not looked through for what is to be hidden: the error is, whole. */
const MAX_CHECKED_BYTES = 16 * 1024;
/** An error that is longer is not read for its first line. */
const MAX_ERROR_BYTES = 64 * 1024;
const MAX_PROCESS_CHARS = 300;

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

interface EndedReading {
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
  readonly completed: AnswerPlace | null;
  readonly failed: AnswerPlace | null;
  readonly running: AnswerPlace | null;
  readonly newest: AnswerPlace | null;
  readonly newestPrioritized: AnswerPlace | null;
}

/**
 * Looks at the jobs of many queues that have ended since the last look, that have run longest, and that came last, in
 * three pipelines: their ids, how long their names and errors are, and what they say. Never reads what jobs hold: names,
 * times, the worker's name and the first line of an error. Where fields are hidden, a failed job's data are read for what its
 * error must not quote.
 * @returns no reading of a queue of which anything was refused.
 */
export async function readEnded(
  client: Redis,
  requests: readonly EndedRequest[],
  redactor: Redactor | null,
): Promise<{ readonly readings: readonly EndedReading[]; readonly calls: ReadonlyMap<string, number> }> {
  const lists = new ReadBatch();
  const slots = requests.map((request) => addIds(lists, request));
  await lists.run(client);
  const sizes = new ReadBatch();
  const found = requests.flatMap((request, i) => {
    const jobs = lists.read((answers) => addSizes(sizes, answers, request, slots[i], redactor !== null));
    return jobs instanceof Refused ? [] : [jobs];
  });
  await sizes.run(client);
  const facts = new ReadBatch();
  const decoders = found.flatMap((jobs) => {
    const decode = sizes.read((answers) => addFacts(facts, answers, jobs, redactor));
    return decode instanceof Refused ? [] : [decode];
  });
  await facts.run(client);
  const readings = decoders.flatMap((decode) => {
    const reading = facts.read(decode);
    return reading instanceof Refused ? [] : [reading];
  });
  return { readings, calls: sumOfCalls(lists.calls, sizes.calls, facts.calls) };
}

function addIds(batch: ReadBatch, request: EndedRequest): Ids {
  const { id, wantsFinished, wantsRunning, wantsNewest } = request;
  const since = (ms: number | null): string => (ms === null ? '-inf' : String(ms));
  const newestOf = (state: string, ms: number | null): AnswerPlace =>
    batch.add('zrevrangebyscore', `${id}:${state}`, '+inf', since(ms), 'LIMIT', 0, MAX_ENDED);
  return {
    completed: wantsFinished ? newestOf('completed', request.completedSinceMs) : null,
    failed: wantsFinished ? newestOf('failed', request.failedSinceMs) : null,
    // BullMQ pushes what begins at the left end, so the longest running is at the right.
    running: wantsRunning ? batch.add('lrange', `${id}:active`, -MAX_RUNNING, -1) : null,
    newest: wantsNewest ? batch.add('lrange', `${id}:wait`, 0, MAX_NEWEST - 1) : null,
    newestPrioritized: wantsNewest ? batch.add('zrange', `${id}:prioritized`, -2, -1) : null,
  };
}

interface SizedJob {
  readonly jobId: string;
  readonly key: string;
  readonly name: AnswerPlace;
  /** null: its error is of no interest. */
  readonly error: AnswerPlace | null;
  /** Of PARTS; empty: its error is shown as it is. */
  readonly parts: readonly AnswerPlace[];
}

/** What an error may quote. */
const PARTS = ['data', 'opts'] as const;

interface FoundJobs {
  readonly id: string;
  readonly completed: readonly SizedJob[];
  readonly failed: readonly SizedJob[];
  readonly running: readonly SizedJob[];
  readonly newest: readonly SizedJob[];
}

function addSizes(
  batch: ReadBatch,
  lists: Answers,
  { id }: EndedRequest,
  slots: Ids | undefined,
  wantsData: boolean,
): FoundJobs {
  const jobsAt = (slot: AnswerPlace | null | undefined, hasFailed = false): readonly SizedJob[] =>
    lists
      .list(slot ?? null)
      .filter(isJobId)
      .map((jobId) => {
        const key = `${id}:${jobId}`;
        const error = hasFailed ? batch.add('hstrlen', key, 'failedReason') : null;
        const parts = wantsData && hasFailed ? PARTS.map((part) => batch.add('hstrlen', key, part)) : [];
        return { jobId, key, name: batch.add('hstrlen', key, 'name'), error, parts };
      });
  return {
    id,
    completed: jobsAt(slots?.completed),
    failed: jobsAt(slots?.failed, true),
    running: jobsAt(slots?.running),
    newest: [...jobsAt(slots?.newest), ...jobsAt(slots?.newestPrioritized)],
  };
}

function addFacts(
  batch: ReadBatch,
  sizes: Answers,
  jobs: FoundJobs,
  redactor: Redactor | null,
): (answers: Answers) => EndedReading {
  const ended = [...jobs.completed, ...jobs.failed].map((job) => addEnded(batch, sizes, job, redactor));
  const running = jobs.running.map((job) => addRunning(batch, sizes, job));
  const newest = jobs.newest.map(({ key, name }) => {
    const nameBytes = sizes.number(name);
    const slot = nameField(nameBytes).length > 0 ? batch.add('hget', key, 'name') : null;
    return (answers: Answers) => typeFrom(answers.text(slot), nameBytes);
  });
  return (answers) => ({
    id: jobs.id,
    finished: ended.flatMap((decode) => decode(answers) ?? []).sort((a, b) => a.endedAtMs - b.endedAtMs),
    isWhole: jobs.completed.length < MAX_ENDED && jobs.failed.length < MAX_ENDED,
    running: running.flatMap((decode) => decode(answers) ?? []).sort((a, b) => a.startedAtMs - b.startedAtMs),
    newestTypes: newest.flatMap((decode) => decode(answers) ?? []),
  });
}

function addEnded(
  batch: ReadBatch,
  sizes: Answers,
  job: SizedJob,
  redactor: Redactor | null,
): (answers: Answers) => FinishedJob | null {
  const { jobId, key } = job;
  const nameBytes = sizes.number(job.name);
  const errorBytes = sizes.number(job.error);
  const isErrorRead = errorBytes > 0 && errorBytes <= MAX_ERROR_BYTES;
  const fields = ['processedOn', 'finishedOn', 'timestamp', 'delay', 'ats', 'pb', ...nameField(nameBytes)];
  const slot = batch.add('hmget', key, ...fields, ...(isErrorRead ? ['failedReason'] : []));
  const isChecked = job.parts.every((part) => sizes.number(part) <= MAX_CHECKED_BYTES);
  const data = redactor && isErrorRead && isChecked ? batch.add('hmget', key, ...PARTS) : null;
  return (answers) => {
    const values = answers.list(slot);
    const [processedOn, finishedOn, timestamp, delay, attempts, process, name] = values;
    const endedAtMs = Number(finishedOn ?? Number.NaN);
    const type = typeFrom(name, nameBytes);
    if (type === null || !Number.isFinite(endedAtMs)) return null;
    const error = isErrorRead ? values[values.length - 1] : null;
    const parts = data === null ? [null] : answers.list(data).map((part) => part ?? '');
    const redaction = redactor?.forJob(parts) ?? NO_REDACTION;
    return {
      jobId,
      type,
      failed: job.error !== null,
      endedAtMs,
      startedAtMs: numberOrNull(processedOn),
      dueAtMs: isFirstTry(attempts) ? dueAt(timestamp, delay) : null,
      process: shownText(process, MAX_PROCESS_CHARS),
      error:
        errorBytes > MAX_ERROR_BYTES
          ? `(${errorBytes} bytes)`
          : error
            ? firstLine(redaction.text(error))
            : null,
    };
  };
}

function addRunning(
  batch: ReadBatch,
  sizes: Answers,
  { jobId, key, name: nameSlot }: SizedJob,
): (answers: Answers) => EndedReading['running'][number] | null {
  const nameBytes = sizes.number(nameSlot);
  const slot = batch.add('hmget', key, 'processedOn', 'timestamp', 'delay', 'ats', ...nameField(nameBytes));
  return (answers) => {
    const [processedOn, timestamp, delay, attempts, name] = answers.list(slot);
    const startedAtMs = numberOrNull(processedOn);
    const type = typeFrom(name, nameBytes);
    if (type === null || startedAtMs === null) return null;
    const dueAtMs = isFirstTry(attempts) ? dueAt(timestamp, delay) : null;
    return { jobId, type, startedAtMs, waitedMs: dueAtMs === null ? null : startedAtMs - dueAtMs };
  };
}

/** A retry has waited since its first try failed, which nothing tells. */
function isFirstTry(attempts: string | null | undefined): boolean {
  return Number(attempts ?? 0) <= 1;
}

function dueAt(timestamp: string | null | undefined, delay: string | null | undefined): number | null {
  const addedAtMs = numberOrNull(timestamp);
  return addedAtMs === null ? null : addedAtMs + (Number(delay ?? 0) || 0);
}
