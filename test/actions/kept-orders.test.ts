import { hostname } from 'node:os';
import { describe, expect } from 'vitest';
import { KEPT_ORDERS_FIELD } from '../../agent/protocol.js';
import { ANSWER_WITHIN_MS } from '../../server/actions/order-answers.js';
import { anOrder } from '../support/agent-ear.js';
import { until } from '../support/until.js';
import { concurrencyOf, it } from '../support/worker-scene.js';

const overQueue = { queues: ['bull:work'] };
const host = hostname();

describe.concurrent('an order that every worker refuses', () => {
  it('does not take away what another console has ordered meanwhile', async ({ scene }) => {
    await scene.add(1);
    const process = await scene.workers({ attach: { limits: { maxConcurrency: 8 } } });
    await scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 7 } });
    const other = await scene.console();
    await scene.heard([process.ids[0] ?? ''], other);
    process.signal('SIGSTOP');
    const refused = scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 50 } });
    await until('it is kept', async () => (await scene.kept())['*|concurrency'] === 50);
    const obeyed = other.pullOne('workers.concurrency', { ...overQueue, args: { value: 6 } });
    await until('the other’s is kept', async () => (await scene.kept())['*|concurrency'] === 6);
    process.signal('SIGCONT');
    expect((await refused).status).toBe('refused');
    expect((await obeyed).status).toBe('applied');
    expect(await scene.kept()).toEqual({ '*|concurrency': 6 });
    expect(await concurrencyOf(process)).toEqual([6]);
  });

  it('leaves all as it was where it was to take others back: of all workers, of one, of a whole queue', async ({
    scene,
  }) => {
    await scene.add(1);
    const process = await scene.workers({ attach: { name: 'first' } });
    const [id = ''] = process.ids.flatMap((one) => one ?? []);
    await scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 7 } });
    await scene.bench.pullOne('worker.limiter', { workers: [id], args: { max: 9 } });
    await scene.bench.pullOne('worker.concurrency', { workers: [id], args: { value: 9 } });
    const before = await scene.kept();
    expect(Object.keys(before)).toHaveLength(3);
    await process.tell('stiffen');
    for (const [action, request] of [
      ['worker.concurrency', { workers: [id], args: { value: null } }],
      ['worker.revert', { workers: [id] }],
      ['workers.revert', overQueue],
    ] as const) {
      const outcome = await scene.bench.pullOne(action, request);
      expect([action, outcome.status]).toEqual([action, 'refused']);
      expect(outcome.summary).toMatch(/concurrency is fixed here.*nothing was changed/);
      expect(await scene.kept()).toEqual(before);
      // What the worker says of its orders is what it did before.
      await scene.bench.seen('bull:work', ({ overrides }) => overrides.length === 3);
      const [state] = (await process.state()).workers;
      expect(state).toMatchObject({ concurrency: 9, limiter: { max: 9 } });
    }
  });
});

describe.concurrent('orders for one worker', () => {
  it('are taken back for it alone, whatever characters are in the names of the others', async ({ scene }) => {
    await scene.add(1);
    const names = ['a', `a@${host}|b`, 'a b', 'Ä*?[a]', '*|concurrency'];
    const process = await scene.workers(...names.map((name) => ({ attach: { name } })));
    for (const id of process.ids)
      await scene.bench.pullOne('worker.concurrency', { workers: [id ?? ''], args: { value: 3 } });
    await scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 9 } });
    await scene.bench.pullOne('worker.revert', { workers: [process.ids[0] ?? ''] });
    await scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: null } });
    expect(Object.keys(await scene.kept()).sort()).toEqual(
      names
        .slice(1)
        .map((name) => `${name}@${host}|concurrency`)
        .sort(),
    );
    expect(await concurrencyOf(process)).toEqual([5, 3, 3, 3, 3]);
  });

  it('are for it alone also where another has the same name, and it is said that they end with it', async ({
    scene,
  }) => {
    await scene.add(1);
    const process = await scene.workers({ attach: { name: 'twin' } }, { attach: { name: 'twin' } });
    const [first = '', second = ''] = process.ids.flatMap((one) => one ?? []);
    const outcome = await scene.bench.pullOne('worker.pause', { workers: [first] });
    expect(outcome.status).toBe('applied');
    expect(outcome.preview?.warnings.map(({ text }) => text).join(' ')).toMatch(/1 more .*twin@/);
    expect(await scene.kept()).toEqual({ [`${first}|paused`]: true });
    // A worker that comes reads what is kept, and so does one that connects anew.
    await scene.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const later = await scene.workers({ attach: { name: 'twin' } });
    await scene.heard([first, second]);
    expect((await process.state()).workers.map(({ isPaused }) => isPaused)).toEqual([true, false]);
    expect((await later.state()).workers[0]?.isPaused).toBe(false);
    await scene.bench.pullOne('worker.resume', { workers: [first] });
    expect(await scene.kept()).toEqual({});
  });
});

