import { Queue } from 'bullmq';
import { test } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';

const MAX_BYTES = 600 * 1024 * 1024;

/** A Redis for one test alone, and what is to be ended before it, the last first. */
export interface RedisWorld {
  readonly redis: OwnRedis;
  /** Is closed at the end. */
  aQueue(name: string, prefix?: string): Queue;
  endLater(end: () => Promise<unknown>): void;
}

/** `it` with such a world, so that the tests of a file can wait side by side. */
export const it = test.extend<{ readonly world: RedisWorld }>({
  world: async ({ task: _task }, use) => {
    const redis = await startRedis({ maxmemoryBytes: MAX_BYTES });
    const ends: (() => Promise<unknown>)[] = [];
    await use({
      redis,
      aQueue(name, prefix = 'bull') {
        const queue = new Queue(name, { connection: { port: redis.port }, prefix });
        queue.on('error', () => undefined);
        ends.push(() => queue.close());
        return queue;
      },
      endLater: (end) => void ends.push(end),
    });
    redis.thaw();
    for (const end of ends.reverse()) await end();
    await redis.stop();
  },
});
