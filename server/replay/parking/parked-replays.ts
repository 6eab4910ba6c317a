import type { QueueHandle } from '../../redis/queue-control.js';
import { LeaseLost } from '../../store/tables.js';
import type { ParkedCall, ParkedFound, ParkedJob, ParkedSelection, ParkedSource } from '../parked-source.js';
import { isOnlyTime, matchesFilter, type ReplayFilter } from '../replay-filter.js';
import type { ParkedStore } from './open-parked.js';
import type { PickableParking } from './parked-picks.js';
import type { StoredJob } from './parking.js';
import { BATCH_BYTES, FULL, restoreSome } from './restore-jobs.js';
import { replayBatchName, replayCallOf, settleBatch } from './settle-batch.js';

export interface ParkedSourceDeps {
  readonly store: ParkedStore;
  /** null: this Redis can't be written to now. */
  readonly queue: (instance: string, queueId: string) => QueueHandle | null;
  readonly now: () => number;
  readonly newId: () => string;
}

/** Jobs that one read of the file brings. */
const PAGE = 500;
const MAX_SAMPLES = 20;
/** Data longer than this is not looked into, as where Redis is read. */
const MAX_DATA_BYTES = 64 * 1024;

/** What is parked, as replays take it: parking by parking in the order in which they began, and in the order parked. */
export function parkedSource(deps: ParkedSourceDeps): ParkedSource {
  const { picks } = deps.store;
  return {
    look: (selection, shouldStop) => look(deps, selection, shouldStop),
    async take(selection, order, cursors, limit, shouldStop) {
      const size = isOnlyTypes(selection.filter) ? Math.min(PAGE, limit) : PAGE;
      for (const queue of selection.queues) {
        const after = cursors[queue]?.score;
        for await (const { parking, jobs } of pagesOf(deps, selection, { queue, order, after, size })) {
          if (shouldStop()) return null;
          const found = jobs.filter((job) => matches(selection.filter, job)).slice(0, limit);
          if (found.length > 0) return { queue, jobs: found.map((job) => shown(job, parking)) };
        }
      }
      return null;
    },
    restore: (call) => restore(deps, call),
    done: (replay, batch) => picks.forgetReceipts(replay, batch),
    async unsure(scores) {
      const rows = await picks.unsure(scores.map(seqOf));
      return new Set(scores.filter((score) => rows.has(seqOf(score))));
    },
  };
}

async function look(
  deps: ParkedSourceDeps,
  selection: ParkedSelection,
  shouldStop: (lookedAt: number) => boolean,
): Promise<ParkedFound> {
  const { filter } = selection;
  const types = new Map<string, number>();
  const sample: ParkedFound['sample'][number][] = [];
  const add = (type: string, jobs: number): void => void types.set(type, (types.get(type) ?? 0) + jobs);
  let [inRange, lookedAt, isComplete] = [0, 0, true];
  for (const queue of selection.queues) {
    for (const parking of await parkingsOf(deps, selection, queue)) {
      const counted = await deps.store.picks.types(rangeOf(filter, parking));
      for (const { jobs } of counted) inRange += jobs;
      // Types and time are told by the file's own count; else each has to be looked into.
      if (isOnlyTypes(filter)) for (const { type, jobs } of counted) add(type, jobs);
    }
    for await (const { parking, jobs } of pagesOf(deps, selection, { queue, order: 'oldest', size: PAGE })) {
      if (isOnlyTypes(filter) && sample.length >= MAX_SAMPLES) break;
      if (shouldStop(lookedAt)) {
        isComplete = isOnlyTypes(filter);
        break;
      }
      lookedAt += jobs.length;
      for (const job of jobs) {
        if (!matches(filter, job)) continue;
        if (!isOnlyTypes(filter)) add(job.name, 1);
        if (sample.length < MAX_SAMPLES) sample.push({ queue, ...shown(job, parking) });
      }
    }
  }
  const matched = [...types.values()].reduce((sum, jobs) => sum + jobs, 0);
  return {
    matched,
    lookedAt: isOnlyTypes(filter) ? inRange : lookedAt,
    inRange,
    isComplete,
    types,
    sample,
  };
}

