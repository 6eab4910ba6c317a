import { Worker } from 'bullmq';
import { Queue as Queue5 } from 'bullmq-v5';
import { describe, expect, test } from 'vitest';

import { overfill, usedBytes } from '../../drills/own-redis.js';
import type { Watch } from '../../server/watch/watch.js';
import { nextToRead } from '../../server/watch/watched-queues.js';
import { it, type RedisWorld } from '../support/redis-test.js';
import { until } from '../support/until.js';
import { anInstance, untilQueue, untilSnapshot, watching } from '../support/watching.js';

/** A watcher of that Redis. */
function start({ redis, endLater }: RedisWorld): Watch {
  const { watch } = watching(anInstance(redis.url));
  endLater(() => watch.stop());
  return watch;
}

describe.concurrent('finding queues', () => {
  it('takes names with any characters and prefixes with colons', async ({ world }) => {
    const { aQueue } = world;
    const watch = start(world);
    const names = [
      '<script>alert(1)</script>',
      'a b/c?d#e%20',
      'очередь 🚰',
      '"quotes"\\and\nlines',
      '{braces}',
    ];
    for (const name of names) await aQueue(name, 'my:app').add('job', {});
    for (const name of names)
      await untilQueue(watch, `my:app:${name}`, (state) => state.counts.waiting === 1);
    expect(watch.snapshot('default')?.queues.find((state) => state.name === names[0])?.prefix).toBe('my:app');
  });

  it('does not take an application hash named meta for a queue', async ({ world }) => {
    const { redis, aQueue } = world;
    const watch = start(world);
    await redis.client.hset('shop:product:meta', 'title', 'shoes');
    await aQueue('mail').add('send', {});
    await untilQueue(watch, 'bull:mail');
    await untilSnapshot(watch, 'a pass', (snapshot) => snapshot.discovery.lastPassAtMs !== null);
    expect(watch.snapshot('default')?.queues.map((state) => state.id)).toEqual(['bull:mail']);
  });

  it('opens no queue in a way that changes it', async ({ world }) => {
    const { redis, aQueue } = world;
    const watch = start(world);
    const queue = aQueue('mail');
    await queue.add('send', {});
    const before = await redis.client.hgetall('bull:mail:meta');
    await untilQueue(watch, 'bull:mail', (state) => state.memory !== null);
    expect(await redis.client.hgetall('bull:mail:meta')).toEqual(before);
  });
});

describe('whom a tick reads of more queues than it can', () => {
  const seen = (id: string) => ({ id, last: {} });
  const found = (id: string) => ({ id, last: null });
  const order = (most: number, ...due: readonly { readonly id: string; readonly last: unknown }[]) =>
    nextToRead(due, most).map(({ id }) => id);

  test('new queues are read first, however many others are due before them', () => {
    expect(order(3, seen('a'), seen('b'), seen('c'), found('new-1'), found('new-2'))).toEqual([
      'new-1',
      'new-2',
      'a',
    ]);
    expect(order(1, seen('a'), found('new-1'), found('new-2'))).toEqual(['new-1']);
  });

  test('where all can be read, all are, in their turn', () => {
    expect(order(3, seen('a'), found('new'), seen('b'))).toEqual(['a', 'new', 'b']);
    expect(order(2)).toEqual([]);
  });
});

