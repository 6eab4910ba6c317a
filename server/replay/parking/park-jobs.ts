import { setTimeout as wait } from 'node:timers/promises';
import { ActionError } from '../../model/action.js';
import type { Parking, ParkSkipReason, Skipped } from '../../model/parking.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import { storeTroubleOf } from '../../store/store-trouble.js';
import { digestOfLines } from './ndjson.js';
import type { ParkedStore } from './open-parked.js';
import type { ParkedJob } from './parking.js';
import {
  FIRST_WINDOW,
  type JobWindow,
  type ParkingSource,
  readJobWindow,
  sourcesOf,
  type WindowCursor,
} from './read-window.js';
import { receiptsKey, runParkingScript, settleBatch } from './run-script.js';

interface RemoveCall {
  readonly batch: string;
  readonly source: ParkingSource;
  /** Where the window began, and how many it had. */
  readonly offset: number;
  readonly searched: number;
  readonly jobs: readonly ParkedJob[];
}

/**
 * Takes jobs that are on disk out of Redis, in one step.
 * @returns the receipt: a code a job, '1' gone, '0' left.
 * @throws what Redis or the network says; then settleBatch tells what came of it.
 */
async function removeBatch(queue: QueueHandle, call: RemoveCall): Promise<string> {
  const shapes = new Map<string, { readonly number: number; readonly names: readonly Buffer[] }>();
  const perJob: (string | number | Buffer)[] = [];
  for (const job of call.jobs) {
    const names = job.fields.filter((_, i) => i % 2 === 0);
    const shape = names.map((name) => name.toString('latin1')).join('\0');
    const known = shapes.get(shape) ?? { number: shapes.size + 1, names };
    shapes.set(shape, known);
    perJob.push(job.jobId, job.score, known.number, digestOfLines(job.fields));
  }
  const answer = await runParkingScript(
    queue,
    'remove-jobs',
    [receiptsKey(queue.id), call.source.key],
    [
      `${queue.id}:`,
      call.batch,
      call.source.kind,
      call.offset,
      call.searched,
      `spillway:gone:${call.batch}`,
      shapes.size,
      ...[...shapes.values()].flatMap(({ names }) => [names.length, ...names]),
      ...perJob,
    ],
  );
  return String(answer);
}

/** Counts what a pass looked at and left, by reason. */
class SkipCount {
  looked: number;
  #counts = new Map<ParkSkipReason, number>();

  constructor(looked: number) {
    this.looked = looked;
  }

  /** A new pass meets the same jobs again. */
  begin(): void {
    this.looked = 0;
    this.#counts = new Map();
  }

  look(jobs: number): void {
    this.looked += jobs;
  }

  add(reason: ParkSkipReason, jobs: number): void {
    if (jobs > 0) this.#counts.set(reason, this.of(reason) + jobs);
  }

  of(reason: ParkSkipReason): number {
    return this.#counts.get(reason) ?? 0;
  }

  get skipped(): Skipped {
    return Object.fromEntries(this.#counts);
  }
}

/** `appendfsync everysec` loses up to a second, two while its disk is slow; a replica is behind by less. */
const KEPT_AFTER_MS = 2_000;
const NAP_MS = 100;

/**
 * Sees to it that Redis will still know, whatever it forgets, that this installation has taken jobs out of the queue: see
 * mark-epoch.lua. It takes 2 s before the first parking of a queue, and no time later.
 * @returns false: somebody stopped it before.
 * @throws what Redis says.
 */
async function markEpoch(
  queue: QueueHandle,
  installation: string,
  shouldStop: () => boolean,
): Promise<boolean> {
  if (shouldStop()) return false;
  const answer = await runParkingScript(
    queue,
    'mark-epoch',
    [receiptsKey(queue.id)],
    [installation, KEPT_AFTER_MS],
  );
  for (let leftMs = Number(answer); leftMs > 0; leftMs -= NAP_MS) {
    await wait(Math.min(leftMs, NAP_MS));
    if (shouldStop()) return false;
  }
  return true;
}

/** What the loops of parking and restoring are given. */
interface ParkingWork {
  readonly store: ParkedStore;
  readonly queue: QueueHandle;
  readonly parking: Parking;
  readonly newId: () => string;
  readonly now: () => number;
  /** Asked before each batch: what somebody wants by now. */
  readonly shouldStop: () => boolean;
}

interface ParkResult {
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
 * @throws ActionError where the disk has no room: what was taken by then is safe, the rest untouched.
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
    const window = await readJobWindow(work.queue, source, cursor, WINDOW_JOBS, work.parking.jobTypes, true);
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
  if (refusal !== null) throw new ActionError('disk-full', `${refusal}: nothing more was taken out of Redis`);
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
  const gone = jobs.filter((_, i) => receipt?.[i] === '1').map((job) => job.jobId.toString('latin1'));
  work.queue.onTaken?.(gone.length);
  return new Set(gone);
}

/** @throws ActionError for what a full disk says, in any of SQLite's words. */
async function onDisk(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (storeTroubleOf(error) !== 'full') throw error;
    const text = error instanceof Error ? error.message : String(error);
    throw new ActionError('disk-full', `the disk has no room (${text}): nothing more was taken out of Redis`);
  }
}
