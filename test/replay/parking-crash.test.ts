import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { packagePath } from '../../server/package-path.js';
import { startWorker } from '../support/bullmq-process.js';
import { openBoth } from '../support/bullmq-queues.js';
import { startParking } from '../support/parking-bench.js';
import { pictureOf } from '../support/queue-picture.js';
import { seededRandom } from '../support/seeded-random.js';
import { until } from '../support/until.js';

const KILLS = 30;
let redis: OwnRedis;
let directory: string;

beforeEach(async () => {
  redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] });
  directory = await mkdtemp(join(tmpdir(), 'spillway-crash-'));
});
afterEach(async () => {
  await redis.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Runs the compiled child until it is killed at a moment of our choice. */
async function killedAfter(delayMs: number, queue: string): Promise<void> {
  const script = packagePath('dist/test/support/parking-child.js');
  const child = spawn(process.execPath, [script, String(redis.port), directory, queue], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let isStarted = false;
  let timer: NodeJS.Timeout | undefined;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdout.once('data', () => {
    isStarted = true;
    timer = setTimeout(() => child.kill('SIGKILL'), delayMs);
  });
  await gone;
  clearTimeout(timer);
  expect(isStarted).toBe(true);
}

it(`after ${KILLS} kills of the console at random moments every job is there once, byte by byte`, async () => {
  const random = seededRandom(20_260);
  const { v6, close } = openBoth(redis.port, 'mail');
  for (let from = 0; from < 6_000; from += 1_000)
    await v6.addBulk(Array.from({ length: 1_000 }, (_, i) => ({ name: 'send', data: { i: from + i } })));
  await v6.addBulk(
    Array.from({ length: 1_500 }, (_, i) => ({ name: 'bill', data: { i }, opts: { priority: 1 + (i % 9) } })),
  );
  await v6.addBulk(
    Array.from({ length: 1_500 }, (_, i) => ({ name: 'later', data: { i }, opts: { delay: 3_600_000 + i } })),
  );
  const before = await pictureOf(redis.client, 'bull:mail');
  for (let kill = 0; kill < KILLS; kill++) await killedAfter(Math.floor(random.uniform() * 400), 'bull:mail');
  await bringAllBack();
  const after = await pictureOf(redis.client, 'bull:mail');
  expect(after.jobs).toEqual(before.jobs);
  expect(after.prioritized).toEqual(before.prioritized);
  expect(after.delayed).toEqual(before.delayed);
  expect([...after.wait].sort()).toEqual([...before.wait].sort());
  await close();
}, 120_000);

it('while workers run jobs that leave no trace, each runs once', async () => {
  const random = seededRandom(7);
  const { v6, close } = openBoth(redis.port, 'mail');
  const jobs = 6_000;
  for (let from = 0; from < jobs; from += 1_000)
    await v6.addBulk(
      Array.from({ length: 1_000 }, (_, i) => ({
        name: 'send',
        data: { i: from + i },
        opts: { removeOnComplete: true },
      })),
    );
  const workers = await Promise.all(
    ([5, 6] as const).map((version) =>
      startWorker({ version, port: redis.port, queue: 'mail', jobMs: 5, options: { concurrency: 2 } }),
    ),
  );
  for (let kill = 0; kill < 10; kill++)
    await killedAfter(100 + Math.floor(random.uniform() * 500), 'bull:mail');
  const finished = (): readonly string[] => workers.flatMap((worker) => worker.finished);
  expect(finished().length).toBeLessThan(jobs);
  await bringAllBack();
  await until('all have run', () => finished().length >= jobs, { withinMs: 60_000 });
  expect(new Set(finished()).size).toBe(jobs);
  expect(finished().length).toBe(jobs);
  await Promise.all(workers.map((worker) => worker.stop()));
  await close();
}, 120_000);

it('what Redis loses by a crash of its own is neither lost nor doubled', async () => {
  const { v6, close } = openBoth(redis.port, 'mail');
  await v6.addBulk(Array.from({ length: 2_000 }, (_, i) => ({ name: 'send', data: { i } })));
  await v6.close();
  const before = await pictureOf(redis.client, 'bull:mail');
  const bench = await startParking({ port: redis.port, directory });
  const first = await bench.park('bull:mail', { most: 500 });
  expect(first.parked).toBe(500);
  // What follows is forgotten by Redis, as if it had fallen back by a second.
  const kept = await pictureOf(redis.client, 'bull:mail');
  const receipts = await redis.client.hkeys('bull:mail:spillway:parked');
  const second = await bench.park('bull:mail');
  expect(second.parked).toBe(1_500);
  await fallBack(kept.wait, kept.jobs, receipts);
  expect(await bench.restore(second.id)).toMatchObject({ restored: 0, existed: 1_500, remaining: 0 });
  await bench.restore(first.id);
  // And the same after bringing back: Redis forgets it, the disk does not.
  await fallBack(kept.wait, kept.jobs, receipts);
  await until('the lost ones are back', async () => {
    const now = await pictureOf(redis.client, 'bull:mail');
    return Object.keys(now.jobs).length === 2_000;
  });
  const after = await pictureOf(redis.client, 'bull:mail');
  expect(after.jobs).toEqual(before.jobs);
  await bench.stop();
  await close();
}, 60_000);

/** Puts the queue into a former state, receipts and all. */
async function fallBack(
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
  const names = await client.hkeys('bull:mail:spillway:parked');
  for (const name of names) if (!receipts.includes(name)) batch.hdel('bull:mail:spillway:parked', name);
  const done = await batch.exec();
  for (const [error] of done ?? []) if (error) throw error;
}

/** The console starts once more, and everything that is parked is brought back. */
async function bringAllBack(): Promise<void> {
  const bench = await startParking({ port: redis.port, directory });
  await until(
    'nothing runs',
    async () => (await bench.parkings.list({ limit: 500 })).every(({ state }) => state !== 'running'),
    { withinMs: 60_000 },
  );
  for (const parking of await bench.parkings.list({ limit: 500 }))
    if (parking.remaining > 0) await bench.restore(parking.id);
  const all = await bench.parkings.list({ limit: 500 });
  for (const { parked, restored, existed, fellBack, remaining } of all)
    expect({ remaining, sum: restored + existed + fellBack }).toEqual({ remaining: 0, sum: parked });
  expect(all.length).toBeGreaterThan(0);
  await bench.stop();
}
