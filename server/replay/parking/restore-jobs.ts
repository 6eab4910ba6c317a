import type { QueueHandle } from '../../redis/queue-control.js';
import { LeaseLost } from '../../store/database.js';
import type { ParkedStore } from './open-parked.js';
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

/**
 * Brings jobs on disk back under a batch of this name, and settles what came of it. To be called alone for a parking.
 * @param jobs in the order in which they are to wait.
 * @returns the receipt: see restoreBatch.
 * @throws what Redis says; then it was not carried out and the rows are as before, or it is still open, for settleOpen.
 *   LeaseLost where another console is at them.
 */
export async function bringBack(
  some: RestoreSome,
  batch: string,
  jobs: readonly StoredJob[],
): Promise<string> {
  const { store, parking, now } = some;
  const seqs = jobs.map(({ seq }) => seq);
  if ((await store.jobs.markRestoring(parking, batch, seqs)) === seqs.length)
    return restoreSome(some, batch, jobs);
  // None of them is brought back twice.
  await store.jobs.settleRestoring(parking, batch, null, now());
  throw new LeaseLost();
}

/** The same for rows that are marked with this batch. */
async function restoreSome(
  { store, queue, parking, now }: RestoreSome,
  batch: string,
  jobs: readonly StoredJob[],
): Promise<string> {
  let receipt: string | null = null;
  let problem: unknown = null;
  try {
    receipt = await restoreBatch(queue, batch, store.installation, jobs);
  } catch (error) {
    // Refused as it is full is an answer: it needs no settling, which would leave something in a Redis that is full.
    if (isFull(error))
      problem = new Error('Redis is full (OOM): nothing is brought back until there is room');
    else {
      problem = error;
      receipt = await settleBatch(queue, 'r', batch);
    }
  }
  await store.jobs.settleRestoring(parking, batch, receipt, now());
  if (receipt === null) throw problem;
  queue.onTaken?.(-[...receipt].filter((code) => code === '1').length);
  await forgetReceipts(queue, 'p', await store.jobs.withoutRows(jobs.map((job) => job.batch)));
  return receipt;
}

/**
 * Brings every batch of a parking that was interrupted to an end, by what Redis says became of it: afterwards each of its
 * jobs is either on disk, to come back, or in Redis.
 * To be called alone for a parking. @throws what Redis says; then the rest is still open.
 */
export async function settleOpen(some: RestoreSome): Promise<void> {
  const { store, queue, parking } = some;
  for (const open of await store.jobs.openWritten())
    if (open.parking === parking)
      await store.jobs.settleWritten(parking, open.batch, await settleBatch(queue, 'p', open.batch));
  for (const open of await store.jobs.openRestoring())
    if (open.parking === parking) await settleRestore(some, open.batch);
}

/** The same for one batch that brings back. */
export async function settleRestore(
  { store, queue, parking, now }: RestoreSome,
  batch: string,
): Promise<void> {
  await store.jobs.settleRestoring(parking, batch, await settleBatch(queue, 'r', batch), now());
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
 * @returns the receipt: a code a job, '1' back, 'x' its id is there already, 'b' Redis had fallen back.
 * @throws what Redis says: OOM when it is full, and then nothing was changed; after a time-out settleBatch tells.
 */
async function restoreBatch(
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

/** Bytes of one batch: about 5 ms of Redis. */
export const BATCH_BYTES = 1024 * 1024;
/**
 * A job that was brought back stays on disk until Redis has had time to make it last: appendonly syncs once a second, and a
 * replica that takes over lags by less.
 */
const SURE_AFTER_MS = 3_000;

/**
 * Lets go of what Redis has kept for long enough; what it lost since, by a crash or a fail-over, is to come back again: what
 * a replay had brought back does so here, as its parking rests.
 * @throws what Redis says.
 */
export async function confirmRestored(some: RestoreSome & { readonly newId: () => string }): Promise<void> {
  const { store, queue, parking, now, newId } = some;
  const batches = await store.jobs.restoredBefore(parking, now() - SURE_AFTER_MS);
  if (batches.length === 0) return;
  const receipts = await readReceipts(queue, 'r', batches);
  const isKept = (i: number): boolean => receipts[i] != null && receipts[i] !== 'void';
  const kept = batches.filter((_, i) => isKept(i));
  const takenBy: string[] = [];
  for (const [i, batch] of batches.entries()) {
    if (isKept(i)) takenBy.push(...(await store.jobs.confirm(batch)));
    else if (isOfReplay(batch))
      await store.alone(parking, async () => {
        const again = againBatchName(newId());
        const jobs = await store.jobs.markAgain(parking, batch, again);
        if (jobs.length > 0) await restoreSome(some, again, jobs);
      });
    else await store.jobs.reopen(parking, batch);
  }
  await forgetReceipts(queue, 'r', kept);
  await forgetReceipts(queue, 'p', await store.jobs.withoutRows(takenBy));
}
