import { Queue } from 'bullmq';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { overfill } from '../../drills/own-redis.js';
import { type ActionBench, startBench } from '../support/action-bench.js';
import { type OwnCluster, startCluster } from '../support/cluster.js';
import { until } from '../support/until.js';

const QUEUES = ['{a}:mail', '{b}:mail', '{c}:mail', '{d}:mail'];
let cluster: OwnCluster;
let bench: ActionBench;

beforeAll(async () => {
  cluster = await startCluster();
  for (const id of QUEUES) {
    const queue = await open(id);
    await queue.addBulk(
      Array.from({ length: 30 }, () => ({ name: 'work', data: { pad: 'x'.repeat(2_000) } })),
    );
    await queue.close();
    for (let i = 0; i < 5; i += 1) {
      await cluster.client.hset(`${id}:f${i}`, 'name', 'work', 'finishedOn', i + 1);
      await cluster.client.zadd(`${id}:failed`, i + 1, `f${i}`);
    }
  }
  // Nobody has told the console of this one: it may be dropped once it is gone.
  await cluster.client.hset('{e}:post:meta', 'version', 'bullmq:6.7.0');
  // A child whose parent lies in another slot: whether it is waited for can't be known where it lies.
  await cluster.client.hset('{a}:mail:f0', 'parentKey', '{b}:mail:p1');
  const [first] = cluster.nodes;
  if (!first) throw new Error('no node');
  const nodes = cluster.nodes.map((node) => ({ host: '127.0.0.1', port: node.port }));
  bench = await startBench(first, { endpoint: { kind: 'cluster', nodes, tls: false }, queues: QUEUES });
  for (const id of QUEUES) await bench.seen(id, (queue) => queue.counts.failed === 5);
  for (const node of cluster.nodes) {
    await overfill(node);
  }
});
afterAll(async () => {
  await bench?.stop();
  await cluster?.stop();
});

async function open(id: string): Promise<Queue> {
  const [prefix = '', name = ''] = id.split(':');
  const connection = new Cluster(cluster.nodes.map((node) => ({ host: '127.0.0.1', port: node.port })));
  const queue = new Queue(name, { connection, prefix });
  queue.on('error', () => undefined);
  const close = queue.close.bind(queue);
  queue.close = async () => {
    await close();
    connection.disconnect();
  };
  return queue;
}

it('the queues lie on several full masters, where a stock pause is refused', async () => {
  const queue = await open('{a}:mail');
  await expect(queue.pause()).rejects.toThrow(/OOM/);
  await queue.close();
  expect(bench.watch.snapshot('default')?.nodes.length).toBe(3);
});

it('one call pauses them all, and another resumes them', async () => {
  const paused = await bench.pull('queue.pause', { match: '*mail' });
  expect(paused.map((outcome) => outcome.status)).toEqual(QUEUES.map(() => 'applied'));
  for (const id of QUEUES) expect(await cluster.client.hget(`${id}:meta`, 'concurrency')).toBe('0');
  const resumed = await bench.pull('queue.resume', { queues: QUEUES });
  expect(resumed.map((outcome) => outcome.status)).toEqual(QUEUES.map(() => 'applied'));
});

it('limits, trims and cleans each where it lies', async () => {
  for (const [action, args] of [
    ['queue.concurrency', { value: 3 }],
    ['queue.rate-limit', { max: 5 }],
    ['queue.trim-events', { keep: 0 }],
  ] as const) {
    const outcomes = await bench.pull(action, { queues: QUEUES, args });
    expect(outcomes.map((outcome) => [action, outcome.status])).toEqual(
      QUEUES.map(() => [action, 'applied']),
    );
  }
  const cleaned = await bench.pull('queue.clean-finished', { queues: QUEUES, args: { state: 'failed' } });
  expect(cleaned.map((outcome) => outcome.status)).toEqual(QUEUES.map(() => 'applied'));
  // Kept, to be sure: its parent is out of reach.
  expect(await cluster.client.zrange('{a}:mail:failed', '0', '-1')).toEqual(['f0']);
  expect(cleaned[0]?.summary).toMatch(/1 stay/);
});

