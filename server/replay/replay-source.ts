import type { SkipReason } from '../model/replay-account.js';
import type { RedisClient } from '../redis/connect.js';
import { moveJobs } from './move-jobs.js';
import type { WindowEntry } from './read-window.js';
import type { ReplayBatch, ReplayRecord } from './replay-record.js';
import type { RunDeps } from './run-deps.js';
import { QueueSweep } from './sweep-queues.js';

/** Where the jobs of a replay come from, in order. */
export interface ReplaySource {
  /** The next jobs, all of one queue; null: there are no more, or it was stopped. */
  next(
    client: RedisClient,
    most: number,
  ): Promise<{ readonly queue: string; readonly jobs: readonly WindowEntry[] } | null>;
}

/** The source of a replay, from where its record stands. */
export function sourceOf(record: ReplayRecord, deps: RunDeps, shouldStop: () => boolean): ReplaySource {
  const { spec, cursors } = record;
  if (spec.from !== 'parked') return new QueueSweep(record, cursors, shouldStop);
  return {
    async next(_, most) {
      const { instance, queues, cutoffMs } = record;
      const selection = { instance, queues, filter: spec.filter, cutoffMs };
      const found = (await deps.parked?.take(selection, spec.order, most)) ?? [];
      const queue = found[0]?.queue;
      if (queue === undefined) return null;
      // A batch is of one queue; the others' turn comes with the next.
      const jobs = found.filter((job) => job.queue === queue);
      return { queue, jobs: jobs.map(({ id, parkedAtMs }) => ({ id, score: String(parkedAtMs) })) };
    },
  };
}

const LETTERS: Readonly<Record<'moved' | SkipReason, string>> = {
  moved: 'M',
  'no-longer-there': 'N',
  'flow-parent': 'P',
  'other-slot': 'S',
  'job-missing': 'H',
  'id-in-redis': 'R',
};

/** Moves some jobs of a batch. @returns a letter for each, see replay-jobs.lua. */
export async function moveOf(
  record: ReplayRecord,
  deps: RunDeps,
  client: RedisClient,
  { queue, seq, jobs }: ReplayBatch,
): Promise<string> {
  const { spec, instance, id } = record;
  if (spec.from !== 'parked') {
    const canFlagScripts = deps.snapshot(instance)?.capabilities?.canFlagScripts ?? false;
    const { from, resetAttempts } = spec;
    return moveJobs(client, canFlagScripts, { queue, from, replay: id, seq, resetAttempts, jobs });
  }
  const ids = jobs.map(([jobId]) => jobId);
  const results =
    (await deps.parked?.restore(instance, queue, ids)) ?? ids.map(() => 'no-longer-there' as const);
  await deps.parked?.done(instance, queue, ids);
  return results.map((result) => LETTERS[result]).join('');
}
