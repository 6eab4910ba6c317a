import type { Cursor, DryRun, ReplayBatch } from '../../model/replay.js';
import type { ReplayFilter } from '../../model/replay-spec.js';
import { isOnlyTime, matchesFilter } from '../../model/replay-spec.js';
import type { RedisClient } from '../../redis/connect.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import {
  addToGroup,
  type JobSelection,
  type JobSource,
  type JobWalk,
  largestGroups,
  MAX_LOOK_MS,
  MAX_LOOKED_AT,
  MAX_SAMPLES,
} from '../job-source.js';
import { readOutcomes } from '../read-finished.js';
import type { ParkedStore } from './open-parked.js';
import type { PickableParking } from './parked-picks.js';
import type { StoredJob } from './parking.js';
import { BATCH_BYTES, bringBack, settleRestore } from './restore-jobs.js';
import { replayBatchName, replayCallOf } from './run-script.js';

export interface ParkedSourceDeps {
  readonly store: ParkedStore;
  /** null: this Redis can't be written to now. */
  readonly queue: (instance: string, queueId: string) => QueueHandle | null;
  readonly now: () => number;
  readonly newId: () => string;
}

/** Jobs that one read of the file brings. */
const PAGE = 500;
/** A call is several writes to disk beside that of Redis. */
const JOBS_A_CALL = 100;
/** Data longer than this is not looked into, as where Redis is read. */
const MAX_DATA_BYTES = 64 * 1024;

/** What each code of restore-jobs.lua is as one of replay-jobs.lua. */
export function resultCodesOf(receipt: Iterable<string | undefined>): string {
  return [...receipt].map((code) => (code === '1' ? 'M' : code === 'x' ? 'R' : 'N')).join('');
}

/**
 * Jobs on the console's disk, as the source of a replay: parking by parking in the order in which they began, and in the
 * order parked. The time range is of the beginning of their parking; parkings that are under way are left to themselves.
 * The score of a cursor is a job's place on disk.
 *
 * The order of steps that loses nothing and doubles nothing: the replay writes down what it took; `move` puts it into Redis
 * and keeps what came of it; the replay writes that down; `settled` forgets it.
 */
export class ParkedSource implements JobSource {
  readonly #deps: ParkedSourceDeps;
  readonly #selection: JobSelection;

  constructor(deps: ParkedSourceDeps, selection: JobSelection) {
    this.#deps = deps;
    this.#selection = selection;
  }

  async count(_: RedisClient, shouldStop: () => boolean): Promise<number | null> {
    const { matched } = await this.#look(shouldStop);
    return shouldStop() ? null : matched;
  }

  walk(from: Readonly<Record<string, Cursor>>, shouldStop: () => boolean): JobWalk {
    const cursors = { ...from };
    return {
      next: async (_, most) => {
        const found = await this.#take(cursors, most, shouldStop);
        const last = found?.jobs.at(-1);
        if (found && last) cursors[found.queue] = last;
        return found;
      },
    };
  }

  dryRun(_: unknown, now: () => number): Promise<DryRun> {
    const endMs = now() + MAX_LOOK_MS;
    return this.#look((lookedAt) => lookedAt >= MAX_LOOKED_AT || now() > endMs);
  }

  /** The same jobs when it is asked again. */
  async move(
    _: RedisClient,
    { queue: queueId, seq: batch, jobs }: Pick<ReplayBatch, 'queue' | 'seq' | 'jobs'>,
  ): Promise<string> {
    const { store, now, newId } = this.#deps;
    const { id, instance, spec } = this.#selection;
    const queue = this.#deps.queue(instance, queueId);
    if (!queue) throw new Error('Redis does not answer (Connection is closed)');
    const seqs = jobs.slice(0, JOBS_A_CALL).map(([, score]) => seqOf(score));
    const call = `${id}:${batch}:${seqs[0]}`;
    for (const { parking, batch: open } of await store.jobs.openRestoring())
      if (replayCallOf(open) === call)
        await store.alone(parking, () => settleRestore({ store, queue, parking, now }, open));
    const first = await store.picks.rows(seqs, spec.order);
    if (first && !(await store.picks.receipt(call)))
      await store.alone(first.parking, async () => {
        // Under the lock: its parking may have brought some back since.
        const found = await store.picks.rows(seqs, spec.order);
        if (!found) return;
        const some = { store, queue, parking: found.parking, now };
        await bringBack(some, replayBatchName(call, spec.order, newId()), found.jobs);
      });
    const characters = (await store.picks.receipt(call)) ?? {};
    return resultCodesOf(seqs.map((seq) => characters[seq]));
  }

  settled(seq: number): Promise<void> {
    return this.#deps.store.picks.forgetReceipts(this.#selection.id, seq);
  }

  /**
   * A job that is not in Redis has not ended while its row is still there: Redis may have lost it, and then it comes once
   * more. Parked jobs carry no mark.
   */
  async outcomes(client: RedisClient, batch: ReplayBatch): Promise<string> {
    const characters = [...(await readOutcomes(client, batch, ''))];
    const seqAt = (i: number): number => seqOf(batch.jobs[i]?.[1] ?? '');
    const ended = characters.flatMap((code, i) => (code === 'g' && batch.characters[i] !== 'g' ? [i] : []));
    if (ended.length === 0) return characters.join('');
    const unsure = await this.#deps.store.picks.unsure(ended.map(seqAt));
    for (const i of ended) if (unsure.has(seqAt(i))) characters[i] = 'm';
    return characters.join('');
  }

