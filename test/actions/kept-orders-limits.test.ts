import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect } from 'vitest';
import { KEPT_ORDERS_FIELD } from '../../agent/protocol.js';
import { signOrder } from '../../agent/signature.js';
import { overfill } from '../../drills/own-redis.js';
import { runAction } from '../../server/actions/run.js';
import { type GivenOrder, giveBack, keepOverrides, takeAllOverrides } from '../../server/redis/overrides.js';
import type { QueueHandle } from '../../server/redis/queue-control.js';

import { anOrder } from '../support/agent-ear.js';
import { until } from '../support/until.js';
import { concurrencyOf, it } from '../support/worker-scene.js';

const overQueue = { queues: ['bull:work'] };
const MINUTE_MS = 60_000;

describe.concurrent('what a queue keeps', () => {
  it('is at most 500 orders: what is too much is refused and says what to do, what replaces one is not', async ({
    scene,
  }) => {
    await scene.add(1);
    const process = await scene.workers({ attach: { name: 'first' } });
    const scopes = ['*', ...Array.from({ length: 499 }, (_, i) => `worker-${i}@web`)];
    const untilMs = Date.now() - 1;
    const over = [1, 2, 3].map((i) =>
      anOrder({ setting: 'concurrency', value: 3, scope: `over-${i}@web`, untilMs }),
    );
    await scene.keep([
      ...scopes.map((scope) => anOrder({ setting: 'concurrency', value: 3, scope })),
      ...over,
    ]);
    const workers = [process.ids[0] ?? ''];
    const outcome = await scene.bench.pullOne('worker.concurrency', { workers, args: { value: 4 } });
    expect(outcome).toMatchObject({
      status: 'refused',
      summary: expect.stringMatching(/keeps 500 orders already.*revert/i),
    });
    const replaced = await scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 4 } });
    expect(replaced.status).toBe('applied');
    expect(Object.keys(await scene.kept())).toHaveLength(500);
    await scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: null } });
    const fits = await scene.bench.pullOne('worker.concurrency', { workers, args: { value: 4 } });
    expect(fits.status).toBe('applied');
  });

  it('makes room by itself of what was for workers without a name that have ended', async ({ scene }) => {
    await scene.add(1);
    const process = await scene.workers({});
    const gone = '5f0c1f0e-0000-4000-8000-000000000001';
    const scopes = Array.from({ length: 499 }, (_, i) => `worker-${i}@web`);
    const atMs = Date.now() - 2 * MINUTE_MS;
    await scene.keep(
      [...scopes, gone].map((scope) => anOrder({ setting: 'concurrency', value: 3, scope, atMs })),
    );
    const request = {
      action: 'worker.concurrency',
      instance: 'default',
      queues: [],
      workers: [process.ids[0] ?? ''],
      args: { value: 4 },
      reason: 'test',
      dryRun: false,
    };
    const olga = { name: 'olga', role: 'admin', via: 'token' } as const;
    const [early] = await runAction(scene.bench.deps, olga, request);
    expect(early?.status).toBe('refused');
    // A console that has heard for some minutes knows who is there.
    const later = { ...scene.bench.deps, now: () => Date.now() + 2 * MINUTE_MS };
    const [outcome] = await runAction(later, olga, request);
    expect(outcome?.status).toBe('applied');
    expect(await scene.kept()).not.toHaveProperty(`${gone}|concurrency`);
    expect(Object.keys(await scene.kept())).toHaveLength(500);
  });
});

