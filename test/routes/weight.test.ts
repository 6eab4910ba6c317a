import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { copyQueues } from '../../bench/seed.js';
import { startRedis } from '../../drills/own-redis.js';
import { startConsole } from '../support/console.js';
import { until } from '../support/until.js';

const QUEUES = 1_000;
const MAX_PAGE_BYTES = 150_000;
const MAX_SCRIPT_BYTES = 120_000;

it('of a thousand queues the overview weighs at most 150 KB as it is, and the scripts of any page 120 KB compressed', async () => {
  const redis = await startRedis();
  try {
    await copyQueues(redis, 0, QUEUES, 50);
    const console_ = await startConsole({ redisUrl: redis.url });
    try {
      const bytesOf = async (path: string) =>
        Buffer.from(await (await fetch(`${console_.url}${path}`)).arrayBuffer());
      const pageOf = async (path: string) => (await bytesOf(path)).toString();
      await until('all queues are on the overview', async () => /1,000 queues/.test(await pageOf('/')));
      expect(Buffer.byteLength(await pageOf('/'))).toBeLessThan(MAX_PAGE_BYTES);
      // A queue's page has the interactive charts besides.
      for (const path of ['/', '/i/default/q/bull%3Aqueue-1']) {
        const scripts = [...(await pageOf(path)).matchAll(/<script[^>]* src="([^"]+)"/g)];
        const sizes = await Promise.all(
          scripts.map(async ([, src = '']) => gzipSync(await bytesOf(src)).length),
        );
        expect(sizes.length).toBeGreaterThan(5);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_SCRIPT_BYTES);
      }
    } finally {
      await console_.stop();
    }
  } finally {
    await redis.stop();
  }
});
