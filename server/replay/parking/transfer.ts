import { ActionError } from '../../model/action.js';
import type { Parking } from '../../model/parking.js';
import { storeTroubleOf } from '../../store/store-trouble.js';
import { headLine, jobLine, parseHead, parseJob } from './ndjson.js';
import type { ParkedStore } from './open-parked.js';
import { newParking, type ParkedJob } from './parking.js';
import { IMPORT_BATCH } from './restore-jobs.js';

/**
 * What BullMQ keeps at `<queue>:<name>`: the list in queue-keys.js of 5.81.5 and 6.7.0 (both the same), `priority` and
 * `meta-paused` of Bull 3 and 4; and what its scripts keep below: `metrics:…`, `de:…` and `dn:…` (deduplication),
 * `repeat:…` (job schedulers), and of a relay `…:subs`, `:node`, `:inbox` and their like.
 */
const QUEUE_KEYS = [
  ...['active', 'wait', 'waiting-children', 'paused', 'id', 'delayed', 'prioritized', 'stalled-check'],
  ...['completed', 'failed', 'stalled', 'repeat', 'limiter', 'meta', 'events', 'pc', 'marker', 'de', 'dn'],
  ...['metrics', 'priority', 'meta-paused', 'delay', 'waiting', 'drained', 'progress', 'resumed', 'added'],
  ...['subs', 'cleanup', 'started', 'layout', 'mid', 'retained', 'ret', 'node', 'nodes', 'inbox'],
];
/** What BullMQ's scripts put behind the key of a job (moveToFinished-14.js, addLog-2.js, moveToActive-11.js …). */
const JOB_SUFFIXES = ['lock', 'logs', 'dependencies', 'processed', 'failed', 'unsuccessful'];
const RESERVED = new Set(['', ...QUEUE_KEYS, ...JOB_SUFFIXES, 'spillway']);

/**
 * Why a job with this id, which comes from outside, must not be written to `<queue>:<id>`; null: it may. Pure.
 *
 * BullMQ itself takes a colon in an id only where it makes three parts (job.js, validateOptions); such an id must not make
 * a key that means something else, here or in a queue whose name begins with this one's.
 * @param longerQueues ids of queues that begin with this one's and a colon.
 */
function whyNoJobId(id: string, queue: string, longerQueues: readonly string[]): string | null {
  const parts = id.split(':');
  if (parts.length !== 1 && parts.length !== 3) return 'must hold no colon, or two as BullMQ permits';
  const reserved = parts.find((part) => RESERVED.has(part));
  if (reserved !== undefined)
    return `${reserved === '' ? 'an empty part' : reserved} is a name that BullMQ keeps for itself`;
  const key = `${queue}:${id}`;
  const other = longerQueues.find((longer) => key === longer || key.startsWith(`${longer}:`));
  return other === undefined ? null : `makes a key of the queue ${other.slice(0, 200)}`;
}

/** Jobs that are read or written at a time, and how many bytes of them at most before they are written. */
const PAGE = 500;
const PAGE_BYTES = 4 * 1024 * 1024;
/** Documented. What one line takes to parse is what everybody else waits for. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** A parking as NDJSON: a line about it, then a line for each job that is on disk. Holds one page at a time. */
export async function* exportLines(store: ParkedStore, parking: Parking): AsyncGenerator<string> {
  yield headLine(parking);
  let after = 0;
  for (;;) {
    const jobs = await store.jobs.page(parking.id, after, PAGE);
    const last = jobs.at(-1);
    if (!last) return;
    after = last.seq;
    yield jobs.map(jobLine).join('');
  }
}

interface ImportInto {
  readonly id: string;
  readonly actor: string;
  readonly atMs: number;
  /** Ids of batches. */
  readonly newId: () => string;
  /** Queues that are known to a Redis; null: there is no such Redis here. */
  readonly queuesOf: (instance: string) => readonly string[] | null;
  /** Everything is read and checked, and nothing written. */
  readonly isDryRun: boolean;
}

/**
 * Takes what an export gave as a parking of its own. A line that is wrong takes back nothing of what came before it: that
 * is an aborted parking, which can be restored or left. Takes time in proportion to its size, and holds a line or a page.
 * @throws ActionError naming the line.
 */
