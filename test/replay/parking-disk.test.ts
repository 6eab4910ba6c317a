import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type BothVersions, openBoth } from '../support/bullmq-queues.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { startParking } from '../support/parking-bench.js';
import { pictureOf } from '../support/queue-picture.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
const opened: BothVersions[] = [];
let made = 0;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await Promise.all(opened.map((queues) => queues.close()));
  await redis?.stop();
});

async function aQueue(jobs: number, bytes: number): Promise<string> {
  const name = `disk-${++made}`;
  const queues = openBoth(redis.port, name);
  opened.push(queues);
  const pad = 'x'.repeat(bytes);
  for (let from = 0; from < jobs; from += 1_000)
    await queues.v6.addBulk(
      Array.from({ length: Math.min(1_000, jobs - from) }, (_, i) => ({
        name: 'send',
        data: { i: from + i, pad },
      })),
    );
  return `bull:${name}`;
}

it('stops at the size it may take, with every job either in Redis or on disk', async () => {
  const queue = await aQueue(4_000, 1_000);
  const before = await pictureOf(redis.client, queue);
  const bench = await startParking({ port: redis.port, maxBytes: 2 * 1024 * 1024 });
  const parked = await bench.park(queue);
  expect(parked).toMatchObject({ state: 'paused', because: expect.stringMatching(/parking\.maxBytes/) });
  expect(parked.parked).toBeGreaterThan(0);
  expect((await bench.store.disk.read()).usedBytes).toBeLessThanOrEqual(2 * 1024 * 1024);
  expect(await redis.client.llen(`${queue}:wait`)).toBe(4_000 - parked.parked);
  expect(bench.told.at(-1)?.text).toMatch(/stopped/);
  await bench.restore(parked.id);
  expect((await pictureOf(redis.client, queue)).jobs).toEqual(before.jobs);
  await bench.stop();
});

it('a disk that is full stops it before anything is deleted', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-tmpfs-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory], { stdio: 'ignore' });
  } catch {
    await rm(directory, { recursive: true, force: true });
    return context.skip();
  }
  try {
    const queue = await aQueue(3_000, 1_500);
    const before = await pictureOf(redis.client, queue);
    const bench = await startParking({ port: redis.port, directory });
    // Without the tenth that is kept free, the disk itself says that it is full.
    Object.assign(bench.store.disk, { refusal: async () => null });
    const parked = await bench.park(queue);
    expect(parked).toMatchObject({ state: 'paused', because: expect.stringMatching(/full/) });
    expect(bench.told.at(-1)?.text).toMatch(/stopped/);
    await bench.stop();
    // With room again everything is accounted for, also the batch in the midst of which the disk became full.
    execFileSync('mount', ['-o', 'remount,size=64m', directory]);
    const again = await startParking({ port: redis.port, directory });
    await again.restore(parked.id);
    expect(await again.parkings.get(parked.id)).toMatchObject({ state: 'done', remaining: 0 });
    expect((await pictureOf(redis.client, queue)).jobs).toEqual(before.jobs);
    await again.stop();
  } finally {
    execFileSync('umount', ['-l', directory]);
    await rm(directory, { recursive: true, force: true });
  }
});

it('keeps a tenth of the disk free for everybody else', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-tmpfs-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', directory], { stdio: 'ignore' });
  } catch {
    await rm(directory, { recursive: true, force: true });
    return context.skip();
  }
  try {
    const queue = await aQueue(8_000, 4_000);
    const bench = await startParking({ port: redis.port, directory });
    const parked = await bench.park(queue);
    expect(parked).toMatchObject({ state: 'paused', because: expect.stringMatching(/a tenth is kept/) });
    await bench.stop();
  } finally {
    execFileSync('umount', ['-l', directory]);
    await rm(directory, { recursive: true, force: true });
  }
});

