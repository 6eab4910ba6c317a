import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLedger } from '../../drills/ledger.js';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';

let redis: OwnRedis;
let queue: Queue;
beforeAll(async () => {
  redis = await startRedis();
  queue = new Queue('mail', { connection: { host: '127.0.0.1', port: redis.port } });
});
afterAll(async () => {
  await queue.close();
  await redis.stop();
});

it('a job that is neither completed nor in Redis is told as lost, by its id', async () => {
  const ledger = createLedger();
  const ids = ['m-1', 'm-2', 'm-3', 'm-4'];
  await queue.addBulk([
    { name: 'send', data: {}, opts: { jobId: 'm-1' } },
    { name: 'send', data: {}, opts: { jobId: 'm-2', delay: 60_000 } },
    { name: 'send', data: {}, opts: { jobId: 'm-3', priority: 5 } },
    { name: 'send', data: {}, opts: { jobId: 'm-4' } },
  ]);
  ledger.hear({ kind: 'accepted', queue: 'mail', ids: [...ids, 'm-5'] });
  // Done and cleaned away: accounted for by the worker's word.
  ledger.hear({ kind: 'completed', queue: 'mail', ids: ['m-5'] });
  expect(await ledger.balance(redis.client, 'mail')).toMatchObject({
    accepted: 5,
    completed: 1,
    inRedis: 4,
    lost: [],
  });

  await queue.remove('m-4');
  expect((await ledger.balance(redis.client, 'mail')).lost).toEqual(['m-4']);
});

it('a refused add that Redis holds all the same is counted apart', async () => {
  const ledger = createLedger();
  ledger.hear({ kind: 'refused', queue: 'mail', ids: ['m-1', 'm-99'] });
  expect(await ledger.balance(redis.client, 'mail')).toMatchObject({
    accepted: 0,
    refused: 2,
    refusedButKept: 1,
    lost: [],
  });
});
