import { startRedis } from '../drills/own-redis.js';
import { actionRows } from './action-cost.js';
import { besideThePeer } from './beside-bull-board.js';
import { manyQueueRows } from './many-queues.js';
import type { Row, Say } from './row.js';
import { copyQueues } from './world.js';

const JOBS = 50;

/** The console beside bull-board, what 1,000 and 10,000 queues cost, and its actions. */
export async function consoleRows(isQuick: boolean, say: Say): Promise<readonly Row[]> {
  const [queues, many] = isQuick ? [100, 500] : [1_000, 10_000];
  const redis = await startRedis();
  try {
    say(`seeding ${queues} queues of ${JOBS} jobs`);
    await copyQueues(redis, 0, queues, JOBS);
    return [
      ...(await besideThePeer(redis, queues, isQuick, say)),
      ...(await manyQueueRows(redis, queues, many, isQuick, say)),
      ...(await actionRows(isQuick, say)),
    ];
  } finally {
    await redis.stop();
  }
}
