import type { RedisClient } from '../redis/connect.js';
import { runForced } from '../redis/forced-script.js';

export interface MoveOrder {
  readonly queue: string;
  readonly from: 'failed' | 'completed';
  readonly replay: string;
  readonly seq: number;
  readonly resetAttempts: boolean;
  readonly jobs: readonly (readonly [id: string, score: string])[];
}

export interface Moved {
  /** One for each job, see replay-jobs.lua. */
  readonly characters: string;
  /** By Redis' own clock; 0: not known. */
  readonly heldUsec: number;
}

/** Moves jobs back to waiting. Redis serves nobody else meanwhile: `model/replay-call-size.ts` says how many at once. */
export async function moveJobs(
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
