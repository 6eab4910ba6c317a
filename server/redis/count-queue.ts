import type { Redis } from 'ioredis';
import { addJobFacts, addJobSizes, type JobFacts, type JobSlots } from './job-facts.js';
import { isJobId, type StateKey } from './queue-keys.js';
import { type AnswerPlace, type Answers, orThrow, ReadBatch, Refused, sumOfCalls } from './read-batch.js';
import type { QueueStructure } from './sample-jobs.js';

/** Jobs of one window: 6 ms of Redis, in commands of a few µs between which others are served. */
export const WINDOW_JOBS = 500;
/** MEMORY USAGE walks a sorted set whole up to this size: 3 ms. Beyond, this many entries stand for all. [run: 1 million take 13 ms] */
const MAX_MEASURED = 200_000;
/** Schedulers of one queue that are measured one by one; the mean of these stands for more. */
const MAX_SCHEDULERS = 2_000;
/** Keys that a job of a flow has beside its hash. */
const BESIDE = ['dependencies', 'processed', 'failed', 'unsuccessful'] as const;

interface CountedWindow {
  /** Entries of the list that were met, known ones too: 0 at its end. */
  readonly entries: number;
  /** Those that were not met before and are still there, with all keys that they have. */
  readonly jobs: readonly JobFacts[];
  readonly lockBytes: number;
  readonly deduplicationBytes: number;
  readonly calls: ReadonlyMap<string, number>;
}

/**
 * Measures one window of a state's list, from the end at which jobs come in: what comes meanwhile only moves known ones into
 * later windows, where `seen` leaves them out, and what is taken at the other end moves nothing. A job that is removed out
 * of turn can hide one; the caller compares numbers at the end.
 * @param size at most WINDOW_JOBS.
 * @param seen ids met so far in this list; grows.
 * @throws what Redis refuses, as MEMORY USAGE by its access list.
 */
export async function countWindow(
  client: Redis,
  queueId: string,
  key: StateKey,
  offset: number,
  size: number,
  seen: Set<string>,
): Promise<CountedWindow> {
  const ids = new ReadBatch();
  // BullMQ pushes to the left of `wait` and `active`; into sorted sets mostly at the high end.
  const window = ids.add(key.kind === 'list' ? 'lrange' : 'zrevrange', key.key, offset, offset + size - 1);
  await ids.run(client);
  const met = orThrow(ids.read((answers) => answers.list(window)));
  const fresh = met.filter(isJobId).filter((id) => !seen.has(id));
  for (const id of fresh) seen.add(id);
  const facts = new ReadBatch();
  const slots = [...new Set(fresh)].map((jobId) => addCounted(facts, queueId, jobId, key));
  await facts.run(client);
  const beside = new ReadBatch();
  const found = slots.flatMap((slot) => {
    const job = facts.read((answers) => ({
      facts: addJobFacts(beside, answers, slot.job),
      keys: addBeside(beside, answers, queueId, slot),
    }));
    // What an application keeps under the name of a job is none; anything else ends the window.
    if (job instanceof Refused && job.code === 'WRONGTYPE') return [];
    return [orThrow(job)];
  });
  await beside.run(client);
  const counted = orThrow(
    beside.read((answers) => ({
      jobs: found.flatMap(({ facts: decode, keys }) => {
        const job = decode(answers);
        const more = keys.beside.reduce((sum, key) => sum + answers.number(key), 0);
        return job ? [{ ...job, bytes: job.bytes + more, logBytes: answers.number(keys.logs) }] : [];
      }),
      lockBytes: found.reduce((sum, { keys }) => sum + answers.number(keys.lock), 0),
      deduplicationBytes: found.reduce((sum, { keys }) => sum + answers.number(keys.deduplication), 0),
    })),
  );
  return { entries: met.length, ...counted, calls: sumOfCalls(ids.calls, facts.calls, beside.calls) };
}

