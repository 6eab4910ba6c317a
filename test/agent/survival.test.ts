import { describe, expect } from 'vitest';
import type { Beat } from '../../agent/protocol.js';
import type { OwnRedis } from '../../drills/own-redis.js';
import { anOrder } from '../support/agent-ear.js';
import { it } from '../support/agent-scene.js';
import type { AttachedProcess, Usage } from '../support/attached-process.js';
import { until } from '../support/until.js';

const YEAR_MS = 365 * 86_400_000;

/** What the process takes of a core from now on, over as long as the condition needs and at least a second. */
async function cpuWhile(worker: AttachedProcess, ready: (usage: Usage) => Promise<boolean>): Promise<number> {
  const from = await worker.usage();
  let to = from;
  await until('the window is over', async () => {
    to = await worker.usage();
    return to.atMs - from.atMs > 1_000 && (await ready(to));
  });
  return (to.cpuMs - from.cpuMs) / (to.atMs - from.atMs);
}

/** Redis is frozen, killed, and replaced by an empty one. */
async function harm(redis: OwnRedis, worker: AttachedProcess): Promise<void> {
  redis.freeze();
  expect(await cpuWhile(worker, async () => true)).toBeLessThan(0.7);
  await redis.kill();
  expect(await cpuWhile(worker, async () => true)).toBeLessThan(0.7);
  await redis.restart();
}

const hasWorker = (beat: Beat, id: string): boolean => beat.workers.some((one) => one.id === id);

