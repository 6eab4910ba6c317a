import { headLine, jobLine, parseHead, parseJob } from './ndjson.js';
import type { ParkedStore } from './open-parked.js';
import { type ParkedJob, type Parking, ParkingError } from './parking.js';
import { IMPORT_BATCH } from './restore-batch.js';

/** Jobs that are read or written at a time. */
const PAGE = 500;
const MOST_LINE_LETTERS = 64 * 1024 * 1024;

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

/**
 * Takes what an export gave as a parking of its own. A line that is wrong takes back nothing of what came before it: that
 * is an aborted parking, which can be restored or left.
 * @param newId ids of batches.
 * @throws ParkingError naming the line.
 */
export async function importLines(
  store: ParkedStore,
  chunks: AsyncIterable<string>,
  by: { readonly id: string; readonly actor: string; readonly atMs: number; readonly newId: () => string },
): Promise<void> {
  let jobs: ParkedJob[] = [];
  let number = 0;
  let isBegun = false;
  const flush = async (): Promise<void> => {
    if (jobs.length === 0) return;
    const bytes = jobs.reduce((sum, { fields }) => sum + fields.reduce((all, f) => all + f.length, 300), 0);
    const refusal = await store.disk.refusal(bytes);
    if (refusal !== null) throw new ParkingError('disk-full', refusal);
    const batch = `${IMPORT_BATCH}${by.newId()}`;
    await store.jobs.write(by.id, batch, jobs);
    await store.jobs.settleWritten(by.id, batch, '1'.repeat(jobs.length));
    jobs = [];
  };
  try {
    for await (const line of linesOf(chunks)) {
      number += 1;
      if (!isBegun) {
        const { instance, queue, states, jobTypes, reason } = parseHead(line);
        const request = { instance, queue, states, jobTypes, reason, most: null, actor: by.actor };
        await store.parkings.add(by.id, { ...request, origin: 'import' }, by.atMs);
        await store.parkings.change(by.id, { state: 'aborted', because: 'the import has not ended' });
        isBegun = true;
        continue;
      }
      jobs.push(parseJob(line));
      if (jobs.length >= PAGE) await flush();
    }
    await flush();
  } catch (error) {
    if (isBegun) await flush().catch(() => undefined);
    if (error instanceof ParkingError) throw error;
    throw new ParkingError(
      'invalid',
      `line ${number}: ${error instanceof Error ? error.message : 'is not right'}`,
    );
  }
  if (!isBegun) throw new ParkingError('invalid', 'line 1: is missing: send what an export gave');
  await store.parkings.change(by.id, { state: 'done', because: null, endedAtMs: by.atMs, freedBytes: 0 });
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MOST_LINE_LETTERS) throw new Error('is too long');
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  if (rest.trim() !== '') yield rest;
}