  async #take(cursors: Readonly<Record<string, Cursor>>, limit: number, shouldStop: () => boolean) {
    const { queues, spec } = this.#selection;
    const size = isOnlyTypes(spec.filter) ? Math.min(PAGE, limit) : PAGE;
    for (const queue of queues)
      for await (const { parking, jobs } of this.#pages(queue, spec.order, size, cursors[queue]?.score)) {
        if (shouldStop()) return null;
        const found = jobs.filter((job) => matches(spec.filter, job)).slice(0, limit);
        if (found.length > 0) return { queue, jobs: found.map((job) => cursorOf(job, parking)) };
      }
    return null;
  }

  async #look(shouldStop: (lookedAt: number) => boolean): Promise<DryRun> {
    const { queues, spec } = this.#selection;
    const isByTypes = isOnlyTypes(spec.filter);
    const types = new Map<string, number>();
    const sample: DryRun['sample'][number][] = [];
    let [matched, inRange, lookedAt, addedBytes, isComplete] = [0, 0, 0, 0, true];
    const add = (type: string, jobs: number, bytes: number): void => {
      matched += jobs;
      addedBytes += bytes;
      addToGroup(types, type, jobs);
    };
    for (const queue of queues) {
      for (const parking of await this.#parkings(queue)) {
        const counted = await this.#deps.store.picks.types(rangeOf(spec.filter, parking));
        for (const { jobs } of counted) inRange += jobs;
        // Types and time are known by the file's own count; else each has to be looked into.
        if (isByTypes) for (const { type, jobs, bytes } of counted) add(type, jobs, bytes);
      }
      for await (const { parking, jobs } of this.#pages(queue, 'oldest', PAGE)) {
        if (isByTypes && sample.length >= MAX_SAMPLES) break;
        if (shouldStop(lookedAt)) {
          isComplete = isByTypes;
          break;
        }
        lookedAt += jobs.length;
        for (const job of jobs) {
          if (!matches(spec.filter, job)) continue;
          if (!isByTypes) add(job.name, 1, job.bytes);
          if (sample.length < MAX_SAMPLES)
            sample.push({ queue, id: textOf(job), name: job.name, finishedAtMs: parking.startedAtMs });
        }
      }
    }
    const looked = isByTypes ? inRange : lookedAt;
    return {
      ...{ matched, lookedAt: looked, inRange, isComplete, addedBytes, sample },
      ...{ byType: largestGroups(types), byError: [] },
    };
  }

  /** @param after the score of the last one that was taken; none: from the start. */
  async *#pages(
    queue: string,
    order: 'oldest' | 'newest',
    size: number,
    after?: string,
  ): AsyncGenerator<{ readonly parking: PickableParking; readonly jobs: readonly StoredJob[] }> {
    const all = await this.#parkings(queue);
    const place = after === undefined ? null : { row: rowOf(after), seq: seqOf(after) };
    for (const parking of order === 'oldest' ? all : [...all].reverse()) {
      const isPast =
        place !== null && (order === 'oldest' ? parking.row < place.row : parking.row > place.row);
      if (isPast) continue;
      let from = parking.row === place?.row ? place.seq : null;
      while (true) {
        const range = rangeOf(this.#selection.spec.filter, parking);
        const jobs: readonly StoredJob[] = await this.#deps.store.picks.page(
          range,
          order,
          from,
          size,
          BATCH_BYTES,
        );
        const last = jobs.at(-1);
        if (!last) break;
        from = last.seq;
        yield { parking, jobs };
      }
    }
  }

  #parkings(queue: string): Promise<readonly PickableParking[]> {
    const { instance, cutoffMs, spec } = this.#selection;
    const { fromMs = 0, toMs = cutoffMs } = spec.filter;
    return this.#deps.store.picks.parkings(instance, queue, fromMs, Math.min(toMs, cutoffMs));
  }
}

function rangeOf({ jobTypes }: ReplayFilter, { id }: PickableParking) {
  return { parking: id, jobTypes: jobTypes ?? [] };
}

/** Do the file's columns say who matches? */
function isOnlyTypes(filter: ReplayFilter): boolean {
  return isOnlyTime({ ...filter, jobTypes: undefined });
}

function matches(filter: ReplayFilter, job: StoredJob): boolean {
  if (isOnlyTypes(filter)) return true;
  const field = (name: string): string | undefined => {
    for (let i = 0; i + 1 < job.fields.length; i += 2)
      if (job.fields[i]?.toString('utf8') === name) return job.fields[i + 1]?.toString('utf8');
    return undefined;
  };
  const data = field('data');
  return matchesFilter(filter, {
    name: job.name,
    error: '',
    // BullMQ 5 counts in `atm`, older ones in `attemptsMade`.
    attempts: Number(field('atm') ?? field('attemptsMade')) || 0,
    dataText: data === undefined || data.length > MAX_DATA_BYTES ? null : data,
  });
}

function cursorOf(job: StoredJob, { row }: PickableParking): Cursor {
  return { id: textOf(job), score: `${row}/${job.seq}` };
}

function textOf({ jobId }: StoredJob): string {
  return jobId.toString('utf8');
}

function rowOf(score: string): number {
  return Number(score.slice(0, score.indexOf('/')));
}

/** A job's place on disk. */
export function seqOf(score: string): number {
  return Number(score.slice(score.indexOf('/') + 1));
}
