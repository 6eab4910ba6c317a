import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Ledger } from '../../drills/ledger.js';
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

it('a job that is neither completed nor in Redis is reported as lost, by its id', async () => {
  const ledger = new Ledger();
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
  const ledger = new Ledger();
  ledger.hear({ kind: 'refused', queue: 'mail', ids: ['m-1', 'm-99'] });
  expect(await ledger.balance(redis.client, 'mail')).toMatchObject({
    accepted: 0,
    refused: 2,
    refusedButKept: 1,
    lost: [],
  });
});

it('jobs are counted by their type, and the first failure of a type is the earliest that any worker reports', () => {
  const ledger = new Ledger();
  ledger.hear({ kind: 'completed', queue: 'mail', ids: ['send-1', 'send-2', 'sender-1'] });
  const failed = { kind: 'failed', queue: 'mail', jobName: 'send' } as const;
  ledger.hear({ ...failed, ids: ['send-3'], atMs: 2_000 });
  ledger.hear({ ...failed, ids: ['send-4', 'send-5'], atMs: 1_000 });
  expect([ledger.completed('mail'), ledger.completed('mail', 'send')]).toEqual([3, 2]);
  expect([ledger.failed('mail', 'send'), ledger.failed('mail', 'sender')]).toEqual([3, 0]);
  expect(ledger.firstFailureAtMs('mail', 'send')).toBe(1_000);
  expect(ledger.firstFailureAtMs('mail', 'sender')).toBeNull();
});

it('how long jobs waited is counted apart from how long they took, by queue', () => {
  const ledger = new Ledger();
  ledger.hear({ kind: 'waits', queue: 'mail', ms: [1, 2, 3, 4, 5, 6, 7, 8, 9, 100] });
  ledger.hear({ kind: 'latencies', queue: 'mail', ms: [500] });
  expect([ledger.waitMs('mail', 0, 0.5), ledger.waitMs('mail', 0, 0.9)]).toEqual([6, 100]);
  expect(ledger.latencyMs('mail', 0, 0.5)).toBe(500);
  expect([ledger.waitMs('reports', 0, 0.5), ledger.waitMs('mail', Date.now() + 1, 0.5)]).toEqual([
    null,
    null,
  ]);
});

it('a job that ran to its end twice is counted apart from one that did once', () => {
  const ledger = new Ledger();
  ledger.hear({ kind: 'completed', queue: 'mail', ids: ['send-1', 'send-2'] });
  ledger.hear({ kind: 'completed', queue: 'mail', ids: ['send-2'] });
  expect(ledger.completed('mail')).toBe(2);
  expect([...ledger.reported('completed', 'mail')]).toEqual([
    ['send-1', 1],
    ['send-2', 2],
  ]);
});
