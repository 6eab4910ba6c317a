import { Redis } from 'ioredis';
import { describe, expect } from 'vitest';
import { it } from '../support/redis-test.js';
import { anInstance, untilQueue, untilSnapshot, watching } from '../support/watching.js';

const MB = 2 ** 20;

/** Bytes that this Redis has sent to anybody. */
async function sentBytes(redis: { readonly client: Redis }): Promise<number> {
  return Number(/total_net_output_bytes:(\d+)/.exec(await redis.client.info('stats'))?.[1]);
}

describe('answers of any size', () => {
  it('a list of clients with long names is not taken: who is connected is unknown, and the rest is read on', async ({
    world: { redis, aQueue, endLater },
  }) => {
    await aQueue('mail').add('job', {});
    for (let i = 0; i < 30; i++) {
      const client = new Redis(redis.port, { lazyConnect: true });
      endLater(async () => client.disconnect());
      await client.connect();
      await client.client('SETNAME', `bull:${'n'.repeat(2 * MB)}`);
    }
    const { watch, events } = watching(anInstance(redis.url));
    endLater(() => watch.stop());
    await untilSnapshot(
      watch,
      'a dozen looks',
      ({ poll, link }) => poll.ticks >= 12 && link.status === 'live',
    );
    const queue = await untilQueue(watch, 'bull:mail', ({ backlog }) => backlog === 1);
    expect(queue.workers).toBeNull();
    expect(queue.verdict).not.toBe('no-workers');
    expect(events.map(({ kind }) => kind)).not.toContain('redis.unreachable');
    // Asked for once in so many looks, and cut off well before its end.
    expect(await sentBytes(redis)).toBeLessThan(40 * MB);
  });

  it('job ids of a megabyte make no answer large, and hide nothing else', async ({
    world: { redis, aQueue, endLater },
  }) => {
    await aQueue('mail').add('job', {});
    await aQueue('odd').add('job', {});
    for (let i = 0; i < 400; i++) await redis.client.lpush('bull:odd:wait', `${i}-${'x'.repeat(MB)}`);
    const before = await sentBytes(redis);
    const { watch } = watching(anInstance(redis.url));
    endLater(() => watch.stop());
    await untilSnapshot(watch, 'some looks', ({ poll, link }) => poll.ticks >= 20 && link.status === 'live');
    await untilQueue(watch, 'bull:mail', ({ memory }) => memory !== null);
    // All of them would be 400 MB at each look.
    expect((await sentBytes(redis)) - before).toBeLessThan(300 * MB);
  });
});
