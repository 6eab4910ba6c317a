import { storeTroubleOf } from '../../store/store-trouble.js';
import { whyNoJobId } from './job-id.js';
import { headLine, jobLine, parseHead, parseJob } from './ndjson.js';
import type { ParkedStore } from './open-parked.js';
import { type ParkedJob, type Parking, ParkingError } from './parking.js';
import { IMPORT_BATCH } from './restore-batch.js';

/** Jobs that are read or written at a time, and how many bytes of them at most before they are written. */
const PAGE = 500;
const PAGE_BYTES = 4 * 1024 * 1024;
/** Documented. What one line takes to parse is what everybody else waits for. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

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

export interface ImportInto {
  readonly id: string;
  readonly actor: string;
  readonly atMs: number;
  /** Ids of batches. */
  readonly newId: () => string;
  /** Queues that are known to a Redis; null: there is no such Redis here. */
  readonly queuesOf: (instance: string) => readonly string[] | null;
}

/**
 * Takes what an export gave as a parking of its own. A line that is wrong takes back nothing of what came before it: that
 * is an aborted parking, which can be restored or left. Takes time in proportion to its size, and holds a line or a page.
 * @throws ParkingError naming the line.
 */
export async function importLines(
  store: ParkedStore,
  chunks: AsyncIterable<Uint8Array>,
  by: ImportInto,
): Promise<void> {
  let jobs: ParkedJob[] = [];
  let jobBytes = 0;
  let number = 0;
  let head: { readonly queue: string; readonly longerQueues: readonly string[] } | null = null;
  const flush = async (): Promise<void> => {
    if (jobs.length === 0) return;
    const refusal = await store.disk.refusal(jobBytes);
    if (refusal !== null) throw new ParkingError('disk-full', refusal);
    const batch = `${IMPORT_BATCH}${by.newId()}`;
    await store.jobs.write(by.id, batch, jobs);
    await store.jobs.settleWritten(by.id, batch, '1'.repeat(jobs.length));
    jobs = [];
    jobBytes = 0;
  };
  try {
    const { maxBytes } = await store.disk.read();
    for await (const line of linesOf(chunks, 2 * maxBytes)) {
      number += 1;
      if (head === null) {
        const { instance, queue, states, jobTypes, reason } = parseHead(line);
        head = { queue, longerQueues: longerQueues(by, instance, queue) };
        const request = { instance, queue, states, jobTypes, reason, most: null, actor: by.actor };
        await store.parkings.add(by.id, { ...request, origin: 'import' }, by.atMs);
        await store.parkings.change(by.id, { state: 'aborted', because: 'the import has not ended' });
        continue;
      }
      const job = parseJob(line);
      const refusal = whyNoJobId(job.jobId.toString('utf8'), head.queue, head.longerQueues);
      if (refusal !== null) throw new Error(`id: ${refusal}`);
      jobs.push(job);
      jobBytes += job.fields.reduce((sum, { length }) => sum + length, 300);
      if (jobs.length >= PAGE || jobBytes >= PAGE_BYTES) await flush();
    }
    await flush();
  } catch (error) {
    if (head !== null) await flush().catch(() => undefined);
    // What the disk says is no fault of a line.
    if (error instanceof ParkingError || storeTroubleOf(error) !== null) throw error;
    throw new ParkingError(
      'invalid',
      `line ${number}: ${error instanceof Error ? error.message : 'is not right'}`,
    );
  }
  if (head === null) throw new ParkingError('invalid', 'line 1: is missing: send what an export gave');
  await store.parkings.change(by.id, { state: 'done', because: null, endedAtMs: by.atMs, freedBytes: 0 });
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

/** Lines that hold something, each as soon as it is whole. @throws ParkingError, Error */
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
      throw new ParkingError(
        'too-large',
        `the import is larger than ${maxBytes} bytes, twice parking.maxBytes`,
      );
    for (let from = 0; from <= chunk.length; ) {
      const newline = chunk.indexOf(10, from);
      const part = chunk.subarray(from, newline === -1 ? chunk.length : newline);
      if (length + part.length > MAX_LINE_BYTES)
        throw new ParkingError('too-large', `line ${number}: is longer than ${MAX_LINE_BYTES} bytes`);
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
