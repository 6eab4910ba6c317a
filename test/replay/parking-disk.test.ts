import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QueueKeys } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type BothVersions, openBoth } from '../support/bullmq-queues.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { type ParkingBench, startParking } from '../support/parking-bench.js';
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

it('a full disk takes no action away from a careful client, is named by what needs a record, and by /readyz', async (context) => {
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
    const action = (name: string, key: string) =>
      one.ask(
        'POST',
        `/api/v1/actions/${name}`,
        { queues: [queue], reason: 'test' },
        { 'Idempotency-Key': key },
      );
    const before = await action('queue.pause', 'while there is room');
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
    const resumed = await action('queue.resume', 'on a full disk');
    expect([resumed.status, resumed.body.applied]).toEqual([200, 1]);
    expect(resumed.body.notRecorded).toEqual(['audit', 'idempotency-key']);
    expect(await redis.client.hget(`${queue}:meta`, 'spillway.pause')).toBeNull();
    const known = await action('queue.pause', 'while there is room');
    expect(known.headers.get('idempotency-replayed')).toBe('true');
    const replay = await one.ask('POST', '/api/v1/replays', { queues: [queue], reason: 'test' });
    expect([replay.status, replay.body.type]).toEqual([507, '/docs#problem-disk-full']);
    const ready = async () => (await one.ask('GET', '/readyz')).body.store;
    await until('/readyz says so', async () => (await ready()) === 'full');
    await rm(join(directory, 'filler'));
    await until('and that it is over', async () => (await ready()) === 'on disk');
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
  const elsewhere = await startParking({ port: other.port, queues: [queue] });
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
async function* piecesOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777);
}

describe('an import', () => {
  const head = (queue: string, instance = 'default') =>
    JSON.stringify({
      spillway: 'parking',
      version: 1,
      instance,
      queue,
      states: ['waiting'],
      jobTypes: null,
      reason: 't',
    });
  const fields = [
    ['name', 'x'],
    ['data', '{}'],
    ['opts', '{}'],
    ['timestamp', '1'],
  ];
  const job = (id: string, over = {}) =>
    JSON.stringify({ id, state: 'waiting', score: '', bytes: 1, fields, ...over });
  const target = 'bull:import-target';
  let bench: ParkingBench;
  beforeAll(async () => {
    bench = await startParking({ port: redis.port, queues: [target, `${target}:sub`] });
  });
  afterAll(() => bench?.stop());
  const take = (...lines: readonly string[]) =>
    bench.parkings.importLines(piecesOf(lines.join('\n')), 'olga');

  it('takes jobs only for a queue that is known, and none whose id BullMQ keeps or that makes a key of another', async () => {
    await expect(take(head('app:session'), job('a'))).rejects.toThrow(
      /line 1: queue: app:session is no queue/,
    );
    await expect(take(head(target, 'elsewhere'), job('a'))).rejects.toThrow(/line 1: instance/);
    const keys = Object.keys(new QueueKeys('bull').getKeys('import-target')).filter((key) => key !== '');
    const odd = [
      'de:a:b',
      'repeat:a:1',
      'a:lock',
      'a:b:lock',
      '1:logs',
      'sub:a:b',
      'spillway:parked',
      'metrics:completed:data',
    ];
    for (const id of [...keys, ...odd])
      await expect(take(head(target), job('fine'), job(id)), id).rejects.toThrow(/line 3: id/);
    expect(await take(head(target), job('fine'), job('a:b:c'), job('user-1'))).toMatchObject({
      remaining: 3,
    });
    expect(await redis.client.keys('*import-target*')).toEqual([]);
  });

  it('is refused as soon as a line or all of it passes its limit, and reads no further', async () => {
    let readBytes = 0;
    const block = Buffer.alloc(256 * 1024, 'a');
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${head(target)}\n`);
      for (; readBytes < 66 * 1024 * 1024; readBytes += block.length) yield block;
    };
    await expect(bench.parkings.importLines(endless(), 'olga')).rejects.toThrow(
      /line 2: is longer than 16777216 bytes/,
    );
    expect(readBytes).toBeLessThan(17 * 1024 * 1024);
    const small = await startParking({ port: redis.port, queues: [target], maxBytes: 1024 * 1024 });
    const blank = piecesOf(`${head(target)}\n${'\n'.repeat(2 * 1024 * 1024)}`);
    await expect(small.parkings.importLines(blank, 'olga')).rejects.toThrow(/larger than 2097152 bytes/);
    await small.stop();
  });

  it('comes back whole or not at all: what can not be written is found before the first write', async () => {
    const { id } = await take(head(target), job('whole-1'), job('whole-2'));
    await redis.client.set(`${target}:marker`, 'of another type');
    await bench.parkings.restore(id, { ratePerSecond: null, guard: false });
    const stuck = await until('it says what is in its way', async () => {
      const now = await bench.parkings.get(id);
      return now.because?.includes('WRONGTYPE') ? now : null;
    });
    expect(stuck).toMatchObject({ restored: 0, remaining: 2 });
    expect(await redis.client.exists(`${target}:whole-1`, `${target}:whole-2`, `${target}:wait`)).toBe(0);
    await redis.client.del(`${target}:marker`);
    expect(await bench.parkings.settled(id, 30_000)).toMatchObject({ restored: 2, remaining: 0 });
  });
});
