import type { RedisClient } from '../redis/connect.js';
import { runForced } from '../redis/forced-script.js';

/** Jobs that one call of the script moves: it holds Redis for one to two milliseconds. */
export const JOBS_A_CALL = 100;

export interface MoveOrder {
  readonly queue: string;
  readonly from: 'failed' | 'completed';
  readonly replay: string;
  readonly seq: number;
  readonly resetAttempts: boolean;
  readonly jobs: readonly (readonly [id: string, score: string])[];
}

/** Moves at most JOBS_A_CALL jobs back to waiting. @returns a letter for each, see replay-jobs.lua. */
export async function moveJobs(
  client: RedisClient,
  canFlagScripts: boolean,
  { queue, from, replay, seq, resetAttempts, jobs }: MoveOrder,
): Promise<string> {
  const keys = [from, 'meta', 'active', 'wait', 'paused', 'prioritized', 'pc', 'marker', 'events'];
  return String(
    await runForced(
      client,
      canFlagScripts,
      'replay-jobs',
      keys.map((key) => `${queue}:${key}`),
      [`${queue}:`, from, replay, resetAttempts ? 1 : 0, seq, ...jobs.flat()],
    ),
  );
}
