import type { Cursor, DryRun, JobGroup, ReplayBatch, ReplayRecord } from '../model/replay.js';
import type { RedisClient } from '../redis/connect.js';

/** Which jobs a replay is about. `id` names it where its batches are kept; a dry run has none. */
export type JobSelection = Pick<ReplayRecord, 'id' | 'instance' | 'queues' | 'spec' | 'cutoffMs'>;

/** A walk over the matching jobs in the order asked for. */
export interface JobWalk {
  /** The next jobs, at most `most`, all of one queue; null: there are no more, or it was stopped. */
  next(
    client: RedisClient,
    most: number,
  ): Promise<{ readonly queue: string; readonly jobs: readonly Cursor[] } | null>;
}

/**
 * Where the jobs of one replay come from: sorted sets of finished jobs in Redis (finished-jobs.ts), or the console's disk
 * (parking/parked-source.ts). ReplayRun writes a batch down, has its source move it, and writes down what came of it; what a
 * source needs beyond that to move nothing twice is its own.
 */
export interface JobSource {
  /** Jobs that match; null: it was stopped before its end. */
  count(client: RedisClient, shouldStop: () => boolean): Promise<number | null>;
  /** @param cursors where to go on, by queue. @param shouldStop asked between reads: a long search ends early then. */
  walk(cursors: Readonly<Record<string, Cursor>>, shouldStop: () => boolean): JobWalk;
  /** What it would take, without changing anything; the search ends after some seconds. @param now in ms. */
  dryRun(connected: () => Promise<RedisClient>, now: () => number): Promise<DryRun>;
  /**
   * Moves jobs of a batch back to waiting, from the first on as many as one call may take. Asked again, also by a console that
   * starts after a crash, it puts nothing into Redis twice.
   * @param isLate it makes up for time that was lost: a call may be larger.
   * @returns a character for each job that was tried: see replay-jobs.lua.
   * @throws what Redis says.
   */
  move(
    client: RedisClient,
    batch: Pick<ReplayBatch, 'queue' | 'seq' | 'jobs'>,
    isLate: boolean,
  ): Promise<string>;
  /** What came of its batches up to this one is written down. */
  settled(seq: number): Promise<void>;
  /** The characters of a batch with those that were `m` looked up again: see read-outcomes.lua. */
  outcomes(client: RedisClient, batch: ReplayBatch): Promise<string>;
}

/** Somebody waits for the answer of a dry run: more is not looked into, and the answer says so. */
export const MAX_LOOKED_AT = 100_000;
export const MAX_LOOK_MS = 4_000;
export const MAX_SAMPLES = 20;
const MAX_GROUPS = 20;
const MAX_KEPT_GROUPS = 2_000;

/**
 * Errors that differ only in numbers and ids are one: "monitor 63 timed out" and "monitor 64 timed out". The first line,
 * with `#` for each; at most 200 characters.
 */
export function errorGroup(error: string): string {
  const line = (error.split('\n', 1)[0] ?? '').slice(0, 400);
  return line
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '#')
    .replace(/\b(?=[a-z]*\d)[0-9a-f]{12,}\b/gi, '#')
    .replace(/\d+(?:[.,]\d+)*/g, '#')
    .slice(0, 200);
}

/** Counts jobs of a name; of very many names only the first. */
export function addToGroup(groups: Map<string, number>, name: string, jobs = 1): void {
  const known = groups.get(name);
  if (known === undefined && groups.size >= MAX_KEPT_GROUPS) return;
  groups.set(name, (known ?? 0) + jobs);
}

/** The most frequent first. */
export function largestGroups(groups: ReadonlyMap<string, number>): readonly JobGroup[] {
  return [...groups]
    .map(([name, jobs]) => ({ name, jobs }))
    .sort((a, b) => b.jobs - a.jobs || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_GROUPS);
}