async function restore(
  deps: ParkedSourceDeps,
  { instance, queue: queueId, replay, batch, order, jobs }: ParkedCall,
): ReturnType<ParkedSource['restore']> {
  const { store, now, newId } = deps;
  const queue = deps.queue(instance, queueId);
  if (!queue) throw new Error('Redis does not answer (Connection is closed)');
  const seqs = jobs.map(([, score]) => seqOf(score));
  const call = `${replay}:${batch}:${seqs[0]}`;
  for (const open of await store.jobs.openRestoring())
    if (replayCallOf(open.batch) === call)
      await store.alone(open.parking, async () =>
        store.jobs.settleRestoring(
          open.parking,
          open.batch,
          await settleBatch(queue, 'r', open.batch),
          now(),
        ),
      );
  const first = await store.picks.rows(seqs, order);
  if (first && !(await store.picks.receipt(call)))
    await store.alone(first.parking, async () => {
      // Under the lock: its parking may have brought some back since.
      const found = await store.picks.rows(seqs, order);
      if (!found) return;
      const name = replayBatchName(call, order, newId());
      const there = found.jobs.map(({ seq }) => seq);
      if ((await store.jobs.markRestoring(found.parking, name, there)) < there.length) {
        await store.jobs.settleRestoring(found.parking, name, null, now());
        throw new LeaseLost();
      }
      const receipt = await restoreSome({ store, queue, parking: found.parking, now }, name, found.jobs);
      if (receipt === null) throw new Error(FULL);
    });
  const characters = (await store.picks.receipt(call)) ?? {};
  return seqs.map((seq) => {
    const letter = characters[seq];
    return letter === '1' ? 'moved' : letter === 'x' ? 'id-in-redis' : 'no-longer-there';
  });
}

type Page = { readonly parking: PickableParking; readonly jobs: readonly StoredJob[] };

interface Sweep {
  readonly queue: string;
  readonly order: 'oldest' | 'newest';
  /** The score of the last one that was taken; none: from the start. */
  readonly after?: string | undefined;
  /** Jobs of a page. */
  readonly size: number;
}

async function* pagesOf(
  deps: ParkedSourceDeps,
  selection: ParkedSelection,
  { queue, order, after, size }: Sweep,
): AsyncGenerator<Page> {
  const all = await parkingsOf(deps, selection, queue);
  const place = after === undefined ? null : { row: rowOf(after), seq: seqOf(after) };
  for (const parking of order === 'oldest' ? all : [...all].reverse()) {
    const isPast = place !== null && (order === 'oldest' ? parking.row < place.row : parking.row > place.row);
    if (isPast) continue;
    let from = parking.row === place?.row ? place.seq : null;
    while (true) {
      const range = rangeOf(selection.filter, parking);
      const jobs: readonly StoredJob[] = await deps.store.picks.page(range, order, from, size, BATCH_BYTES);
      const last = jobs.at(-1);
      if (!last) break;
      from = last.seq;
      yield { parking, jobs };
    }
  }
}

function parkingsOf({ store }: ParkedSourceDeps, selection: ParkedSelection, queue: string) {
  const { instance, filter, cutoffMs } = selection;
  const toMs = Math.min(filter.toMs ?? cutoffMs, cutoffMs);
  return store.picks.parkings(instance, queue, filter.fromMs ?? 0, toMs);
}

function rangeOf({ jobTypes }: ReplayFilter, { id }: PickableParking) {
  return { parking: id, jobTypes: jobTypes ?? [] };
}

/** Is it told by the file's columns who matches? */
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

function shown({ seq, jobId, name }: StoredJob, { row, startedAtMs }: PickableParking): ParkedJob {
  return { id: jobId.toString('utf8'), score: `${row}/${seq}`, name, parkedAtMs: startedAtMs };
}

function rowOf(score: string): number {
  return Number(score.slice(0, score.indexOf('/')));
}

function seqOf(score: string): number {
  return Number(score.slice(score.indexOf('/') + 1));
}
