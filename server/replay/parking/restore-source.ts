import type { Parking } from '../../model/parking.js';
import type { ReplayBatch } from '../../model/replay.js';
import { NO_COUNTS } from '../../model/replay.js';
import type { Snapshot } from '../../model/snapshot.js';
import type { RedisClient } from '../../redis/connect.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import type { JobSelection, JobWalk } from '../job-source.js';
import type { MovedJobs } from '../load-sample.js';
import { newRecord } from '../replay-request.js';
import { ReplayRun } from '../replay-run.js';
import type { ReplayStore } from '../replay-store.js';
import { ParkedSource, type ParkedSourceDeps, resultCodesOf, seqOf } from './parked-source.js';
import { GUARDED_PER_SECOND, MAX_RESTORE_RATE, type StoredJob } from './parking.js';
import { BATCH_BYTES, bringBack, settleOpen } from './restore-jobs.js';

export interface RestoreDeps extends ParkedSourceDeps {
  readonly snapshot: (instance: string) => Snapshot | null;
  readonly moved: MovedJobs;
}

/** Jobs of one batch, of at most BATCH_BYTES: about 5 ms of Redis. */
const BATCH_JOBS = 500;
/** Jobs that are back and whose end is not known yet, of which it is asked; of more, the latest. */
const MAX_FOLLOWED = 500;

/**
 * The restore of a parking, run as a replay is: at its rate and under the guard. It is not kept: what the file says of each
 * job is enough to go on by, with a canary again, after a pause or a restart.
 * @throws Error where it is to be guarded and nobody sees how things are before it begins.
 */
export function restoreRun(
  parking: Parking,
  deps: RestoreDeps & { readonly isLeader: () => boolean },
): ReplayRun {
  const { id, instance, queue, guard, reason, remaining, actor } = parking;
  const { now, snapshot } = deps;
  const seen = snapshot(instance);
  const isSeen = seen?.link.status === 'live';
  if (guard && !isSeen) throw new Error('Waiting: the console does not see this Redis now');
  const ratePerSecond = restoreRate(parking);
  const spec = {
    from: 'parked' as const,
    filter: {},
    order: 'oldest' as const,
    ratePerSecond,
    batchSize: BATCH_JOBS,
    mostInFlight: null,
    guard,
    resetAttempts: false,
    reason,
  };
  const begun = newRecord(id, actor, { spec, instance }, [queue], isSeen ? seen : null, now());
  const record = { ...begun, counts: { ...NO_COUNTS, counted: remaining } };
  return new ReplayRun(record, {
    ...deps,
    store: followedBatches(),
    source: new RestoreSource(deps, record),
    client: () => deps.queue(instance, queue)?.client ?? null,
    recordEvent: () => undefined,
  });
}

/** Jobs a second at most. Where nobody has set a rate the guard begins with what most queues bear. */
export function restoreRate({ ratePerSecond, guard }: Pick<Parking, 'ratePerSecond' | 'guard'>): number {
  return ratePerSecond ?? (guard ? GUARDED_PER_SECOND : MAX_RESTORE_RATE);
}

/** All that a parking holds, oldest first. What Redis lost of what was back already is among it again. */
class RestoreSource extends ParkedSource {
  readonly #deps: RestoreDeps;
  readonly #of: JobSelection;
  /** Read by the walk and to be moved next; none: a try may have been cut off, and the file says what is there. */
  #read: readonly StoredJob[] = [];

  constructor(deps: RestoreDeps, selection: JobSelection) {
    super(deps, selection);
    this.#deps = deps;
    this.#of = selection;
  }

  override walk(): JobWalk {
    const { id, queues } = this.#of;
    return {
      next: async (_, most) => {
        const jobs = await this.#deps.store.jobs.next(id, most, BATCH_BYTES);
        this.#read = jobs;
        const found = jobs.map(({ jobId, seq }) => ({ id: jobId.toString('utf8'), score: `/${seq}` }));
        return jobs.length === 0 ? null : { queue: queues[0] ?? '', jobs: found };
      },
    };
  }

  override async move(_: RedisClient, batch: Pick<ReplayBatch, 'queue' | 'jobs'>): Promise<string> {
    const { store, now, newId } = this.#deps;
    const { id, instance } = this.#of;
    const queue: QueueHandle | null = this.#deps.queue(instance, batch.queue);
    if (!queue) throw new Error('Redis does not answer (Connection is closed)');
    const seqs = batch.jobs.map(([, score]) => seqOf(score));
    const read = this.#read;
    this.#read = [];
    return store.alone(id, async () => {
      const some = { store, queue, parking: id, now };
      if (read.length > 0) return resultCodesOf(await bringBack(some, newId(), read));
      await settleOpen(some);
      const there = (await store.picks.rows(seqs, 'oldest'))?.jobs ?? [];
      const receipt = there.length === 0 ? '' : await bringBack(some, newId(), there);
      const codes = new Map(there.map(({ seq }, i) => [seq, receipt[i] ?? '']));
      // What an earlier try brought back is moved all the same: who counts by it has not heard of it.
      const before = await store.picks.unsure(seqs);
      return resultCodesOf(seqs.map((seq) => codes.get(seq) ?? (before.has(seq) ? '1' : 'b')));
    });
  }

  override async settled(): Promise<void> {}
}

/** Batches that the guard follows; the file knows each of their jobs, so that none is kept for long. */
function followedBatches(): Pick<ReplayStore, 'saveBatches' | 'batchesIn'> {
  let batches: ReplayBatch[] = [];
  return {
    async saveBatches(_, changed) {
      const rest = batches.filter(({ seq }) => !changed.some((one) => one.seq === seq));
      batches = [...rest, ...changed.filter(({ phase }) => phase !== 'settled')].sort(
        (a, b) => a.seq - b.seq,
      );
      while (batches.length > 1 && batches.reduce((sum, { jobs }) => sum + jobs.length, 0) > MAX_FOLLOWED)
        batches.shift();
    },
    async batchesIn(_, phase, afterSeq, limit) {
      return batches.filter((one) => one.phase === phase && one.seq > afterSeq).slice(0, limit);
    },
  };
}