it('retries a job', async () => {
  await cluster.client.hdel('{a}:mail:f0', 'parentKey');
  const outcome = await bench.pullOne('job.retry', { queues: ['{a}:mail'], jobId: 'f0' });
  expect(outcome.status).toBe('applied');
});

it('raises the limit of all masters, and undo sets it back', async () => {
  const before = await limits();
  const maxBytes = 512 * 1024 * 1024;
  const outcome = await bench.pullOne('redis.raise-maxmemory', { args: { maxBytes } });
  expect(outcome).toMatchObject({ status: 'applied', fields: [{}, {}, {}] });
  expect(await limits()).toEqual([maxBytes, maxBytes, maxBytes]);
  // Each had a limit of its own, so one number can't restore them.
  expect(new Set(before).size === 1).toBe(outcome.undo !== null);
  await until('the console sees that there is room', () =>
    bench.watch.snapshot('default')?.nodes.every((node) => !node.isFull),
  );
});

it('a master hangs, then the cluster is down: no queue vanishes or counts as empty, no finding ends, actions say why', async () => {
  const { watch } = bench;
  await cluster.client.hset('{a}:mail:meta', 'paused', 1);
  await bench.seen('{e}:post');
  const all = [...QUEUES, '{e}:post'].sort();
  const known = (): readonly string[] => (watch.snapshot('default')?.queues ?? []).map(({ id }) => id);
  const unread = () => watch.snapshot('default')?.unread.queues ?? [];
  const lost: unknown[] = [];
  const stop = watch.onTick(() => {
    const now = [...known(), ...unread().map(({ id }) => id)].sort();
    const emptied = watch
      .snapshot('default')
      ?.queues.filter(({ id, counts }) => id !== '{e}:post' && counts.waiting < 30);
    if (now.join() !== all.join() || emptied?.length !== 0) lost.push({ now, emptied });
  });
  const held = await until('a finding about a queue', () =>
    watch.findings().find(({ queue }) => queue === '{a}:mail'),
  );
  const down = cluster.nodes.find(({ port }) => port === cluster.portOf('{a}:mail:wait'));
  down?.freeze();
  await until(
    'the queue is not known, and others are',
    () => unread().some(({ id }) => id === '{a}:mail') && known().length > 0,
  );
  expect(unread().find(({ id }) => id === '{a}:mail')).toMatchObject({
    problem: `the master at 127.0.0.1:${down?.port} does not answer`,
    command: null,
    last: { counts: { waiting: 31 } },
  });
  // Findings are made in steps after each look.
  await until('what was found there is said to be last seen', () => {
    const found = watch.findings().find(({ key }) => key === held.key);
    return found?.severity === 'info' && typeof found.lastSeenAtMs === 'number';
  });
  await until(
    'all masters say that the cluster is down',
    () =>
      unread().filter(({ problem }) => /the cluster is down/.test(problem)).length > 0 &&
      known().length === 0,
  );
  expect(watch.snapshot('default')?.link.status).toBe('live');
  await until(
    'a finding',
    () => watch.findings().find(({ code }) => code === 'redis.unread')?.severity === 'critical',
  );
  await expect(bench.pull('queue.pause', { queues: ['{b}:mail'] })).rejects.toThrow(
    /\{b\}:mail can not be read now \(.*so nothing was changed/,
  );
  down?.thaw();
  await until('all are known again', () => known().length === all.length);
  stop();
  expect(lost).toEqual([]);
  expect(watch.findings().map(({ code }) => code)).not.toContain('redis.unread');
});

function limits(): Promise<readonly number[]> {
  return Promise.all(
    cluster.nodes.map(async (node) =>
      Number(((await node.client.config('GET', 'maxmemory')) as string[])[1]),
    ),
  );
}
