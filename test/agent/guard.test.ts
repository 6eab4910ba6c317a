import { Queue } from 'bullmq';
import { describe, expect } from 'vitest';
import { type OwnRedis, overfill } from '../../drills/own-redis.js';
import { anOrder } from '../support/agent-ear.js';
import { type AgentScene, it } from '../support/agent-scene.js';
import type { AttachedProcess } from '../support/attached-process.js';
import { until } from '../support/until.js';

async function add(redis: OwnRedis, count: number, data: object = {}): Promise<void> {
  const queue = new Queue('work', { connection: { port: redis.port } });
  await queue.addBulk(
    Array.from({ length: count }, () => ({ name: 'work', data, opts: { removeOnComplete: true } })),
  );
  await queue.close();
}

/** Clearly over the limit, so that the refusal is steady. */
async function fill(redis: OwnRedis): Promise<void> {
  // Large beside client buffers, which come and go; made by the server, so that it passes through none of them.
  await redis.client.setrange('ballast', 40_000_000, 'x');
  await overfill(redis);
}

async function start(
  scene: AgentScene,
  version: 5 | 6,
  isAttached: boolean,
  concurrency = 5,
): Promise<AttachedProcess> {
  return (await scene.start({ version, concurrency, attach: isAttached ? {} : null })).worker;
}

const errorsOf = async (worker: AttachedProcess): Promise<number> =>
  (await worker.state()).workers[0]?.errors ?? 0;

describe.concurrent.each([5, 6] as const)('a BullMQ %i worker while Redis is full', (version) => {
  it('that is busy goes on draining: the guard does not break the chain by which jobs follow each other', async ({
    scene,
  }) => {
    const { redis, ear } = scene;
    const worker = await start(scene, version, true, 10);
    const id = worker.ids[0] ?? '';
    await add(redis, 5, { ms: 3_000 });
    await ear.beatOf(id, (beat) => beat.running === 5);
    await add(redis, 300, { ms: 20 });
    await until('busy', async () => ((await worker.state()).workers[0]?.completed ?? 0) > 10);
    await add(redis, 1_000, { ms: 20 });
    await fill(redis);
    await ear.beatOf(id, (beat) => beat.errors.oom > 0 || beat.guard.sinceMs !== null);
    await until('all are done', async () => ((await worker.state()).workers[0]?.completed ?? 0) >= 600);
  });
});

describe.concurrent('an order while Redis is full', () => {
  it('is heard, answered and in force once there is room', async ({ scene }) => {
    const { redis, ear } = scene;
    await add(redis, 200, { ms: 500 });
    await fill(redis);
    const worker = await start(scene, 6, true);
    const id = worker.ids[0] ?? '';
    await ear.beatOf(id, (beat) => beat.guard.sinceMs !== null);
    const answer = await ear.order(anOrder({ setting: 'concurrency', value: 20 }), id);
    expect(answer).toMatchObject({ result: 'applied', concurrency: 20 });
    await redis.client.config('SET', 'maxmemory', '0');
    await ear.beatOf(id, (beat) => beat.running === 20);
  });
});

// By itself: it is to be prompt.
describe.each([5, 6] as const)('a BullMQ %i worker while Redis is full', (version) => {
  it('is kept from spinning, and takes jobs again within a second of relief', async ({ scene }) => {
    const { redis, ear } = scene;
    await add(redis, 200);
    await fill(redis);
    const worker = await start(scene, version, true);
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
});

// By itself: it takes a core.
describe('without the agent', () => {
  it('the same worker spins: what the guard is for', async ({ scene }) => {
    const { redis } = scene;
    await add(redis, 200);
    await fill(redis);
    const worker = await start(scene, 6, false);
    await until('thousands of errors', async () => (await errorsOf(worker)) > 2_000);
    expect((await worker.state()).workers[0]?.completed).toBe(0);
  });
});
