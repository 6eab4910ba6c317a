import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { ForeignKeys } from '../../server/redis/foreign-keys.js';

let redis: OwnRedis;

beforeEach(async () => {
  redis = await startRedis();
});
afterEach(async () => redis.stop());

describe('keys of no queue', () => {
  it('are not those of queues that nobody has met yet, nor of those beyond the limit', async () => {
    for (const name of ['mail', 'long'.repeat(100)]) {
      const queue = new Queue(name, { connection: { port: redis.port } });
      await queue.addBulk(
        Array.from({ length: 300 }, (_, i) => ({ name: 'job', data: { i }, opts: { jobId: `job-${i}` } })),
      );
      await queue.close();
    }
    await redis.client.set(`bull:mail:large`, 'x'.repeat(2_000_000));
    await redis.client.mset(
      Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`cart:${i}:items`, 'some'])),
    );
    const foreign = new ForeignKeys(() => false);
    const drawn = new Set<string>();
    let draws = 0;
    while (draws < 500) {
      const sample = await foreign.look(redis.client, ['bull:mail:large'], true);
      expect(sample.large).toEqual([]);
      for (const { key } of sample.foreign) drawn.add(key.replace(/\d+/, '…'));
      draws += sample.drawn;
    }
    expect([...drawn]).toEqual(['cart:…:items']);
  });
});