describe.concurrent('while Redis is full', () => {
  it.for([
    ['from 7.0 on', true],
    ['before 7.0', false],
  ] as const)(
    'orders are kept, put back and taken away (as scripts run %s)',
    async ([, canFlagScripts], { scene }) => {
      const { client } = scene.redis;
      const queue: QueueHandle = { client, canFlagScripts, id: 'bull:work' };
      await client.hset('bull:work:meta', 'version', 'bullmq:6.7.0');
      await client.setrange('ballast', 40_000_000, 'x');
      await overfill(scene.redis);
      await expect(client.hset('bull:work:meta', 'more', '1')).rejects.toThrow(/OOM/);
      const nowMs = Date.now();
      const give = (value: number): GivenOrder => {
        const order = anOrder({ setting: 'concurrency', value });
        return { order, signed: signOrder(order, null) };
      };
      const [first, second, third] = [give(1), give(2), give(3)];
      expect(await keepOverrides(queue, [first], nowMs)).toEqual({});
      const former = await keepOverrides(queue, [second], nowMs);
      expect(former).toEqual({ '*|concurrency': first.signed });
      await giveBack(queue, [second], former ?? {}, nowMs);
      expect(await scene.kept()).toEqual({ '*|concurrency': 1 });
      await keepOverrides(queue, [third], nowMs);
      await giveBack(queue, [second], former ?? {}, nowMs);
      expect(await scene.kept()).toEqual({ '*|concurrency': 3 });
      expect(await takeAllOverrides(queue, nowMs)).toEqual({ '*|concurrency': third.signed });
      expect(await client.hexists('bull:work:meta', KEPT_ORDERS_FIELD)).toBe(0);
      expect(await client.hget('bull:work:meta', 'version')).toBe('bullmq:6.7.0');
    },
  );
});

describe.concurrent('a worker that has ended when the order comes', () => {
  it.for([
    ['with a name, is told as silent, and the order waits for it', 'first', /the order is kept/],
    [
      'without a name, is reported as silent, and that the order may have ended with it',
      undefined,
      /so has the order/,
    ],
  ] as const)('%s', async ([, name, words], { scene }) => {
    await scene.add(1);
    const process = await scene.workers({ attach: name === undefined ? {} : { name } });
    const workers = [process.ids[0] ?? ''];
    await process.stop();
    const outcome = await scene.bench.pullOne('worker.concurrency', { workers, args: { value: 3 } });
    expect(outcome.status).toBe('unverified');
    expect(outcome.summary).toMatch(words);
    const reverted = await scene.bench.pullOne('worker.revert', { workers });
    expect(reverted.summary).toMatch(/nothing is kept for it any more/);
    expect(await scene.kept()).toEqual({});
  });
});

describe.concurrent('a connection that hangs between keeping and publishing', () => {
  it('leaves the order kept, and says that workers follow and that it is not known whether they have heard it', async ({
    scene,
  }) => {
    await scene.add(1);
    const process = await scene.workers({});
    const way = await startWayThatHangs(scene.redis.port, 'order:bull:work');
    const remote = await scene.console({ url: `redis://127.0.0.1:${way.port}` });
    await scene.heard([process.ids[0] ?? ''], remote);
    const outcome = await remote.pullOne('workers.concurrency', { ...overQueue, args: { value: 9 } });
    expect(outcome.status).toBe('unverified');
    expect(outcome.summary).toMatch(/Could not tell the workers for sure.*kept.*half a minute/);
    expect(await scene.kept()).toEqual({ '*|concurrency': 9 });
    way.stop();
    // A worker that connects anew reads what is kept, as each does twice a minute.
    await scene.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until('it follows', async () => (await concurrencyOf(process))[0] === 9);
  });
});

/** A way to Redis that lets nothing more through from the moment at which somebody says this. */
async function startWayThatHangs(port: number, said: string): Promise<{ port: number; stop(): void }> {
  const sockets = new Set<Socket>();
  let isHanging = false;
  const server = createServer((client) => {
    const redis = connect(port, '127.0.0.1');
    for (const socket of [client, redis]) sockets.add(socket.on('error', () => socket.destroy()));
    client.on('data', (bytes) => {
      isHanging ||= bytes.includes(said);
      if (!isHanging) redis.write(bytes);
    });
    redis.on('data', (bytes) => {
      if (!isHanging) client.write(bytes);
    });
    client.on('close', () => redis.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
