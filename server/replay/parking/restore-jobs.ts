import { setTimeout as wait } from 'node:timers/promises';
import type { QueueHandle } from '../../redis/queue-control.js';
import type { ParkedStore } from './open-parked.js';
import type { ParkingWork } from './park-jobs.js';
import type { StoredJob } from './parking.js';
import {
  againBatchName,
  forgetReceipts,
  isOfReplay,
  readReceipts,
  receiptsKey,
  runParkingScript,
  settleBatch,
} from './run-script.js';

interface RestoreSome {
  readonly store: ParkedStore;
  readonly queue: QueueHandle;
  readonly parking: string;
  readonly now: () => number;
}

/** Redis is full, said so that a person and `isPassing` understand it. */
export const FULL = 'Redis is full (OOM): nothing is brought back until there is room';

/**
 * Brings jobs whose rows are marked with this batch back, and settles what came of it. To be called alone for a parking.
 * @param jobs in the order in which they are to wait.
 * @returns the receipt (a letter a job, see restore-batch.ts); null: Redis is full, and nothing was changed.
 * @throws what Redis says; then it was not carried out and the rows are as before, or it is still open, for settle-open.ts.
 */
export async function restoreSome(
  { store, queue, parking, now }: RestoreSome,
  batch: string,
  jobs: readonly StoredJob[],
): Promise<string | null> {
  let receipt: string | null = null;
  let problem: unknown = null;
  try {
    receipt = await restoreBatch(queue, batch, store.installation, jobs);
  } catch (error) {
    problem = error;
    // Refused as it is full is an answer: it needs no settling, which would leave something in a Redis that is full.
    if (!isFull(error)) receipt = await settleBatch(queue, 'r', batch);
  }
  await store.jobs.settleRestoring(parking, batch, receipt, now());
  if (receipt === null) {
    if (!isFull(problem)) throw problem;
    return null;
  }
  await forgetReceipts(queue, 'p', await store.jobs.withoutRows(jobs.map((job) => job.batch)));
  return receipt;
}

function isFull(error: unknown): boolean {
  return error instanceof Error && /\bOOM\b/.test(error.message);
}

/** How the batches of imported jobs begin. */
export const IMPORT_BATCH = 'import:';

const KEYS = ['meta', 'active', 'wait', 'prioritized', 'delayed', 'marker', 'paused'] as const;

/**
 * Brings jobs back as they were, in one step.
 * @param jobs oldest first.
 * @returns the receipt: a letter a job, '1' back, 'x' its id is there already, 'b' Redis had fallen back.
 * @throws what Redis says: OOM when it is full, and then nothing was changed; after a time-out settleBatch tells.
 */
export async function restoreBatch(
  queue: QueueHandle,
  batch: string,
  installation: string,
  jobs: readonly StoredJob[],
): Promise<string> {
  const args = jobs.flatMap((job) => [
    job.jobId,
    job.place,
    job.score,
    // What was imported was taken out of no Redis that could fall back.
    job.batch.startsWith(IMPORT_BATCH) ? '' : job.batch,
    job.fields.length,
    ...job.fields,
  ]);
  const keys = [receiptsKey(queue.id), ...KEYS.map((name) => `${queue.id}:${name}`)];
  return String(
    await runParkingScript(queue, 'restore-jobs', keys, [`${queue.id}:`, batch, installation, ...args]),
  );
}

export interface RestoreResult {
  readonly isThrough: boolean;
}

/** How fast jobs come back: see restore-pace.ts. */
export interface RestorePace {
  /** Jobs that may come back now, at most `most`; 0 with the time to wait. `stop`: it must not go on without a person. */
  due(
    most: number,
  ): Promise<{ readonly jobs: number; readonly waitMs: number; readonly stop: string | null }>;
  /** These are back. */
  moved(jobs: readonly StoredJob[]): void;
  /** Why it stands; null: it goes. */
  hold(because: string | null): void;
}

