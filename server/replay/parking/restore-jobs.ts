import { setTimeout as wait } from 'node:timers/promises';
import type { ParkingWork } from './park-jobs.js';
import type { StoredJob } from './parking.js';
import { againBatchName, isOfReplay } from './restore-batch-name.js';
import { FULL, restoreSome } from './restore-some.js';
import { forgetReceipts, readReceipts } from './settle-batch.js';

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
