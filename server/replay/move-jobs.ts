import type { RedisClient } from '../redis/connect.js';
import { runForced } from '../redis/forced-script.js';

/**
 * Jobs that one call of the script moves: it holds Redis for about 0.3 ms. Fewer would only be more round trips; a call
 * of some ms is likely to lose its core in its midst where the machine is busy, and then holds Redis for as long as that
 * takes: measured, `npm run bench -- --replay`.
 */
export const JOBS_A_CALL = 25;
/** Holds Redis for about 1.2 ms: where a busy machine would else keep a replay below its rate. */
export const JOBS_A_CALL_BEHIND = 100;

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
