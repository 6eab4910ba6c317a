import { jobTypeOf, MAX_NAME_BYTES, typeOfUnread } from '../../agent/job-type-of.js';
import type { JobState } from '../model/memory.js';
import { ownText } from '../model/text.js';
import type { RedisClient } from './connect.js';
import type { AnswerPlace, Answers, ReadBatch } from './read-batch.js';

/** The field of a job's name, for a command of several: a name of this length is read, or is too long and left out. */
export function nameField(nameBytes: number): readonly ['name'] | readonly [] {
  return nameBytes <= MAX_NAME_BYTES ? ['name'] : [];
}

/** The type of a job, by its name and how long that is; null: it has none, so it is gone. */
export function typeFrom(name: string | null | undefined, nameBytes: number): string | null {
  if (nameBytes > MAX_NAME_BYTES) return typeOfUnread(nameBytes);
  return name === null || name === undefined ? null : jobTypeOf(name);
}

/** Types of the jobs at these keys, in their order: names are measured before they are fetched. @throws what Redis says. */
export async function readTypes(
  client: RedisClient,
  keys: readonly string[],
): Promise<readonly (string | null)[]> {
  const sizes = await Promise.all(keys.map((key) => client.hstrlen(key, 'name')));
  return Promise.all(
    keys.map(async (key, i) => {
      const bytes = sizes[i] ?? 0;
      return typeFrom(bytes <= MAX_NAME_BYTES ? await client.hget(key, 'name') : null, bytes);
    }),
  );
}

/** A number that Redis keeps as text; null where there is none. */
export function numberOrNull(text: string | null | undefined): number | null {
  const value = text == null || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

/** Texts that name something beside a job (its parent, its worker), as far as they are shown. */
export function shownText(text: string | null | undefined, chars: number): string | null {
  return text === null || text === undefined ? null : ownText(text, chars);
}

/** What is read of one job: sizes and its type, never what is in it. */
export interface JobFacts {
  readonly jobId: string;
  readonly state: JobState;
  readonly type: string;
  /** MEMORY USAGE of its hash. */
  readonly bytes: number;
  readonly dataBytes: number;
  /** Length of its data as they are kept, in bytes. */
  readonly dataLength: number;
  readonly optsBytes: number;
  readonly stackBytes: number;
  readonly returnBytes: number;
  readonly logBytes: number;
}

/** Slots of what one job holds. */
export interface JobSlots {
  readonly jobId: string;
  readonly state: JobState;
  readonly key: string;
  readonly name: AnswerPlace;
  readonly size: AnswerPlace;
  readonly data: AnswerPlace;
  readonly opts: AnswerPlace;
  readonly stack: AnswerPlace | null;
  readonly returned: AnswerPlace | null;
  readonly logs: AnswerPlace | null;
}

/**
 * Adds what is asked of one job first, how much it holds: five to seven plain commands, 6 to 9 µs of Redis with those of
 * `addJobFacts`. MEMORY USAGE with SAMPLES 0 looks at all fields; by default five are looked at, and one large field among
 * small ones would count as five.
 * @param isSettled weigh it as it is once it has been read.
 */
export function addJobSizes(
  batch: ReadBatch,
  queueId: string,
  jobId: string,
  state: JobState,
  isSettled = false,
): JobSlots {
  const key = `${queueId}:${jobId}`;
  const hasRun = state === 'completed' || state === 'failed';
  const weigh = (): AnswerPlace => batch.add('memory', 'USAGE', key, 'SAMPLES', 0);
  // A hash whose table was growing when it was written shrinks by some percent as soon as a field of it is read: by itself
  // a sample weighs as the many that nobody reads do, and in a count all have been read.
  const size = isSettled ? null : weigh();
  const slots = {
    jobId,
    state,
    key,
    name: batch.add('hstrlen', key, 'name'),
    data: batch.add('hstrlen', key, 'data'),
    opts: batch.add('hstrlen', key, 'opts'),
    // A job that waits again after a failure has a stack trace too.
    stack: state === 'completed' ? null : batch.add('hstrlen', key, 'stacktrace'),
    returned: state === 'completed' ? batch.add('hstrlen', key, 'returnvalue') : null,
    logs: hasRun || state === 'active' ? batch.add('memory', 'USAGE', `${key}:logs`) : null,
  };
  return { ...slots, size: size ?? weigh() };
}

/**
 * Adds the rest, now that it is known how long its name is.
 * @returns a function that decodes it: null where the job is gone by now.
 * @throws Refused, as `answers` does.
 */
export function addJobFacts(
  batch: ReadBatch,
  answers: Answers,
  slots: JobSlots,
): (facts: Answers) => JobFacts | null {
  const bytes = answers.number(slots.size);
  if (bytes <= 0) return () => null;
  const nameBytes = answers.number(slots.name);
  const sizes = {
    jobId: slots.jobId,
    state: slots.state,
    bytes,
    dataBytes: allocatedBytes(answers.number(slots.data)),
    dataLength: answers.number(slots.data),
    optsBytes: allocatedBytes(answers.number(slots.opts)),
    stackBytes: allocatedBytes(answers.number(slots.stack)),
    returnBytes: allocatedBytes(answers.number(slots.returned)),
    logBytes: answers.number(slots.logs),
  };
  const slot = nameField(nameBytes).length > 0 ? batch.add('hget', slots.key, 'name') : null;
  return (facts) => {
    const type = typeFrom(facts.text(slot), nameBytes);
    return type === null ? null : { ...sizes, type };
  };
}

/**
 * What a string of this length takes in Redis: with its header, in a size class of jemalloc (16 apart up to 128, then four
 * to each doubling). A large field fills most of a job, so its rounding is part of it and not of the job's overhead.
 */
function allocatedBytes(length: number): number {
  if (length <= 0) return 0;
  const size = length + (length < 256 ? 4 : length < 65_536 ? 6 : 10);
  if (size <= 128) return Math.ceil(size / 16) * 16;
  const step = 2 ** Math.ceil(Math.log2(size)) / 8;
  return Math.ceil(size / step) * step;
}
