import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { test as base, expect } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { openBoth } from '../support/bullmq-queues.js';
import { parkRequest, startParking } from '../support/parking-bench.js';
import { pictureOf } from '../support/queue-picture.js';
import { until } from '../support/until.js';

const RECEIPTS = 'bull:mail:spillway:parked';

/** A Redis that may forget, and a console's directory that does not, for each test, so that they wait side by side. */
interface World {
  readonly redis: OwnRedis;
  readonly directory: string;
}

const it = base.extend<{ readonly world: World }>({
  world: async ({ task: _task }, use) => {
    const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] });
    const directory = await mkdtemp(join(tmpdir(), 'spillway-crash-'));
    await use({ redis, directory });
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  },
});

it.concurrent('what Redis loses by a crash of its own is neither lost nor doubled', async ({
  world: { redis, directory },
}) => {
  const { v6, close } = openBoth(redis.port, 'mail');
  await v6.addBulk(Array.from({ length: 2_000 }, (_, i) => ({ name: 'send', data: { i } })));
  await v6.close();
  const before = await pictureOf(redis.client, 'bull:mail');
  const bench = await startParking({ port: redis.port, directory });
  const first = await bench.park('bull:mail', { most: 500 });
  expect(first.parked).toBe(500);
  // What follows is forgotten by Redis, as if it had fallen back by a second.
  const kept = await pictureOf(redis.client, 'bull:mail');
  const receipts = await redis.client.hkeys(RECEIPTS);
  const second = await bench.park('bull:mail');
  expect(second.parked).toBe(1_500);
  await fallBack(redis, kept.wait, kept.jobs, receipts);
  expect(await bench.restore(second.id)).toMatchObject({ restored: 0, existed: 1_500, remaining: 0 });
  await bench.restore(first.id);
  // And the same after bringing back: Redis forgets it, the disk does not.
  await fallBack(redis, kept.wait, kept.jobs, receipts);
  await until('the lost ones are back', async () => {
    const now = await pictureOf(redis.client, 'bull:mail');
    return Object.keys(now.jobs).length === 2_000;
  });
  const after = await pictureOf(redis.client, 'bull:mail');
  expect(after.jobs).toEqual(before.jobs);
  await bench.stop();
  await close();
});

it.concurrent('a Redis that loses the second in which jobs were first parked, and runs them, gets none of them back', async ({
  world: { redis, directory },
}) => {
  const queue = await filled(redis);
  const bench = await startParking({ port: redis.port, directory });
  const kept = await pictureOf(redis.client, 'bull:mail');
  const parking = await bench.parkings.begin({ ...parkRequest('bull:mail'), most: 500 });
  const [mark] = await until('the first job goes', async () => {
    const [marks, left] = [await redis.client.hgetall(RECEIPTS), await redis.client.llen('bull:mail:wait')];
    return left < 2_000 ? Object.entries(marks).filter(([name]) => name.startsWith('epoch:')) : null;
  });
  const [seconds = 0, microseconds = 0] = await redis.client.time();
  const ageMs = Number(seconds) * 1_000 + Number(microseconds) / 1_000 - Number(mark?.[1]);
  expect(ageMs).toBeGreaterThan(2_000);
  await bench.parkings.settled(parking.id, 60_000);
  await fallBack(redis, kept.wait, kept.jobs, [mark?.[0] ?? '']);
  // Workers ran all of them, and nothing of it is kept.
  await queue.drain();
  expect(await bench.restore(parking.id)).toMatchObject({ restored: 0, fellBack: 500, remaining: 0 });
  expect(await queue.count()).toBe(0);
  await bench.stop();
  await queue.close();
});

it.concurrent('a Redis that was emptied gets back all that is on disk', async ({
  world: { redis, directory },
}) => {
  const queue = await filled(redis);
  const bench = await startParking({ port: redis.port, directory });
  const parking = await bench.park('bull:mail', { most: 500 });
  await redis.client.flushall();
  expect(await bench.restore(parking.id)).toMatchObject({ restored: 500, fellBack: 0, remaining: 0 });
  await bench.stop();
  await queue.close();
});

async function filled(redis: OwnRedis): Promise<Queue> {
  const queue = new Queue('mail', { connection: { port: redis.port } });
  await queue.addBulk(Array.from({ length: 2_000 }, (_, i) => ({ name: 'send', data: { i } })));
  return queue;
}

/** Puts the queue into a former state, receipts and all. */
async function fallBack(
  redis: OwnRedis,
  wait: readonly string[],
  jobs: Readonly<Record<string, Readonly<Record<string, string>>>>,
  receipts: readonly string[],
): Promise<void> {
  const { client } = redis;
  const keys = await client.keys('bull:mail:*');
  const text = (encoded: string): Buffer => Buffer.from(encoded, 'base64');
  const kept = keys.filter((key) => /:(meta|id|events|marker)$/.test(key));
  const batch = client.multi();
  for (const key of keys) if (!kept.includes(key) && !key.endsWith(':spillway:parked')) batch.del(key);
  for (const [id, fields] of Object.entries(jobs))
    for (const [field, value] of Object.entries(fields))
      batch.hset(`bull:mail:${text(id)}`, text(field), text(value));
  for (const id of wait) batch.rpush('bull:mail:wait', text(id));
  const names = await client.hkeys(RECEIPTS);
  for (const name of names) if (!receipts.includes(name)) batch.hdel(RECEIPTS, name);
  const done = await batch.exec();
  for (const [error] of done ?? []) if (error) throw error;
}
