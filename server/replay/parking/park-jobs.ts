import type { QueueHandle } from '../../redis/queue-control.js';
import { storeTroubleOf } from '../../store/store-trouble.js';
import { markEpoch } from './mark-epoch.js';
import type { ParkedStore } from './open-parked.js';
import { type Parking, ParkingError } from './parking.js';
import {
  FIRST_WINDOW,
  type JobWindow,
  type ParkingSource,
  readWindow,
  sourcesOf,
  type WindowCursor,
} from './read-window.js';
import { removeBatch } from './remove-batch.js';
import { settleBatch } from './settle-batch.js';
import { SkipCount } from './skip-count.js';

/** What the loops of parking and restoring are given. */
export interface ParkingWork {
  readonly store: ParkedStore;
  readonly queue: QueueHandle;
  readonly parking: Parking;
  readonly newId: () => string;
  readonly now: () => number;
  /** Asked before each batch: what somebody wants by now. */
  readonly shouldStop: () => boolean;
}

export interface ParkResult {
  /** False: somebody stopped it before. */
  readonly isThrough: boolean;
}

/** Jobs of one window: about 5 ms of Redis to read, and as much to remove. */
const WINDOW_JOBS = 500;
/** SQLite's own share of a row, and its three indexes. */
const ROW_BYTES = 300;
/** A pass that met jobs which moved on is made again, so often at most: workers may take faster than we look. */
const MAX_PASSES = 5;

/**
 * Takes the jobs of a parking out of Redis, window by window, oldest first: each batch is on disk before Redis lets go of
 * it. What comes in after it began is left. Safe to call again after any interruption.
 * @throws ParkingError where the disk has no room: what was taken by then is safe, the rest untouched.
 * @throws what Redis says.
 */
export async function parkJobs(work: ParkingWork): Promise<ParkResult> {
  let left = work.parking.most === null ? Number.POSITIVE_INFINITY : work.parking.most - work.parking.parked;
  const count = new SkipCount(work.parking.looked);
  if (!(await markEpoch(work.queue, work.store.installation, work.shouldStop))) return { isThrough: false };
  for (let pass = 1; pass <= MAX_PASSES; pass++) {
    count.begin();
    let gone = 0;
    for (const source of sourcesOf(work.queue.id, work.parking.states)) {
      const result = await parkSource(work, source, () => left - gone, count);
      gone += result.gone;
      await work.store.parkings.change(work.parking.id, { skipped: count.skipped, looked: count.looked });
      if (!result.isThrough) return { isThrough: false };
    }
    left -= gone;
    if (left <= 0 || count.of('moved-on') === 0) break;
  }
  return { isThrough: true };
}

async function parkSource(
  work: ParkingWork,
  source: ParkingSource,
  mostLeft: () => number,
  count: SkipCount,
): Promise<{ readonly gone: number; readonly isThrough: boolean }> {
  let cursor: WindowCursor = FIRST_WINDOW;
  let gone = 0;
  let toLook: number | null = null;
  for (;;) {
    const room = mostLeft() - gone;
    if (room <= 0) return { gone, isThrough: true };
    if (work.shouldStop()) return { gone, isThrough: false };
    const window = await readWindow(work.queue, source, cursor, WINDOW_JOBS, work.parking.jobTypes, true);
    toLook ??= window.length;
    if (window.looked === 0 || toLook <= 0) return { gone, isThrough: true };
    const free = window.jobs.filter((job) => job.skip === null);
    const jobs = free.slice(0, room);
    const taken = jobs.length === 0 ? new Set<string>() : await takeBatch(work, source, window, jobs);
    toLook -= window.looked;
    gone += taken.size;
    count.look(window.looked);
    for (const { skip } of window.jobs) if (skip !== null) count.add(skip, 1);
    count.add('moved-on', jobs.length - taken.size);
    cursor = nextCursor(cursor, window, taken);
  }
}

/** Only what stays is stepped over, and the last one that stays is the mark: workers take from before it meanwhile. */
function nextCursor(cursor: WindowCursor, window: JobWindow, taken: ReadonlySet<string>): WindowCursor {
  const offset = window.offset + window.looked - taken.size;
  const stays = window.entries.findLast(([id]) => !taken.has(id.toString('latin1')));
  return stays ? { offset, edge: stays[0], edgeScore: stays[1] } : { ...cursor, offset };
}

/** To disk, out of Redis, and settled on disk. @returns ids (as Latin-1 text) that are gone from Redis. */
async function takeBatch(
  work: ParkingWork,
  source: ParkingSource,
  window: JobWindow,
  jobs: JobWindow['jobs'],
): Promise<ReadonlySet<string>> {
  const { store, parking } = work;
  const bytes = jobs.reduce(
    (sum, job) => sum + job.fields.reduce((all, field) => all + field.length + 4, ROW_BYTES),
    0,
  );
  const refusal = await store.disk.refusal(bytes);
  if (refusal !== null)
    throw new ParkingError('disk-full', `${refusal}: nothing more was taken out of Redis`);
  const batch = work.newId();
  await onDisk(() => store.jobs.write(parking.id, batch, jobs));
  let receipt: string | null;
  try {
    receipt = await removeBatch(work.queue, {
      batch,
      source,
      offset: window.offset,
      searched: window.looked,
      jobs,
    });
  } catch {
    // Refused, or nobody answered: Redis itself says what became of it. If that fails too, the rows wait for the next start.
    receipt = await settleBatch(work.queue, 'p', batch);
  }
  await store.jobs.settleWritten(parking.id, batch, receipt);
  return new Set(jobs.filter((_, i) => receipt?.[i] === '1').map((job) => job.jobId.toString('latin1')));
}

/** @throws ParkingError for what a full disk says, in any of SQLite's words. */
async function onDisk(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (storeTroubleOf(error) !== 'full') throw error;
    const text = error instanceof Error ? error.message : String(error);
    throw new ParkingError(
      'disk-full',
      `the disk has no room (${text}): nothing more was taken out of Redis`,
    );
  }
}
