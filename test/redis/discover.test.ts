import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { Discovery } from '../../server/redis/discover.js';

/** Enough for two SCANs of 500 keys, and for some keys that are to be measured. */
const TWO_SCANS_USEC = 1_200;
const SCAN_USEC = 500;
let redis: OwnRedis;

beforeEach(async () => {
  redis = await startRedis();
});
afterEach(async () => redis.stop());

async function addJobs(name: string, jobs: number): Promise<void> {
  const queue = new Queue(name, { connection: { port: redis.port } });
  await queue.waitUntilReady();
  await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'job', data: {} })));
  await queue.close();
}

/** Steps until a pass has ended. @returns what each step found, and all keys that were nobody's. */
async function aPass(allowanceUsec: number, known = new Set<string>()) {
  const discovery = new Discovery();
  const found: (readonly string[])[] = [];
  const nobodys: string[] = [];
  let hasEnded = false;
  for (let step = 0; !hasEnded && step < 1_000; step++) {
    const now = await discovery.step(redis.client, step * 1_000, allowanceUsec, SCAN_USEC, known);
    for (const id of now.found) known.add(id);
    found.push(now.found);
    nobodys.push(...now.nobodys);
    hasEnded = now.endedPass;
  }
  return { discovery, found, nobodys };
}

describe('the walk over the keys of a Redis', () => {
  it('finds a queue by its jobs long before it meets its meta', async () => {
    await addJobs('large', 8_000);
    const { found } = await aPass(TWO_SCANS_USEC);
    expect(found.length).toBeGreaterThan(5);
    expect(found[0]).toEqual(['bull:large']);
  });

  it('finds a queue that holds no job by the end of a pass, among thousands of other keys', async () => {
    await addJobs('empty', 1);
    await redis.client.del('bull:empty:1', 'bull:empty:wait');
    await redis.client.mset(
      Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`cart:${i}:items`, '1'])),
    );
    const { found } = await aPass(TWO_SCANS_USEC);
    expect(found.flat()).toEqual(['bull:empty']);
  });

  it('asks for no more SCANs in a step than it may spend, and for one where it may spend nothing', async () => {
    await addJobs('large', 8_000);
    const discovery = new Discovery();
    const two = await discovery.step(redis.client, 0, TWO_SCANS_USEC, SCAN_USEC, new Set());
    const none = await discovery.step(redis.client, 1_000, 0, SCAN_USEC, new Set());
    expect([two.calls.get('scan'), none.calls.get('scan')]).toEqual([2, 1]);
  });

  it('reports what is nobody’s, and nothing that is a queue’s', async () => {
    await addJobs('mail', 300);
    await redis.client.mset({ 'report:cache': 'x', plain: 'x', 'session:1:a': 'x' });
    const { nobodys } = await aPass(100 * TWO_SCANS_USEC, new Set(['bull:mail']));
    expect([...nobodys].sort()).toEqual(['plain', 'report:cache', 'session:1:a']);
  });

  it('does not check an application’s keys one by one for being queues', async () => {
    await redis.client.mset(
      Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`cart:${i}:items`, '1'])),
    );
    const discovery = new Discovery();
    const { calls, endedPass } = await discovery.step(redis.client, 0, 1e6, SCAN_USEC, new Set());
    expect(endedPass).toBe(true);
    expect(calls.get('hmget')).toBeUndefined();
  });
});