/** Jobs and bytes of one batch: about 5 ms of Redis. */
const BATCH_JOBS = 500;
export const BATCH_BYTES = 1024 * 1024;
/** A new rate, a pause and the end of the console take effect within this. */
const MAX_NAP_MS = 200;
const WHEN_FULL_MS = 1_000;
/**
 * A job that was brought back stays on disk until Redis has had time to make it last: appendonly syncs once a second, and a
 * replica that takes over lags by less.
 */
const SURE_AFTER_MS = 3_000;

/**
 * Brings the jobs of a parking back, oldest first, at the pace of `pace`. While Redis is full it waits and adds nothing. Safe
 * to call again after any interruption.
 * @returns `stop`: why the guard wants it paused.
 * @throws what Redis says, other than that it is full.
 */
export async function restoreJobs(
  work: ParkingWork,
  pace: RestorePace,
): Promise<RestoreResult & { readonly stop: string | null }> {
  const { store, parking } = work;
  for (;;) {
    if (work.shouldStop()) return { isThrough: false, stop: null };
    await confirmRestored(work, SURE_AFTER_MS);
    const { jobs: most, waitMs, stop } = await pace.due(BATCH_JOBS);
    if (stop !== null) return { isThrough: false, stop };
    if (most <= 0 && (await store.jobs.next(parking.id, 1, 0)).length > 0) {
      await wait(Math.min(MAX_NAP_MS, Math.max(1, waitMs)));
      continue;
    }
    const done = await store.alone(parking.id, () => restoreNext(work, Math.max(1, most), pace));
    if (done === 'end') return { isThrough: true, stop: null };
    pace.hold(done === 'full' ? FULL : null);
    if (done === 'full') await wait(WHEN_FULL_MS);
  }
}

async function restoreNext(
  work: ParkingWork,
  most: number,
  pace: RestorePace,
): Promise<'more' | 'end' | 'full'> {
  const { store, parking } = work;
  const jobs = await store.jobs.next(parking.id, most, BATCH_BYTES);
  if (jobs.length === 0) return 'end';
  const batch = work.newId();
  const seqs = jobs.map(({ seq }) => seq);
  if ((await store.jobs.markRestoring(parking.id, batch, seqs)) < seqs.length) {
    // Another console has taken over and is at them: none of them is brought back twice.
    await store.jobs.settleRestoring(parking.id, batch, null, work.now());
    return 'more';
  }
  const receipt = await restoreSome({ ...work, parking: parking.id }, batch, jobs);
  if (receipt === null) return 'full';
  pace.moved(jobs.filter((_, i) => receipt[i] === '1'));
  return 'more';
}

/**
 * Lets go of what Redis has kept for long enough; what it lost since, by a crash or a fail-over, is to come back again: what
 * a replay had brought back does so here, as its parking rests.
 * @throws what Redis says.
 */
export async function confirmRestored(
  work: Pick<ParkingWork, 'store' | 'queue' | 'parking' | 'now' | 'newId'>,
  afterMs: number,
): Promise<void> {
  const { store, queue, parking, now, newId } = work;
  const batches = await store.jobs.restoredBefore(parking.id, now() - afterMs);
  if (batches.length === 0) return;
  const receipts = await readReceipts(queue, 'r', batches);
  const isKept = (i: number): boolean => receipts[i] != null && receipts[i] !== 'void';
  const kept = batches.filter((_, i) => isKept(i));
  const takenBy: string[] = [];
  for (const [i, batch] of batches.entries()) {
    if (isKept(i)) takenBy.push(...(await store.jobs.confirm(batch)));
    else if (isOfReplay(batch))
      await store.alone(parking.id, async () => {
        const again = againBatchName(newId());
        const jobs = await store.jobs.markAgain(parking.id, batch, again);
        if (jobs.length > 0) await restoreSome({ store, queue, parking: parking.id, now }, again, jobs);
      });
    else await store.jobs.reopen(parking.id, batch);
  }
  await forgetReceipts(queue, 'r', kept);
  await forgetReceipts(queue, 'p', await store.jobs.withoutRows(takenBy));
}