export async function importLines(
  store: ParkedStore,
  chunks: AsyncIterable<Uint8Array>,
  by: ImportInto,
): Promise<Parking> {
  const { id, isDryRun } = by;
  let parking: Parking | null = null;
  let jobs: ParkedJob[] = [];
  let jobBytes = 0;
  let number = 0;
  let parked = 0;
  let unwrittenBytes = 0;
  let longer: readonly string[] = [];
  const flush = async (): Promise<void> => {
    if (jobs.length === 0) return;
    parked += jobs.length;
    unwrittenBytes = isDryRun ? unwrittenBytes + jobBytes : jobBytes;
    const refusal = await store.disk.refusal(unwrittenBytes);
    if (refusal !== null) throw new ActionError('disk-full', refusal);
    if (!isDryRun) {
      const batch = `${IMPORT_BATCH}${by.newId()}`;
      await store.jobs.write(id, batch, jobs);
      await store.jobs.settleWritten(id, batch, '1'.repeat(jobs.length));
    }
    jobs = [];
    jobBytes = 0;
  };
  try {
    const { maxBytes } = await store.disk.read();
    for await (const line of linesOf(chunks, 2 * maxBytes)) {
      number += 1;
      if (parking === null) {
        const { instance, queue, states, jobTypes, reason } = parseHead(line);
        longer = longerQueues(by, instance, queue);
        const request = { instance, queue, states, jobTypes, reason, most: null, actor: by.actor };
        parking = newParking(id, { ...request, origin: 'import' }, by.atMs);
        if (isDryRun) continue;
        await store.parkings.add(parking);
        await store.parkings.change(id, { state: 'aborted', because: 'the import has not ended' });
        continue;
      }
      const job = parseJob(line);
      const refusal = whyNoJobId(job.jobId.toString('utf8'), parking.queue, longer);
      if (refusal !== null) throw new Error(`id: ${refusal}`);
      jobs.push(job);
      jobBytes += job.fields.reduce((sum, { length }) => sum + length, 300);
      if (jobs.length >= PAGE || jobBytes >= PAGE_BYTES) await flush();
    }
    await flush();
  } catch (error) {
    if (parking !== null) await flush().catch(() => undefined);
    // What the disk says is no fault of a line.
    if (error instanceof ActionError || storeTroubleOf(error) !== null) throw error;
    throw new ActionError(
      'invalid',
      `line ${number}: ${error instanceof Error ? error.message : 'is not right'}`,
    );
  }
  if (parking === null) throw new ActionError('invalid', 'line 1: is missing: send what an export gave');
  const ended = { state: 'done', because: null, endedAtMs: by.atMs, freedBytes: 0 } as const;
  if (!isDryRun) await store.parkings.change(id, ended);
  return { ...parking, ...ended, parked, remaining: parked };
}

/**
 * Jobs come only into a queue that is there: an import must not make keys of its own choice.
 * @returns queues whose ids begin with this one's: one walk over all of them, and not one for each job.
 * @throws Error where it is not known.
 */
function longerQueues({ queuesOf }: ImportInto, instance: string, queue: string): readonly string[] {
  const queues = queuesOf(instance);
  if (queues === null) throw new Error(`instance: there is no Redis named ${instance.slice(0, 100)} here`);
  if (queues.includes(queue)) return queues.filter((id) => id.startsWith(`${queue}:`));
  throw new Error(
    `queue: ${queue.slice(0, 100)} is no queue of ${instance.slice(0, 100)} that the console knows: open it there first`,
  );
}

/** Lines that hold something, each as soon as it is whole. @throws ActionError, Error */
async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let totalBytes = 0;
  let number = 1;
  // One buffer that grows: of a body in chunks of a byte nothing is held for each of them.
  let line = Buffer.alloc(64 * 1024);
  let length = 0;
  for await (const chunk of chunks) {
    totalBytes += chunk.length;
    if (totalBytes > maxBytes)
      throw new ActionError(
        'too-large',
        `the import is larger than ${maxBytes} bytes, twice parking.maxBytes`,
      );
    for (let from = 0; from <= chunk.length; ) {
      const newline = chunk.indexOf(10, from);
      const part = chunk.subarray(from, newline === -1 ? chunk.length : newline);
      if (length + part.length > MAX_LINE_BYTES)
        throw new ActionError('too-large', `line ${number}: is longer than ${MAX_LINE_BYTES} bytes`);
      if (length + part.length > line.length) {
        const grown = Buffer.alloc(Math.min(MAX_LINE_BYTES, Math.max(2 * line.length, length + part.length)));
        line.copy(grown, 0, 0, length);
        line = grown;
      }
      line.set(part, length);
      length += part.length;
      if (newline === -1) break;
      const text = utf8.decode(line.subarray(0, length));
      length = 0;
      number += 1;
      from = newline + 1;
      if (text.trim() !== '') yield text;
    }
  }
  const last = utf8.decode(line.subarray(0, length));
  if (last.trim() !== '') yield last;
}