it('a full disk takes no lever away from a careful client, is named by what needs a record, and by /readyz', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-tmpfs-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', directory], { stdio: 'ignore' });
  } catch {
    await rm(directory, { recursive: true, force: true });
    return context.skip();
  }
  const config = `${directory}.yaml`;
  let spillway: RunningConsole | null = null;
  try {
    const queue = await aQueue(3, 10);
    await writeFile(
      config,
      JSON.stringify({ instances: [{ name: 'default', url: redis.url, queues: [queue] }] }),
    );
    const one = await startConsole({
      dataDirectory: directory,
      args: ['--config', config, '--log-level', 'warn'],
    });
    spillway = one;
    const onQueue = `/api/v1/instances/default/queues/${encodeURIComponent(queue)}`;
    await until('the queue is seen', async () => (await one.ask('GET', onQueue)).status === 200);
    const lever = (name: string, key: string) =>
      one.ask(
        'POST',
        `/api/v1/levers/${name}`,
        { queues: [queue], reason: 'test' },
        { 'Idempotency-Key': key },
      );
    const before = await lever('queue.halt', 'while there is room');
    expect([before.status, before.body.notRecorded]).toEqual([200, undefined]);
    // To the last byte; what the write-ahead log has room for already is used up by what is written into it.
    execFileSync('sh', ['-c', `cat /dev/zero > ${directory}/filler || true`], { stdio: 'ignore' });
    const refused = await until('what needs a record is refused', async () => {
      const note = { instance: 'default', text: 'x'.repeat(150) };
      const answer = await one.ask('POST', '/api/v1/markers', note);
      return answer.status === 200 || answer.status === 201 ? null : answer;
    });
    expect([refused.status, refused.body.type]).toEqual([507, '/docs#problem-disk-full']);
    expect(refused.body.detail).toMatch(/disk of the data directory is full/);
    const resumed = await lever('queue.resume', 'on a full disk');
    expect([resumed.status, resumed.body.applied]).toEqual([200, 1]);
    expect(resumed.body.notRecorded).toEqual(['audit', 'idempotency-key']);
    expect(await redis.client.hget(`${queue}:meta`, 'spillway.halt')).toBeNull();
    const known = await lever('queue.halt', 'while there is room');
    expect(known.headers.get('idempotency-replayed')).toBe('true');
    const replay = await one.ask('POST', '/api/v1/replays', { queues: [queue], reason: 'test' });
    expect([replay.status, replay.body.type]).toEqual([507, '/docs#problem-disk-full']);
    const ready = async () => (await one.ask('GET', '/readyz')).body.store;
    await until('/readyz says so', async () => (await ready()) === 'full', { withinMs: 30_000 });
    await rm(join(directory, 'filler'));
    await until('and that it is over', async () => (await ready()) === 'on disk', { withinMs: 30_000 });
  } finally {
    await spillway?.stop();
    execFileSync('umount', ['-l', directory]);
    await rm(directory, { recursive: true, force: true });
    await rm(config, { force: true });
  }
});

it('an export brings the same jobs to another console and another Redis', async () => {
  const queue = await aQueue(1_200, 20);
  await redis.client.hset(`${queue}:1`, 'data', Buffer.from([0, 255, 10, 254]), Buffer.from([200, 1]), 'odd');
  const before = await pictureOf(redis.client, queue);
  const bench = await startParking({ port: redis.port });
  const parked = await bench.park(queue);
  const text = await textOf(await bench.parkings.exportLines(parked.id));
  expect(text.trim().split('\n').length).toBe(1_201);
  const other = await startRedis();
  const elsewhere = await startParking({ port: other.port });
  const imported = await elsewhere.parkings.importLines(piecesOf(text), 'olga');
  expect(imported).toMatchObject({ origin: 'import', state: 'done', parked: 1_200, remaining: 1_200 });
  expect(await elsewhere.restore(imported.id)).toMatchObject({ restored: 1_200, remaining: 0 });
  const after = await pictureOf(other.client, queue);
  expect(after.jobs).toEqual(before.jobs);
  expect(after.wait).toEqual(before.wait);
  await expect(elsewhere.parkings.importLines(piecesOf('{"spillway":"other"}\n'), 'olga')).rejects.toThrow(
    /line 1/,
  );
  await expect(
    elsewhere.parkings.importLines(piecesOf(`${text.split('\n')[0]}\n{"id":""}\n`), 'olga'),
  ).rejects.toThrow(/line 2/);
  await elsewhere.stop();
  await bench.stop();
  await other.stop();
});

async function textOf(lines: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const line of lines) text += line;
  return text;
}

/** As a network cuts it: anywhere. */
async function* piecesOf(text: string): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += 777) yield text.slice(at, at + 777);
}
