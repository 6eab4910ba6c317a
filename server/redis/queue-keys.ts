import { createHash } from 'node:crypto';
import type { JobState } from '../model/memory.js';
import type { QueueCounts } from '../model/snapshot.js';
import { type AnswerPlace, type ReadBatch, Refused } from './read-batch.js';

/** Asks whether a queue of BullMQ has this id, `<prefix>:<name>`. */
export function askForQueue(batch: ReadBatch, id: string): AnswerPlace {
  return batch.add('hmget', `${id}:meta`, 'version', 'opts.maxLenEvents');
}

/**
 * A hash named …:meta is a queue's if it holds a field that only BullMQ writes.
 * @returns null: not known, as Redis refused to say. But what is no hash is no queue's.
 */
export function isQueue(batch: ReadBatch, slot: AnswerPlace): boolean | null {
  const fields = batch.read((answers) => answers.list(slot));
  if (fields instanceof Refused) return fields.code === 'WRONGTYPE' ? false : null;
  const [version = null, maxLenEvents = null] = fields;
  return version?.startsWith('bullmq') === true || maxLenEvents !== null;
}

/** Has somebody counted jobs here? First of what tells a queue of Bull, as most names that are no queue's have no counter. */
export function askForCounter(batch: ReadBatch, id: string): AnswerPlace {
  return batch.add('get', `${id}:id`);
}

/** Where the ids of the jobs of Bull 3 and 4 are. */
const BULL_LISTS = ['wait', 'paused', 'active'] as const;
const BULL_SETS = ['delayed', 'completed', 'failed'] as const;

/** Asks for what a queue of Bull has and one of BullMQ has not, and for some of its jobs. */
export function askForBull(batch: ReadBatch, id: string) {
  return {
    bullmqs: batch.add('exists', `${id}:events`, `${id}:marker`, `${id}:pc`),
    marks: batch.add('exists', `${id}:meta-paused`, `${id}:stalled-check`),
    jobs: [
      ...BULL_LISTS.map((list) => batch.add('lrange', `${id}:${list}`, -1, -1)),
      ...BULL_SETS.map((set) => batch.add('zrange', `${id}:${set}`, -1, -1)),
    ],
  };
}

/** Is this what Bull leaves? It keeps no version: its lists and job ids, without what BullMQ has beside them, are it. */
export function isBull(batch: ReadBatch, asked: ReturnType<typeof askForBull>): boolean {
  const found = batch.read((answers) => ({
    hasBullmqs: answers.number(asked.bullmqs) > 0,
    hasMarks: answers.number(asked.marks) > 0,
    hasJobs: asked.jobs.some((slot) => isJobId(answers.list(slot)[0])),
  }));
  return !(found instanceof Refused) && !found.hasBullmqs && (found.hasMarks || found.hasJobs);
}

/** Where BullMQ keeps the ids of the jobs of one state. */
export interface StateKey {
  readonly state: JobState;
  readonly key: string;
  readonly kind: 'list' | 'zset';
  readonly count: number;
}

/** What a queue's id is made of; the prefix may hold colons. */
export function partsOfQueueId(id: string): {
  readonly id: string;
  readonly prefix: string;
  readonly name: string;
} {
  const colon = id.lastIndexOf(':');
  return { id, prefix: id.slice(0, colon), name: id.slice(colon + 1) };
}

/** The lists and sorted sets of a queue that hold jobs. `waiting` has two where BullMQ 5 has paused the queue. */
export function stateKeys(id: string, counts: QueueCounts): readonly StateKey[] {
  const keys: StateKey[] = [];
  const add = (state: JobState, list: string, kind: StateKey['kind'], count: number): void => {
    if (count > 0) keys.push({ state, key: `${id}:${list}`, kind, count });
  };
  add('waiting', 'wait', 'list', counts.waiting - counts.legacyPaused);
  add('waiting', 'paused', 'list', counts.legacyPaused);
  add('active', 'active', 'list', counts.active);
  add('prioritized', 'prioritized', 'zset', counts.prioritized);
  add('delayed', 'delayed', 'zset', counts.delayed);
  add('waiting-children', 'waiting-children', 'zset', counts.waitingChildren);
  add('completed', 'completed', 'zset', counts.completed);
  add('failed', 'failed', 'zset', counts.failed);
  return keys;
}

/** Ids that are longer are looked at by nobody, and no action takes one: somebody has put what is no id in its place. */
const MAX_JOB_ID_CHARS = 1_000;

/** BullMQ 5 leaves a marker `0:<timestamp>` in `wait` at times; it is no job. */
export function isJobId(id: string | null | undefined): id is string {
  const isId = id !== null && id !== undefined && id !== '' && id.length <= MAX_JOB_ID_CHARS;
  return isId && !id.startsWith('0:');
}

/** Ids (`<prefix>:<name>`) that are longer are those of no queue that is watched. */
export const MAX_QUEUE_ID_CHARS = 300;

/** What is kept of a name that is too long to be kept: equal for equal names alone. */
export function digestOf(name: string): string {
  return createHash('sha256').update(name).digest('base64');
}

/**
 * The queue whose key this is: keys begin with `<prefix>:<name>:`, and names may hold colons.
 * @returns null: of none of these.
 */
export function queueOf(key: string, queues: { has(id: string): boolean }): string | null {
  let at = key.indexOf(':', key.indexOf(':') + 1);
  while (at > 0 && at <= MAX_QUEUE_ID_CHARS) {
    const id = key.slice(0, at);
    if (queues.has(id)) return id;
    at = key.indexOf(':', at + 1);
  }
  return null;
}

/** Ids of queues whose key this could be; of a key with many colons the first few. */
export function possibleQueuesOf(key: string): readonly string[] {
  const ids: string[] = [];
  let at = key.indexOf(':', key.indexOf(':') + 1);
  while (at > 0 && ids.length < MAX_POSSIBLE) {
    ids.push(key.slice(0, at));
    at = key.indexOf(':', at + 1);
  }
  return ids;
}

/** Prefixes and names with more colons than this allows for are not met in practice, and each is a question to Redis. */
const MAX_POSSIBLE = 3;