describe.concurrent('a worker’s process lives on, does not spin and does not grow', () => {
  it.for(['ioredis6', 'ioredis5'] as const)(
    'with %s while its Redis is frozen, killed and replaced, and the agent is heard again',
    async (client, { scene: { redis, ear, start } }) => {
      const { worker, id } = await start(client === 'ioredis5' ? { client } : {});
      const before = await worker.usage();
      await harm(redis, worker);
      const from = ear.beats.length;
      await until('it beats', () => ear.beats.slice(from).some((beat) => hasWorker(beat, id)));
      await until('it holds no more than before', async () => {
        const after = await worker.usage();
        return after.resources <= before.resources + 2 && after.listeners <= before.listeners;
      });
      expect((await worker.state()).problems).toEqual([]);
    },
  );

  it('with node-redis and Valkey Glide, and with an ioredis client given beside, under the same faults', async ({
    scene: { redis, ear, add, startSilent },
  }) => {
    const worker = await startSilent(
      { client: 'node-redis', attach: {} },
      { client: 'glide', attach: {} },
      { client: 'node-redis', attach: { connectTo: redis.port } },
    );
    const ids = worker.ids.map((id) => id ?? '');
    for (const id of ids) await ear.beatOf(id, () => true);
    const before = await worker.usage();
    await harm(redis, worker);
    const from = ear.beats.length;
    for (const id of ids)
      await until('it beats again', () => ear.beats.slice(from).some((beat) => hasWorker(beat, id)));
    await add(12);
    await until(
      'they work again',
      async () => (await worker.state()).workers.reduce((sum, one) => sum + one.completed, 0) >= 12,
    );
    await until('they hold no more than before', async () => {
      const after = await worker.usage();
      return after.resources <= before.resources + 2 && after.listeners <= before.listeners;
    });
    expect((await worker.state()).problems).toEqual([]);
  });

  it('when its clock jumps by a year either way, and without a descriptor left, also when its Redis is lost then', async ({
    scene: { redis, ear, start },
  }) => {
    const { worker, id } = await start({}, { mostFiles: 200 });
    const beatsTwice = async (): Promise<(usage: Usage) => Promise<boolean>> => {
      const from = ear.beats.length;
      return async () => ear.beats.slice(from).filter((beat) => hasWorker(beat, id)).length > 2;
    };
    await worker.tell('setClock', { aheadMs: YEAR_MS });
    expect(await cpuWhile(worker, await beatsTwice())).toBeLessThan(0.5);
    await ear.beatOf(id, (_, all) => (all.host?.clockJumpMs ?? 0) > YEAR_MS / 2);
    // What is read with one clock is taken back with another.
    await ear.keep(anOrder({ setting: 'concurrency', value: 8, untilMs: null }));
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'no');
    await ear.beatOf(id, (beat) => beat.concurrency.now === 8);
    await worker.tell('setClock', { aheadMs: -YEAR_MS });
    expect(await cpuWhile(worker, await beatsTwice())).toBeLessThan(0.5);
    await redis.client.hdel('bull:work:meta', 'spillway.workers');
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'no');
    await until('it lets go', () => ear.last(id)?.concurrency.now === 5);
    await worker.tell('setClock', { aheadMs: 0 });

    // Again and again: sockets of former connections are still being closed.
    await until('it beats without', async () => {
      expect(await worker.tell('exhaust')).toBe('EMFILE');
      const last = ear.beats.findLast((beat) => hasWorker(beat, id));
      return last !== undefined && last.rssBytes === undefined && last.host?.runWaitMs === null;
    });
    await redis.kill();
    expect(await cpuWhile(worker, async () => true)).toBeLessThan(0.7);
    await redis.restart();
    expect((await worker.usage()).listeners).toBeGreaterThan(0);
    expect((await worker.state()).problems).toEqual([expect.stringMatching(/reading its memory.*EMFILE/)]);
  });

  it('where Redis lets its user neither hear nor speak on channels of consoles, reported once', async ({
    scene: { redis, ear, add, startSilent },
  }) => {
    await redis.client.call('ACL', 'SETUSER', 'jobs', 'on', 'nopass', '+@all', '~bull:*', 'resetchannels');
    const options = { connection: { port: redis.port, username: 'jobs', password: 'any' } };
    const worker = await startSilent({ attach: {}, options });
    await until('it is told', async () => (await worker.state()).problems.length > 0);
    await add(100);
    await until('all jobs are done', async () => (await worker.state()).workers[0]?.completed === 100);
    expect(await cpuWhile(worker, async () => true)).toBeLessThan(0.5);
    const { problems } = await worker.state();
    expect(problems).toEqual([
      expect.stringMatching(/does not let this user speak to consoles .*spillway:\*; the worker works on/),
    ]);
    expect(ear.beats).toEqual([]);
  });

  it('though its onProblem throws or rejects and Redis says garbage, and runs each job once', async ({
    scene: { redis, ear, startSilent, add },
  }) => {
    const attach = { secret: 'short' };
    const worker = await startSilent({ attach, problemFails: 'throws' }, { attach, problemFails: 'rejects' });
    const id = worker.ids[0] ?? '';
    const deep = '['.repeat(200_000);
    const body = JSON.stringify(deep.slice(0, 9_000));
    await ear.beatOf(id, () => true);
    for (const text of [
      '',
      '{',
      deep,
      `{"a":${deep}`,
      'x'.repeat(20_000_000),
      `{"v":1,"body":${body},"sig":null}`,
    ])
      await redis.client.publish('spillway:0:order:bull:work', text);
    await redis.client.hset('bull:work:meta', 'spillway.workers', `{"x":"${'y'.repeat(30_000_000)}"}`);
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'no');
    const from = ear.beats.length;
    await until('it beats', () => ear.beats.slice(from).some((beat) => hasWorker(beat, id)));
    // A query begins each time that it is waited for.
    await add(6, { lazy: true });
    await until(
      'all are done',
      async () => (await worker.state()).workers.reduce((sum, one) => sum + one.completed, 0) === 6,
    );
    const { problems, lazyRuns } = await worker.state();
    expect(lazyRuns).toBe(6);
    expect(problems.filter((problem) => /secret: it has fewer/.test(problem))).toHaveLength(2);
    expect(problems.some((problem) => /bytes stand in spillway.workers/.test(problem))).toBe(true);
  });
});
