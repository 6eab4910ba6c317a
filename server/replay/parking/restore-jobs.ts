import { setTimeout as wait } from 'node:timers/promises';
import type { ParkingWork } from './park-jobs.js';
import { restoreBatch } from './restore-batch.js';
import { forgetReceipts, readReceipts, settleBatch } from './settle-batch.js';

export interface RestoreResult {
  readonly isThrough: boolean;
}

export interface RestorePace {
  /** null: as fast as it goes. */
  readonly ratePerSecond: () => number | null;
  /** Says why it waits at present; null: it goes. */
  readonly hold: (because: string | null) => Promise<void>;
}

/** Jobs and bytes of one batch: about 5 ms of Redis. */
const BATCH_JOBS = 500;
const BATCH_BYTES = 4 * 1024 * 1024;
/** A batch stands for this much time, so that a new rate and a stop take effect within it. */
const BEAT_MS = 100;
const WHEN_FULL_MS = 1_000;
/**
 * A job that was brought back stays on disk until Redis has had time to make it last: appendonly syncs once a second, and a
 * replica that takes over lags by less.
 */
const SURE_AFTER_MS = 3_000;

/**
 * Brings the jobs of a parking back, oldest first, at a rate. While Redis is full it waits and adds nothing. Safe to call
 * again after any interruption.
 * @throws what Redis says, other than that it is full.
 */
export async function restoreJobs(work: ParkingWork, pace: RestorePace): Promise<RestoreResult> {
  const { store, parking, queue } = work;
  let dueMs = work.now();
  let isHeld = false;
  for (;;) {
    if (work.shouldStop()) return { isThrough: false };
    await confirmRestored(work, SURE_AFTER_MS);
    const rate = pace.ratePerSecond();
    const most =
      rate === null ? BATCH_JOBS : Math.min(BATCH_JOBS, Math.max(1, Math.round((rate * BEAT_MS) / 1000)));
    const jobs = await store.jobs.next(parking.id, most, BATCH_BYTES);
    if (jobs.length === 0) return { isThrough: true };
    const batch = work.newId();
    await store.jobs.markRestoring(
      parking.id,
      batch,
      jobs.map(({ seq }) => seq),
    );
    let receipt: string | null;
    let problem: unknown = null;
    try {
      receipt = await restoreBatch(queue, batch, store.installation, jobs);
    } catch (error) {
      problem = error;
      receipt = await settleBatch(queue, 'r', batch);
    }
    await store.jobs.settleRestoring(parking.id, batch, receipt, work.now());
    if (receipt === null) {
      if (!isFull(problem)) throw problem;
      if (!isHeld) await pace.hold('Redis is full: nothing is brought back until there is room');
      isHeld = true;
      await wait(WHEN_FULL_MS);
      continue;
    }
    if (isHeld) await pace.hold(null);
    isHeld = false;
    await forgetReceipts(queue, 'p', await store.jobs.withoutRows(jobs.map((job) => job.batch)));
    if (rate !== null) {
      // Behind by more than a beat: it does not make up for lost time in a burst.
      dueMs = Math.max(dueMs + (jobs.length * 1000) / rate, work.now() - BEAT_MS);
      const aheadMs = dueMs - work.now();
      if (aheadMs > 0) await wait(Math.min(aheadMs, 1_000));
    }
  }
}

/**
 * Lets go of what Redis has kept for long enough; what it lost since, by a crash or a fail-over, is to come back again.
 * @throws what Redis says.
 */
export async function confirmRestored(
  work: Pick<ParkingWork, 'store' | 'queue' | 'parking' | 'now'>,
  afterMs: number,
): Promise<void> {
  const { store, queue, parking } = work;
  const batches = await store.jobs.restoredBefore(parking.id, work.now() - afterMs);
  if (batches.length === 0) return;
  const receipts = await readReceipts(queue, 'r', batches);
  const kept = batches.filter((_, i) => receipts[i] != null);
  for (const [i, batch] of batches.entries()) {
    if (receipts[i] != null) await store.jobs.confirm(batch);
    else await store.jobs.reopen(parking.id, batch);
  }
  await forgetReceipts(queue, 'r', kept);
}

function isFull(error: unknown): boolean {
  return error instanceof Error && /\bOOM\b/.test(error.message);
}
