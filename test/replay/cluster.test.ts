import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnCluster, startCluster } from '../support/cluster.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

/** Their slots are of different masters. */
const QUEUES = ['{a}:mail', '{b}:mail'] as const;
const JOBS = 300;
let cluster: OwnCluster;
let console_: RunningConsole;
let directory = '';

beforeAll(async () => {
  cluster = await startCluster();
  for (const id of QUEUES) {
    const connection = new Cluster(cluster.nodes.map((node) => ({ host: '127.0.0.1', port: node.port })));
    const [prefix = '', name = ''] = id.split(':');
    const queue = new Queue(name, { connection, prefix });
    await queue.addBulk(
      Array.from({ length: JOBS }, (_, i) => ({ name: 'send', data: { i }, opts: { jobId: `w${i}` } })),
    );
    await queue.addBulk([
      { name: 'vip', data: {}, opts: { jobId: 'p', priority: 3 } },
      { name: 'later', data: {}, opts: { jobId: 'd', delay: 3_600_000 } },
    ]);
    await queue.close();
    connection.disconnect();
    for (let i = 0; i < JOBS; i += 1) {
      const atMs = 1_000_000 + i;
      const fields = {
        name: 'send',
        data: '{}',
        opts: '{"attempts":1}',
        failedReason: 'boom',
        finishedOn: atMs,
      };
      await cluster.client.hset(`${id}:f${i}`, {
        ...fields,
        timestamp: atMs - 1,
        delay: 0,
        priority: 0,
        atm: 1,
      });
      await cluster.client.zadd(`${id}:failed`, atMs, `f${i}`);
    }
  }
  directory = await mkdtemp(join(tmpdir(), 'spillway-cluster-'));
  const config = join(directory, 'spillway.yaml');
  const hosts = cluster.nodes.map((node) => `127.0.0.1:${node.port}`);
  const instance = { name: 'default', cluster: { hosts }, queues: QUEUES };
  await writeFile(config, JSON.stringify({ instances: [instance] }));
  console_ = await startConsole({ args: ['--config', config] });
  await until('both queues are seen', async () => {
    const { body } = await console_.ask('GET', '/api/v1/instances/default/queues');
    return (
      body.queues.length === 2 &&
      body.queues.every((queue: { counts: { failed: number } }) => queue.counts.failed === JOBS)
    );
  });
});
afterAll(async () => {
  await console_?.stop();
  await cluster?.stop();
  if (directory) await rm(directory, { recursive: true, force: true });
});

async function replayed(from: 'failed' | 'parked') {
  const begun = await console_.ask('POST', '/api/v1/replays', {
    queues: QUEUES,
    from,
    ratePerSecond: 5_000,
    guard: false,
    reason: 'drill',
  });
  expect(begun.status, begun.text).toBe(200);
  return until(
    'it is done',
    async () => {
      const { body } = await console_.ask('GET', `/api/v1/replays/${begun.body.id}`);
      return body.state === 'done' ? body : null;
    },
    { withinMs: 60_000 },
  );
}
const waiting = (id: string) => cluster.client.lrange(`${id}:wait`, 0, -1);

it('the queues lie on different masters', async () => {
  const slots = await Promise.all(QUEUES.map((id) => cluster.client.cluster('KEYSLOT', `${id}:wait`)));
  const owners = slots.map((slot) => Math.floor(Number(slot) / Math.ceil(16_384 / 3)));
  expect(new Set(owners).size).toBe(2);
});

it('what is parked of both comes back by one replay, each job to its own queue and place', async () => {
  const before = await Promise.all(QUEUES.map(waiting));
  for (const queue of QUEUES) {
    const parked = await console_.ask('POST', '/api/v1/parkings', {
      instance: 'default',
      queue,
      reason: 'drill',
    });
    expect(parked.status, parked.text).toBe(200);
    await until('it is parked', async () => {
      const { body } = await console_.ask('GET', `/api/v1/parkings/${parked.body.parking.id}`);
      return body.state === 'done' && body.parked === JOBS + 2;
    });
    expect(await cluster.client.exists(`${queue}:w0`, `${queue}:p`, `${queue}:d`)).toBe(0);
  }
  const done = await replayed('parked');
  expect(done.account).toMatchObject({ matched: 2 * (JOBS + 2), moved: 2 * (JOBS + 2), skipped: 0 });
  expect(await Promise.all(QUEUES.map(waiting))).toEqual(before);
  for (const queue of QUEUES) {
    expect(await cluster.client.zscore(`${queue}:prioritized`, 'p')).not.toBeNull();
    expect(await cluster.client.zscore(`${queue}:delayed`, 'd')).not.toBeNull();
    expect(await cluster.client.hget(`${queue}:w7`, 'data')).toBe('{"i":7}');
  }
});

it('what failed in both is replayed by one replay', async () => {
  const done = await replayed('failed');
  expect(done.account).toMatchObject({ matched: 2 * JOBS, moved: 2 * JOBS, skipped: 0, remaining: 0 });
  for (const queue of QUEUES) {
    expect(await cluster.client.zcard(`${queue}:failed`)).toBe(0);
    expect(await waiting(queue)).toHaveLength(2 * JOBS);
  }
});
