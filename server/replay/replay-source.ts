import type { RedisClient } from '../redis/connect.js';
import { runForced } from '../redis/forced-script.js';
import type { ParkedSelection } from './parked-source.js';
import type { WindowEntry } from './read-window.js';
import type { SkipReason } from './replay-account.js';
import { TURNS_PER_SECOND } from './replay-pace.js';
import type { ReplayBatch, ReplayRecord } from './replay-record.js';
import type { RunDeps } from './run-deps.js';
import { QueueSweep } from './sweep-queues.js';

interface MoveOrder {
  readonly queue: string;
  readonly from: 'failed' | 'completed';
  readonly replay: string;
  readonly seq: number;
  readonly resetAttempts: boolean;
  readonly jobs: readonly (readonly [id: string, score: string])[];
}

interface Moved {
  /** One for each job, see replay-jobs.lua. */
  readonly characters: string;
  /** By Redis' own clock; 0: not known. */
  readonly heldUsec: number;
}

/** Moves jobs back to waiting. Redis serves nobody else meanwhile: `model/replay-call-size.ts` says how many at once. */
async function moveJobs(
  client: RedisClient,
  canFlagScripts: boolean,
  { queue, from, replay, seq, resetAttempts, jobs }: MoveOrder,
): Promise<Moved> {
  const keys = [from, 'meta', 'active', 'wait', 'paused', 'prioritized', 'pc', 'marker', 'events'];
  const answer = await runForced(
    client,
    canFlagScripts,
    'replay-jobs',
    keys.map((key) => `${queue}:${key}`),
    [`${queue}:`, from, replay, resetAttempts ? 1 : 0, seq, ...jobs.flat()],
  );
  const [characters = '', heldUsec = 0] = Array.isArray(answer) ? answer : [];
  return { characters: String(characters), heldUsec: Number(heldUsec) };
}

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
  return parkedSweep(record, deps, shouldStop);
}

function parkedSweep(record: ReplayRecord, deps: RunDeps, shouldStop: () => boolean): ReplaySource {
  const cursors = { ...record.cursors };
  const { order } = record.spec;
  return {
    async next(_, most) {
      const found = await deps.parked?.take(selectionOf(record), order, cursors, most, shouldStop);
      const last = found?.jobs.at(-1);
      if (!found || !last) return null;
      cursors[found.queue] = { id: last.id, score: last.score };
      return found;
    },
  };
}

/** What a replay `from: parked` is about. */
export function selectionOf(
  record: Pick<ReplayRecord, 'instance' | 'queues' | 'spec' | 'cutoffMs'>,
): ParkedSelection {
  const { instance, queues, spec, cutoffMs } = record;
  return { instance, queues, filter: spec.filter, cutoffMs };
}

const LETTERS: Readonly<Record<'moved' | SkipReason, string>> = {
  moved: 'M',
  'no-longer-there': 'N',
  'flow-parent': 'P',
  'other-slot': 'S',
  'job-missing': 'H',
  'id-in-redis': 'R',
};

/** A call for parked jobs is several writes to disk beside that of Redis. */
export const PARKED_A_CALL = 100;

const BEHIND_TIMES = 1.5;

/** Is a batch so much larger than what falls due in a turn that it makes up for time that was lost? */
export function isBehind({ ratePerSecond }: ReplayRecord, batchJobs: number): boolean {
  return batchJobs > (BEHIND_TIMES * ratePerSecond) / TURNS_PER_SECOND;
}

/** Moves some jobs of a batch. */
export async function moveOf(
  record: ReplayRecord,
  deps: RunDeps,
  client: RedisClient,
  { queue, seq, jobs }: ReplayBatch,
): Promise<Moved> {
  const { spec, instance, id } = record;
  if (spec.from !== 'parked') {
    const canFlagScripts = deps.snapshot(instance)?.capabilities?.canFlagScripts ?? false;
    const { from, resetAttempts } = spec;
    return moveJobs(client, canFlagScripts, { queue, from, replay: id, seq, resetAttempts, jobs });
  }
  const call = { instance, queue, replay: id, batch: seq, order: spec.order, jobs };
  const results = (await deps.parked?.restore(call)) ?? jobs.map(() => 'no-longer-there' as const);
  return { characters: results.map((result) => LETTERS[result]).join(''), heldUsec: 0 };
}