/** What a queue holds beside its jobs, measured key by key. */
export async function countStructure(
  client: Redis,
  queueId: string,
  keys: readonly StateKey[],
): Promise<{
  readonly structure: QueueStructure;
  readonly errorBytes: number;
  readonly calls: ReadonlyMap<string, number>;
}> {
  const first = new ReadBatch();
  const schedulerCount = first.add('zcard', `${queueId}:repeat`);
  const schedulers = first.add('zrange', `${queueId}:repeat`, 0, MAX_SCHEDULERS - 1);
  await first.run(client);
  const { names, all } = orThrow(
    first.read((answers) => ({
      names: answers.list(schedulers).filter((name): name is string => name !== null),
      all: answers.number(schedulerCount),
    })),
  );
  const batch = new ReadBatch();
  const usage = (key: string, samples = 0): AnswerPlace =>
    batch.add('memory', 'USAGE', key, 'SAMPLES', samples);
  const lists = keys.map(
    ({ key, kind, count }) =>
      [key, usage(key, kind === 'zset' && count > MAX_MEASURED ? MAX_MEASURED : 0)] as const,
  );
  const events = usage(`${queueId}:events`);
  const settings = SETTINGS.map((name) => usage(`${queueId}:${name}`));
  const repeat = usage(`${queueId}:repeat`);
  const each = names.map((name) => usage(`${queueId}:repeat:${name}`));
  await batch.run(client);
  const scale = names.length === 0 ? 0 : all / names.length;
  const structure = orThrow(
    batch.read((answers) => {
      const sum = (slots: readonly AnswerPlace[]): number =>
        slots.reduce((total, slot) => total + answers.number(slot), 0);
      return {
        byKey: new Map(lists.map(([key, slot]) => [key, answers.number(slot)])),
        eventsBytes: answers.number(events),
        schedulersBytes: answers.number(repeat) + Math.round(sum(each) * scale),
        settingsBytes: sum(settings),
      };
    }),
  );
  return {
    structure,
    errorBytes: keys.reduce((total, key) => total + listError(key), 0),
    calls: sumOfCalls(first.calls, batch.calls),
  };
}

/** Keys of a queue that are neither jobs nor lists of them. */
const SETTINGS = [
  'meta',
  'id',
  'marker',
  'stalled',
  'stalled-check',
  'limiter',
  'pc',
  'priority',
  'metrics:completed',
  'metrics:completed:data',
  'metrics:failed',
  'metrics:failed:data',
] as const;

/** Nodes of a skip list differ by levels of 16 bytes: their spread is about 12. */
function listError({ kind, count }: StateKey): number {
  if (kind === 'list' || count <= MAX_MEASURED) return 0;
  return Math.round((2 * 12 * count) / Math.sqrt(MAX_MEASURED));
}

interface CountedSlots {
  readonly job: JobSlots;
  /** How many of the keys beside the job there are. */
  readonly beside: AnswerPlace;
  readonly deduplication: AnswerPlace;
}

function addCounted(batch: ReadBatch, queueId: string, jobId: string, key: StateKey): CountedSlots {
  const job = addJobSizes(batch, queueId, jobId, key.state, true);
  const at = `${queueId}:${jobId}`;
  return {
    job,
    beside: batch.add('exists', ...BESIDE.map((name) => `${at}:${name}`), `${at}:logs`, `${at}:lock`),
    deduplication: batch.add('hget', at, 'deid'),
  };
}

/** Few jobs have any: only of those they are measured. */
function addBeside(batch: ReadBatch, facts: Answers, queueId: string, { job, ...slots }: CountedSlots) {
  const at = `${queueId}:${job.jobId}`;
  const usage = (key: string): AnswerPlace => batch.add('memory', 'USAGE', key, 'SAMPLES', 0);
  const hasMore = facts.number(slots.beside) > 0;
  const deduplication = facts.text(slots.deduplication);
  return {
    beside: hasMore ? BESIDE.map((name) => usage(`${at}:${name}`)) : [],
    // A job that waits for another try has logs too, and of long ones a sample of entries is not enough.
    logs: hasMore ? usage(`${at}:logs`) : null,
    lock: hasMore ? usage(`${at}:lock`) : null,
    deduplication: deduplication === null ? null : usage(`${queueId}:de:${deduplication}`),
  };
}
