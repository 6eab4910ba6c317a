import { Redis } from 'ioredis';
import { describe, expect } from 'vitest';
import { KEPT_ORDERS_FIELD, orderChannel } from '../../agent/protocol.js';
import type { ActionBench } from '../support/action-bench.js';
import { until } from '../support/until.js';
import { concurrencyOf, it, startWorkerScene, type WorkerScene } from '../support/worker-scene.js';

const agentSecret = 'a secret of enough characters';
const overQueue = { queues: ['bull:work'] };
const withSecret = { attach: { secret: agentSecret } };

/** Looks of this console that begin after now. */
async function looks(bench: ActionBench, count: number): Promise<void> {
  const ticks = (): number => bench.watch.snapshot('default')?.poll.ticks ?? 0;
  const from = ticks();
  await until('the console has looked', () => ticks() >= from + count);
}

/** Everything that is said to workers of the queue. */
async function listen(scene: WorkerScene): Promise<{ readonly said: string[]; end(): void }> {
  const subscriber = new Redis({ port: scene.redis.port });
  subscriber.on('error', () => undefined);
  const said: string[] = [];
  subscriber.on('message', (_channel, text) => said.push(text));
  await subscriber.subscribe(orderChannel(0, 'bull:work'));
  return { said, end: () => subscriber.disconnect() };
}

describe.concurrent('with a secret, orders that somebody else puts back or says again', () => {
  it('are followed by no worker, also by one that comes later, while those that stand are', async ({
    scene,
  }) => {
    await scene.add(1);
    const meta = 'bull:work:meta';
    const console = await scene.console({ agentSecret });
    const { said, end } = await listen(scene);
    const first = await scene.workers(withSecret);
    await scene.heard([first.ids[0] ?? ''], console);
    await console.pullOne('workers.concurrency', { ...overQueue, args: { value: 1 } });
    expect(await concurrencyOf(first)).toEqual([1]);
    const stolen = (await scene.redis.client.hget(meta, KEPT_ORDERS_FIELD)) ?? '';
    expect(stolen).not.toBe('');
    await console.pullOne('workers.concurrency', { ...overQueue, args: { value: null } });
    await console.seen('bull:work', ({ overrides }) => overrides.length === 0);
    await looks(console, 2);
    await scene.redis.client.hset(meta, KEPT_ORDERS_FIELD, stolen);
    const second = await scene.workers(withSecret);
    await scene.heard([second.ids[0] ?? ''], console);
    // The first: what it was taken back by would take it back again.
    await scene.redis.client.publish(orderChannel(0, 'bull:work'), said[0] ?? '');
    await console.seen('bull:work', ({ overrides }) => overrides.length === 1);
    await looks(console, 15);
    expect(await concurrencyOf(first)).toEqual([5]);
    expect(await concurrencyOf(second)).toEqual([5]);
    // What stands is given to a worker that comes.
    await console.pullOne('workers.concurrency', { ...overQueue, args: { value: 9 } });
    const third = await scene.workers(withSecret);
    await until('it is given what stands', async () => (await concurrencyOf(third))[0] === 9);
    await console.pullOne('workers.revert', overQueue);
    expect(await concurrencyOf(third)).toEqual([5]);
    end();
  });

  it('on another Redis with the same secret neither', async ({ scene }) => {
    await scene.add(1);
    const other = await startWorkerScene();
    try {
      const console = await scene.console({ agentSecret });
      const { said, end } = await listen(scene);
      const here = await scene.workers(withSecret);
      await scene.heard([here.ids[0] ?? ''], console);
      await other.add(1);
      const there = await other.console({ agentSecret });
      const worker = await other.workers(withSecret);
      await other.heard([worker.ids[0] ?? ''], there);
      await console.pullOne('workers.concurrency', { ...overQueue, args: { value: 1 } });
      const kept = (await scene.redis.client.hget('bull:work:meta', KEPT_ORDERS_FIELD)) ?? '';
      await other.redis.client.hset('bull:work:meta', KEPT_ORDERS_FIELD, kept);
      for (const text of said) await other.redis.client.publish(orderChannel(0, 'bull:work'), text);
      const later = await other.workers(withSecret);
      await other.heard([later.ids[0] ?? ''], there);
      await there.seen('bull:work', ({ overrides }) => overrides.length === 1);
      await looks(there, 15);
      expect(await concurrencyOf(here)).toEqual([1]);
      expect(await concurrencyOf(worker)).toEqual([5]);
      expect(await concurrencyOf(later)).toEqual([5]);
      end();
    } finally {
      await other.stop();
    }
  });
});