describe.concurrent('what is kept', () => {
  it('is taken back at once though no worker is there: one that ends at its start by it must be able to come', async ({
    scene,
  }) => {
    await scene.add(1);
    const process = await scene.workers({});
    await scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 9 } });
    await process.tell('close');
    await process.stop();
    await until('it is forgotten', () => scene.bench.watch.snapshot('default')?.workers.length === 0);
    const outcome = await scene.bench.pullOne('workers.revert', overQueue);
    expect(outcome).toMatchObject({ status: 'applied', summary: expect.stringMatching(/taken back/) });
    expect(outcome.summary).not.toMatch(/is kept/);
    expect(await scene.kept()).toEqual({});
  });

  it('is taken back within seconds though one of its workers hangs and many have orders of their own', async ({
    scene,
  }) => {
    await scene.add(1);
    const names = Array.from({ length: 8 }, (_, i) => `worker-${i}`);
    const process = await scene.workers({});
    const hanging = await scene.workers({});
    await scene.keep(
      names.map((name) => anOrder({ setting: 'concurrency', value: 3, scope: `${name}@${host}` })),
    );
    hanging.signal('SIGSTOP');
    const outcome = await scene.bench.pullOne('workers.revert', overQueue);
    expect(outcome.status).toBe('unverified');
    expect(outcome.summary).not.toMatch(/the order is kept/);
    expect(outcome.durationMs).toBeLessThan(2 * ANSWER_WITHIN_MS);
    expect(await concurrencyOf(process)).toEqual([5]);
    hanging.signal('SIGCONT');
  });

  it('is as it was where Redis takes the order but does not let it be published', async ({ scene }) => {
    await scene.add(1);
    const process = await scene.workers({});
    await scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 7 } });
    await scene.redis.client.call(
      ...(['ACL', 'SETUSER', 'console', 'on', '>pw', '~*', '+@all', 'resetchannels'] as const),
      '&spillway:0:up:*',
    );
    const mute = await scene.console({ url: `redis://console:pw@127.0.0.1:${scene.redis.port}` });
    await scene.heard([process.ids[0] ?? ''], mute);
    const outcome = await mute.pullOne('workers.concurrency', { ...overQueue, args: { value: 9 } });
    expect(outcome).toMatchObject({
      status: 'refused',
      summary: expect.stringMatching(/channels spillway:\*.*nothing was changed/),
    });
    expect(await scene.kept()).toEqual({ '*|concurrency': 7 });
    const revert = await mute.pullOne('workers.revert', overQueue);
    expect(revert.status).toBe('refused');
    expect(await scene.kept()).toEqual({ '*|concurrency': 7 });
  });

  it('and was written by others is shown only where a worker would follow it, and left where it may be of a later console', async ({
    scene,
  }) => {
    await scene.add(1);
    await scene.workers({});
    await scene.keep([
      anOrder({ setting: 'concurrency', value: 50, queue: 'bull:other' }),
      anOrder({ setting: 'concurrency', value: 1.5, scope: 'half@web' }),
      anOrder({ setting: 'concurrency', value: { factor: 0 }, scope: 'nought@web' }),
      anOrder({ setting: 'all', value: null, scope: 'all@web' }),
      anOrder({ setting: 'limiter', value: { max: 3, durationMs: 1_000 }, scope: 'first@web' }),
    ]);
    const text = await scene.redis.client.hget('bull:work:meta', KEPT_ORDERS_FIELD);
    const foreign = {
      ...JSON.parse(text ?? '{}'),
      later: { v: 2, body: 'of another kind', sig: null },
      junk: 7,
    };
    await scene.redis.client.hset('bull:work:meta', KEPT_ORDERS_FIELD, JSON.stringify(foreign));
    const seen = await scene.bench.seen('bull:work', ({ overrides }) => overrides.length > 0);
    expect(seen.overrides.map(({ scope }) => scope)).toEqual(['first@web']);
    await scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 6 } });
    const after = JSON.parse(
      (await scene.redis.client.hget('bull:work:meta', KEPT_ORDERS_FIELD)) ?? '{}',
    ) as Record<string, unknown>;
    expect(after.later).toEqual(foreign.later);
    expect(after).toHaveProperty('first@web|limiter');
    expect(after).not.toHaveProperty('junk');
  });

  it('that is no map of orders at all is written anew', async ({ scene }) => {
    await scene.add(1);
    const process = await scene.workers({});
    for (const text of ['{', '7', 'null', '[1,{"v":1}]', '"x"', '']) {
      await scene.redis.client.hset('bull:work:meta', KEPT_ORDERS_FIELD, text);
      const outcome = await scene.bench.pullOne('workers.concurrency', {
        ...overQueue,
        args: { value: 10 + text.length },
      });
      expect(outcome.status).toBe('applied');
      expect(await scene.kept()).toEqual({ '*|concurrency': 10 + text.length });
    }
    expect(await concurrencyOf(process)).toEqual([10]);
  });
});
