import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { signOrder } from '../../agent/signature.js';
import { overfill } from '../../drills/own-redis.js';
import { anOrder } from '../support/agent-ear.js';
import { it } from '../support/agent-scene.js';
import { until } from '../support/until.js';

describe.concurrent('a worker that reaches Redis by another client than ioredis', () => {
  it.for(['node-redis', 'glide', 'bun'] as const)(
    'by %s, is seen, takes orders, also over maxmemory, and hears again after its connections were cut',
    async (client, { scene: { redis, ear, add, start } }) => {
      const { worker, id } = await start({ client });
      expect((await worker.state()).problems).toEqual([]);
      await add(3);
      await ear.beatOf(id, ({ types }) => types.some(({ completed }) => completed > 0));
      const sentAt = performance.now();
      const ordered = await ear.order(anOrder({ setting: 'concurrency', value: 7 }), id);
      expect(ordered).toMatchObject({ result: 'applied', concurrency: 7 });
      // 250 ms are promised; a machine that runs a suite beside may take longer.
      expect(performance.now() - sentAt).toBeLessThan(2_000);

      await redis.client.setrange('ballast', 40_000_000, 'x');
      await overfill(redis);
      expect(await ear.order(anOrder({ setting: 'concurrency', value: 9 }), id)).toMatchObject({
        concurrency: 9,
      });
      await redis.client.config('SET', 'maxmemory', '0');

      await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'no');
      await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      // What is said while nobody listens is lost, as it is not kept: so it is said again.
      const again = anOrder({ setting: 'concurrency', value: 4 });
      await until(
        'it takes orders again',
        async () => {
          await ear.publish('bull:work', signOrder({ ...again, id: randomUUID() }, null));
          return ear.last(id)?.concurrency.now === 4;
        },
        { everyMs: 200 },
      );
      await redis.restart();
      const from = ear.beats.length;
      await until('it beats after a restart of Redis', () =>
        ear.beats.slice(from).some(({ workers }) => workers.some((one) => one.id === id)),
      );
      await add(3);
      await until('it works', async () => ((await worker.state()).workers[0]?.completed ?? 0) >= 6);
    },
  );
});
