import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type AgentEar, anOrder, startEar } from '../support/agent-ear.js';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let ear: AgentEar;
const processes: AttachedProcess[] = [];

beforeAll(async () => {
  redis = await startRedis();
  ear = await startEar(redis.port);
});
afterEach(async () => {
  await redis.client.config('SET', 'maxmemory', '0');
  await Promise.all(processes.splice(0).map((one) => one.stop()));
  await redis.client.flushall();
});
afterAll(async () => {
  ear.close();
  await redis.stop();
});

async function add(count: number, data: object = {}): Promise<void> {
  const queue = new Queue('work', { connection: { port: redis.port } });
  await queue.addBulk(
    Array.from({ length: count }, () => ({ name: 'work', data, opts: { removeOnComplete: true } })),
  );
  await queue.close();
}

/** Clearly over the limit, so that the refusal is steady. */
async function fill(): Promise<void> {
  // Large beside client buffers, which come and go; made by the server, so that it passes through none of them.
  await redis.client.setrange('ballast', 40_000_000, 'x');
  const used = Number(/used_memory:(\d+)/.exec(await redis.client.info('memory'))?.[1]);
  await redis.client.config('SET', 'maxmemory', String(Math.floor(used * 0.8)));
}

async function start(version: 5 | 6, isAttached: boolean, concurrency = 5): Promise<AttachedProcess> {
  const worker = await startAttached({
    port: redis.port,
    workers: [{ queue: 'work', version, concurrency, jobMs: 50, attach: isAttached ? {} : null }],
  });
  processes.push(worker);
  if (isAttached) await ear.beatOf(worker.ids[0] ?? '', () => true);
  return worker;
}

const errorsOf = async (worker: AttachedProcess): Promise<number> =>
  (await worker.state()).workers[0]?.errors ?? 0;

describe.each([5, 6] as const)('a BullMQ %i worker while Redis is full', (version) => {
  it('is kept from spinning, and takes jobs again within a second of relief', async () => {
    await add(200);
    await fill();
    const worker = await start(version, true);
    const id = worker.ids[0] ?? '';
    await ear.beatOf(id, (beat) => beat.guard.sinceMs !== null && beat.paused === 'guard');
    const before = await errorsOf(worker);
    const from = ear.beats.length;
    await until('three more beats', () => ear.beats.length >= from + 3);
    expect((await errorsOf(worker)) - before).toBeLessThan(20);
    expect((await worker.state()).workers[0]?.completed).toBe(0);
    await redis.client.config('SET', 'maxmemory', '0');
    const relievedAtMs = Date.now();
    await until('it takes a job', async () => ((await worker.state()).workers[0]?.started ?? 0) > 0, {
      everyMs: 10,
    });
    expect(Date.now() - relievedAtMs).toBeLessThan(1_000);
    await ear.beatOf(
      id,
      (beat) => beat.guard.sinceMs === null && beat.guard.times >= 1 && beat.errors.oom === 0,
    );
  });

  it('that is busy goes on draining: the guard does not break the chain by which jobs follow each other', async () => {
    const worker = await start(version, true, 10);
    const id = worker.ids[0] ?? '';
    await add(5, { ms: 3_000 });
    await ear.beatOf(id, (beat) => beat.running === 5);
    await add(300, { ms: 20 });
    await until('busy', async () => ((await worker.state()).workers[0]?.completed ?? 0) > 10);
    await add(1_000, { ms: 20 });
    await fill();
    await ear.beatOf(id, (beat) => beat.errors.oom > 0 || beat.guard.sinceMs !== null);
    await until('all are done', async () => ((await worker.state()).workers[0]?.completed ?? 0) >= 600, {
      withinMs: 20_000,
    });
  });
});

describe('an order while Redis is full', () => {
  it('is heard, answered and in force once there is room', async () => {
    await add(200, { ms: 500 });
    await fill();
    const worker = await start(6, true);
    const id = worker.ids[0] ?? '';
    await ear.beatOf(id, (beat) => beat.guard.sinceMs !== null);
    const answer = await ear.order(anOrder({ setting: 'concurrency', value: 20 }), id);
    expect(answer).toMatchObject({ result: 'applied', concurrency: 20 });
    await redis.client.config('SET', 'maxmemory', '0');
    await ear.beatOf(id, (beat) => beat.running === 20);
  });
});

describe('without the agent', () => {
  it('the same worker spins: what the guard is for', async () => {
    await add(200);
    await fill();
    const worker = await start(6, false);
    await until('thousands of errors', async () => (await errorsOf(worker)) > 2_000);
    expect((await worker.state()).workers[0]?.completed).toBe(0);
  });
});