describe.concurrent('reading queues', () => {
  it('counts the jobs of a queue that BullMQ 5 paused, which lie in another list', async ({ world }) => {
    const { redis, endLater } = world;
    const watch = start(world);
    const queue = new Queue5('old', { connection: { port: redis.port } });
    endLater(() => queue.close());
    await queue.pause();
    await queue.addBulk([1, 2, 3].map((i) => ({ name: 'job', data: { i } })));
    const state = await untilQueue(watch, 'bull:old', (found) => found.counts.waiting === 3);
    expect(state.counts.legacyPaused).toBe(3);
    expect(state.flow).toBe('paused');
    expect(state.backlog).toBe(3);
  });

  it('counts each state, the workers, and how fast jobs come and go', async ({ world }) => {
    const { redis, aQueue, endLater } = world;
    const watch = start(world);
    const queue = aQueue('mail');
    await queue.addBulk(Array.from({ length: 200 }, (_, i) => ({ name: 'send', data: { i } })));
    await queue.add('later', {}, { delay: 3_600_000 });
    await queue.add('first', {}, { priority: 5 });
    await untilQueue(watch, 'bull:mail', (state) => state.counts.waiting === 200);
    const worker = new Worker('mail', () => new Promise((resolve) => setTimeout(resolve, 100)), {
      connection: { port: redis.port },
      concurrency: 2,
      name: 'one',
    });
    endLater(() => worker.close(true));
    const state = await untilQueue(
      watch,
      'bull:mail',
      (found) => found.counts.completed > 5 && (found.rates?.departuresPerSecond ?? 0) > 5,
    );
    expect(state.workers).toBe(1);
    expect(state.counts.delayed).toBe(1);
    expect(state.counts.active).toBe(2);
    expect(state.oldestWaitingAtMs).toBeGreaterThan(Date.now() - 60_000);
    expect(state.rates?.departuresPerSecond).toBeLessThan(40);
  });

  it('counts delayed jobs as waiting once they are due and no worker has moved them', async ({ world }) => {
    const { aQueue } = world;
    const watch = start(world);
    const queue = aQueue('mail');
    await queue.add('later', {}, { delay: 3_600_000 });
    await queue.add('soon', {}, { delay: 300 });
    const state = await untilQueue(watch, 'bull:mail', (found) => found.backlog === 1);
    expect(state.counts.delayed).toBe(2);
    expect(state.unfinished).toBe(2);
  });

  it('estimates what the jobs, results and events of a queue hold to within a third', async ({ world }) => {
    const { redis, aQueue } = world;
    const watch = start(world);
    const queue = aQueue('mail');
    const before = await usedBytes(redis);
    await queue.addBulk(
      Array.from({ length: 2_000 }, (_, i) => ({ name: 'send', data: { i, pad: 'x'.repeat(500) } })),
    );
    const state = await untilQueue(
      watch,
      'bull:mail',
      (found) => found.memory !== null && found.counts.waiting === 2_000,
    );
    const held = (await usedBytes(redis)) - before;
    const estimate = await until('a sample of all jobs', () => {
      const found = watch.snapshot('default')?.queues.find((queue) => queue.id === state.id);
      return found?.memory && found.memory.totalBytes > held * 0.67 ? found.memory : null;
    });
    expect(estimate.totalBytes).toBeLessThan(held * 1.33);
    expect(estimate.eventsBytes).toBeGreaterThan(0);
  });

  it('sees that Redis refuses writes, and how many a second', async ({ world }) => {
    const { redis, aQueue } = world;
    const watch = start(world);
    const queue = aQueue('mail');
    await queue.addBulk(
      Array.from({ length: 3_000 }, (_, i) => ({ name: 'send', data: { i, pad: 'x'.repeat(300) } })),
    );
    await overfill(redis);
    await untilSnapshot(watch, 'full', (snapshot) => snapshot.nodes[0]?.isFull === true);
    await expect(queue.add('send', {})).rejects.toThrow(/OOM/);
    await until('the finding', () => watch.findings().some((finding) => finding.code === 'redis.full'));
    const [worst] = watch.findings();
    expect(worst?.code).toBe('redis.full');
    expect(worst?.severity).toBe('critical');
  });

  it('keeps its own share of Redis CPU in view and within its budget', async ({ world }) => {
    const { aQueue } = world;
    const watch = start(world);
    for (let i = 0; i < 20; i++) await aQueue(`queue-${i}`).add('job', {});
    const snapshot = await untilSnapshot(
      watch,
      'a measured share',
      (found) => found.queues.length === 20 && found.poll.ownCpuRatio > 0,
    );
    expect(snapshot.poll.ownCpuRatio).toBeLessThan(snapshot.poll.budgetRatio);
  });
});

// By itself: it is to be prompt.
describe('finding queues', () => {
  it('shows a new queue within 10 s and drops a deleted one', async ({ world }) => {
    const { aQueue } = world;
    const watch = start(world);
    await untilSnapshot(watch, 'first pass', (snapshot) => snapshot.discovery.lastPassAtMs !== null);
    const queue = aQueue('mail');
    await queue.add('send', {});
    await untilQueue(watch, 'bull:mail', (state) => state.counts.waiting === 1, 10_000);
    await queue.obliterate({ force: true });
    await until('it is gone', () => watch.snapshot('default')?.queues.length === 0);
  });
});
