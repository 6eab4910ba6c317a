import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { jobTypeOf } from '../../agent/job-type-of.js';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { packagePath } from '../../server/process/package-path.js';
import { readTypes } from '../../server/redis/job-facts.js';

let redis: OwnRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => redis.stop());

const SCRIPT = `${readFileSync(packagePath('server/redis/job-type.lua'), 'utf8')}\nreturn typeOfJob(KEYS[1])`;
const names = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: fc.constantFrom('ü', 'a', '漢', '🎉'), minLength: 30, maxLength: 120 }),
  fc.integer({ min: 16_300, max: 16_500 }).map((length) => 'n'.repeat(length)),
);

it('a type is at most 200 bytes, the same worked out here and in Redis, and of itself', async () => {
  await fc.assert(
    fc.asyncProperty(names, async (name) => {
      const type = jobTypeOf(name);
      expect(Buffer.byteLength(type)).toBeLessThanOrEqual(200);
      expect(jobTypeOf(type)).toBe(type);
      await redis.client.hset('bull:q:1', 'name', name);
      expect(await redis.client.eval(SCRIPT, 1, 'bull:q:1')).toBe(type);
      expect(await readTypes(redis.client, ['bull:q:1', 'bull:q:2'])).toEqual([type, null]);
    }),
  );
});

it('names that differ only far behind are types of their own', () => {
  const common = 'x'.repeat(1_000);
  expect(jobTypeOf(`${common}a`)).not.toBe(jobTypeOf(`${common}b`));
});
