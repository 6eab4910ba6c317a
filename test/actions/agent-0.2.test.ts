import { describe, expect } from 'vitest';
import { until } from '../support/until.js';
import { concurrencyOf, it } from '../support/worker-scene.js';

const overQueue = { queues: ['bull:work'] };
const agent = '0.2.0';

describe.concurrent('workers whose agent is of 0.2.0', () => {
  it('are seen with all that they say, obey each order, and follow what is kept when they start again', async ({
    scene: { bench, workers, add, heard },
  }) => {
    await add(20);
    const old = await workers({ agent, attach: { name: 'old' } });
    await workers({ attach: { name: 'new' } });
    const id = old.ids[0] ?? '';
    const seen = await until('what it has done is known', () =>
      bench.watch
        .snapshot('default')
        ?.workers.find((one) => one.id === id && one.agent?.types.some(({ run }) => (run?.count ?? 0) > 0)),
    );
    expect(seen).toMatchObject({
      verdict: 'healthy',
      agent: { agentVersion: '0.2.0', asksForOrders: false, concurrency: { deployed: 5, now: 5 } },
    });
    const slots = await bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 20 } });
    expect([slots.status, ...slots.workers.map(({ result }) => result)]).toEqual([
      'applied',
      'applied',
      'applied',
    ]);
    expect(await concurrencyOf(old)).toEqual([20]);
    for (const [action, isPaused] of [
      ['worker.pause', true],
      ['worker.resume', false],
    ] as const) {
      expect((await bench.pullOne(action, { workers: [id] })).status).toBe('applied');
      await until('it is so', async () => (await old.state()).workers[0]?.isPaused === isPaused);
    }
    const again = await workers({ agent, attach: { name: 'again' } });
    await until('it follows what is kept', async () => (await concurrencyOf(again))[0] === 20);
    const back = await bench.pullOne('workers.revert', overQueue);
    expect(back.status).toBe('applied');
    expect([await concurrencyOf(old), await concurrencyOf(again)]).toEqual([[5], [5]]);
    await heard([id]);
  });

  it('obey with a secret too, one of them or all of a queue', async ({
    scene: { workers, console: another, add, heard },
  }) => {
    await add(1);
    const secret = 'a secret of the workers and their console';
    const signing = await another({ agentSecret: secret });
    const old = await workers({ agent, attach: { secret } }, { attach: { secret } });
    const ids = old.ids.flatMap((id) => id ?? []);
    await heard(ids, signing);
    const all = await signing.pullOne('workers.concurrency', { ...overQueue, args: { value: 8 } });
    expect([all.status, await concurrencyOf(old)]).toEqual(['applied', [8, 8]]);
    const one = { workers: ids.slice(0, 1), args: { value: 3 } };
    const outcome = await signing.pullOne('worker.concurrency', one);
    expect([outcome.status, await concurrencyOf(old)]).toEqual(['applied', [3, 8]]);
  });

  it('can not be reconnected, which is said with what to do instead', async ({
    scene: { bench, workers, add },
  }) => {
    await add(1);
    const old = await workers({ agent });
    const outcome = await bench.pullOne('worker.reconnect', { workers: old.ids.flatMap((id) => id ?? []) });
    expect(outcome.status).toBe('unverified');
    expect(outcome.summary).toMatch(/older than this order.*restart its process: pid \d+ on /);
  });
});
