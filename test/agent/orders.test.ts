import { describe, expect } from 'vitest';
import type { Order } from '../../agent/protocol.js';
import { signOrder } from '../../agent/signature.js';
import { anOrder } from '../support/agent-ear.js';
import { it } from '../support/agent-scene.js';
import { until } from '../support/until.js';

describe.concurrent('an order to a worker', () => {
  it('raises the concurrency of a running worker at once, though all its slots are busy with long jobs', async ({
    scene: { ear, start, add },
  }) => {
    const { worker, id } = await start();
    await add(40, { ms: 8_000 });
    await ear.beatOf(id, (beat) => beat.running === 5);
    const atMs = Date.now();
    const answer = await ear.order(anOrder({ setting: 'concurrency', value: 20 }), id);
    expect(answer).toMatchObject({ result: 'applied', concurrency: 20, note: null });
    await ear.beatOf(id, (beat) => beat.running === 20, 3_000);
    expect(Date.now() - atMs).toBeLessThan(3_000);
    expect((await worker.state()).workers[0]?.concurrency).toBe(20);
  });

  it('lowers it: no job is stopped, and none starts beyond it', async ({ scene: { ear, start, add } }) => {
    const { id } = await start();
    await add(200, { ms: 100 });
    await ear.order(anOrder({ setting: 'concurrency', value: 2 }), id);
    const beat = await ear.beatOf(id, (one) => one.concurrency.now === 2 && one.running <= 2);
    expect(beat.concurrency).toEqual({ deployed: 5, now: 2 });
  });

  it('takes a BullMQ 5 worker up too, and says that a raise waits there for the next job to end', async ({
    scene: { ear, start, add },
  }) => {
    const { worker, id } = await start({ version: 5 });
    await add(60, { ms: 700 });
    await ear.beatOf(id, (beat) => beat.running === 5);
    const answer = await ear.order(anOrder({ setting: 'concurrency', value: 15 }), id);
    expect(answer).toMatchObject({ result: 'applied', note: expect.stringContaining('BullMQ 5') });
    await ear.beatOf(id, (beat) => beat.running === 15);
    expect((await worker.state()).workers[0]?.concurrency).toBe(15);
  });

  it('pauses a worker, which finishes what it has in hand, and lets it go on', async ({
    scene: { ear, start, add },
  }) => {
    const { worker, id } = await start();
    await add(100, { ms: 100 });
    expect(await ear.order(anOrder({ setting: 'paused', value: true }), id)).toMatchObject({
      result: 'applied',
      paused: 'order',
    });
    await ear.beatOf(id, (beat) => beat.running === 0 && beat.paused === 'order');
    const { completed } = (await worker.state()).workers[0] ?? { completed: -1 };
    await ear.order(anOrder({ setting: 'paused', value: null }), id);
    await until('it goes on', async () => ((await worker.state()).workers[0]?.completed ?? 0) > completed);
  });

  it('takes an idle worker out of the pool so that it starts nothing that comes later', async ({
    scene: { ear, start, add },
  }) => {
    const { worker, id } = await start();
    await ear.order(anOrder({ setting: 'paused', value: true }), id);
    await add(10);
    await ear.beatOf(id, (beat) => beat.paused === 'order');
    expect((await worker.state()).workers[0]?.started).toBe(0);
  });

  it('sets and takes back a limiter of the worker', async ({ scene: { ear, start, add } }) => {
    const { worker, id } = await start({ options: { limiter: { max: 100, duration: 1_000 } } });
    await ear.order(anOrder({ setting: 'limiter', value: { max: 2, durationMs: 500 } }), id);
    expect((await worker.state()).workers[0]?.limiter).toEqual({ max: 2, duration: 500 });
    await add(30, { ms: 1 });
    await ear.beatOf(id, (beat) => beat.isRateLimited);
    await ear.order(anOrder({ setting: 'limiter', value: null }), id);
    expect((await worker.state()).workers[0]?.limiter).toEqual({ max: 100, duration: 1_000 });
  });

  it('is refused beyond what the worker’s owner allows, and what held before goes on', async ({
    scene: { ear, start },
  }) => {
    const { worker, id } = await start({ attach: { limits: { maxConcurrency: 8 } } });
    await ear.order(anOrder({ setting: 'concurrency', value: 7 }), id);
    const answer = await ear.order(anOrder({ setting: 'concurrency', value: 50 }), id);
    expect(answer).toMatchObject({ result: 'refused', concurrency: 7 });
    expect(answer.note).toMatch(/at most 8/);
    expect((await worker.state()).workers[0]?.concurrency).toBe(7);
  });

  it('is refused beyond 10,000 where its owner sets no limit', async ({ scene: { ear, start } }) => {
    const { id } = await start();
    const answer = await ear.order(anOrder({ setting: 'concurrency', value: 1e15 }), id);
    expect(answer).toMatchObject({ result: 'refused', concurrency: 5 });
    expect(answer.note).toMatch(/sets no limits.maxConcurrency.*at most 10000/);
  });

  it('given as a factor means that many times what each was deployed with', async ({
    scene: { ear, start },
  }) => {
    const { id } = await start();
    await ear.order(anOrder({ setting: 'concurrency', value: 30 }), id);
    const answer = await ear.order(anOrder({ setting: 'concurrency', value: { factor: 2 } }), id);
    expect(answer.concurrency).toBe(10);
  });

  it('goes back to what was deployed when all orders are taken back', async ({ scene: { ear, start } }) => {
    const { worker, id } = await start();
    await ear.order(anOrder({ setting: 'concurrency', value: 9 }), id);
    await ear.order(anOrder({ setting: 'paused', value: true }), id);
    const answer = await ear.order(anOrder({ setting: 'all', value: null }), id);
    expect(answer).toMatchObject({ concurrency: 5, paused: null });
    await until('it runs again', async () => (await worker.state()).workers[0]?.isPaused === false);
  });

  it('ends by itself when its time is over', async ({ scene: { ear, start } }) => {
    const { id } = await start();
    const answer = await ear.order(
      anOrder({ setting: 'concurrency', value: 9, untilMs: Date.now() + 1_500 }),
      id,
    );
    expect(answer.concurrency).toBe(9);
    await ear.beatOf(id, (beat) => beat.concurrency.now === 9);
    await ear.beatOf(id, (beat) => beat.concurrency.now === 5 && beat.orders.length === 0);
  });

  it('for one worker goes before the one for all, and only that worker follows it', async ({
    scene: { ear, start },
  }) => {
    const first = await start({ attach: { name: 'first' } });
    const second = await start({ attach: { name: 'second' } });
    const own = ear.last(first.id)?.key ?? '';
    await ear.order(anOrder({ setting: 'concurrency', value: 3, workers: [first.id], scope: own }), first.id);
    await ear.order(anOrder({ setting: 'concurrency', value: 12 }), second.id);
    expect((await first.worker.state()).workers[0]?.concurrency).toBe(3);
    expect((await second.worker.state()).workers[0]?.concurrency).toBe(12);
  });

  it('leaves a concurrency that the application sets itself alone, and takes it for deployed', async ({
    scene: { ear, start },
  }) => {
    const { worker, id } = await start();
    await worker.tell('setConcurrency', { value: 6 });
    await ear.beatOf(id, (beat) => beat.concurrency.deployed === 6);
    await ear.order(anOrder({ setting: 'concurrency', value: 9 }), id);
    const answer = await ear.order(anOrder({ setting: 'concurrency', value: null }), id);
    expect(answer.concurrency).toBe(6);
  });
});

describe.concurrent('an order that is kept', () => {
  it('holds for a worker that starts later', async ({ scene: { ear, start } }) => {
    await ear.keep(anOrder({ setting: 'concurrency', value: 11 }));
    const { id } = await start();
    await ear.beatOf(id, (beat) => beat.concurrency.now === 11 && beat.concurrency.deployed === 5);
  });

  it('for one worker holds for it again after a restart, by its name', async ({ scene: { ear, start } }) => {
    const first = await start({ attach: { name: 'first' } });
    const key = ear.last(first.id)?.key ?? '';
    await ear.keep(anOrder({ setting: 'paused', value: true, workers: [first.id], scope: key }));
    await first.worker.stop();
    const again = await start({ attach: { name: 'first' } });
    await ear.beatOf(again.id, (beat) => beat.paused === 'order');
    const other = await start({ attach: { name: 'other' } });
    expect(ear.last(other.id)?.paused).toBeNull();
  });

  it('beyond the owner’s limit is not followed, and the worker says why', async ({
    scene: { ear, start },
  }) => {
    await ear.keep(anOrder({ setting: 'concurrency', value: 50 }));
    const { id } = await start({ attach: { limits: { maxConcurrency: 8 } } });
    const beat = await ear.beatOf(id, (one) => one.orders.length > 0);
    expect(beat.concurrency.now).toBe(5);
    expect(beat.orders[0]?.refusal).toMatch(/at most 8/);
  });

  it('that is past its end, of another queue, or no order at all changes nothing', async ({
    scene: { redis, ear, start },
  }) => {
    await ear.keep(anOrder({ setting: 'concurrency', value: 50, untilMs: Date.now() - 1 }));
    await ear.keep(anOrder({ setting: 'paused', value: true, queue: 'bull:other' }));
    await redis.client.hset('bull:work:meta', 'spillway.workers', '{"*|paused":{"v":1,"body":"[]"},"x":7}');
    const { id } = await start();
    const beat = await ear.beatOf(id, () => true);
    expect(beat).toMatchObject({ concurrency: { now: 5 }, paused: null, orders: [] });
  });
});

describe.concurrent('with a shared secret', () => {
  const secret = 'a secret of enough characters';

  it('unsigned, forged, replayed, old and unaddressed orders do nothing and are counted', async ({
    scene: { ear, start },
  }) => {
    const { worker, id } = await start({ attach: { secret } });
    const order = (value: number, over: Partial<Pick<Order, 'atMs' | 'workers'>> = {}): Order =>
      anOrder({ setting: 'concurrency', value, workers: [id], ...over });
    const good = order(9);
    await ear.order(good, id, secret);
    await ear.publish('bull:work', signOrder(order(20), null));
    await ear.publish('bull:work', signOrder(order(21), 'another secret, as long'));
    const signed = signOrder(order(22), secret);
    await ear.publish('bull:work', { ...signed, body: signed.body.replace('22', '23') });
    await ear.publish('bull:work', signOrder(good, secret));
    await ear.publish('bull:work', signOrder(order(24, { atMs: Date.now() - 3_600_000 }), secret));
    await ear.publish('bull:work', signOrder(order(25, { workers: null }), secret));
    await ear.publish('bull:work', 'not an order');
    const ignored = {
      unsigned: 1,
      forged: 2,
      replayed: 1,
      late: 1,
      malformed: 1,
      unaddressed: 1,
      flooded: 0,
    };
    await ear.beatOf(id, (_, all) => JSON.stringify(all.ignored) === JSON.stringify(ignored));
    expect((await worker.state()).workers[0]?.concurrency).toBe(9);
  });

  it('a flood of valid orders is dropped unread beyond what consoles give, and the worker works on and obeys later', async ({
    scene: { redis, ear, start, add },
  }) => {
    const { worker, id } = await start({ attach: { secret }, jobMs: 1 });
    const order = (value: number) => anOrder({ setting: 'concurrency', value, workers: [id] });
    const texts = Array.from({ length: 5_000 }, (_, i) =>
      JSON.stringify(signOrder(order(2 + (i % 7)), secret)),
    );
    await add(200);
    const from = performance.now();
    await Promise.all(texts.map((text) => redis.client.publish('spillway:0:order:bull:work', text)));
    await ear.beatOf(id, (_, { ignored }) => (ignored.flooded ?? 0) >= 3_000);
    const seconds = (performance.now() - from) / 1_000;
    expect(ear.acks.length).toBeLessThanOrEqual(500 + 100 * (seconds + 1));
    await until('jobs go on', async () => (await worker.state()).workers[0]?.completed === 200);
    await until(
      'an order is obeyed again',
      async () => (await ear.order(order(9), id, secret)).concurrency === 9,
    );
    expect((await worker.state()).problems).toEqual([]);
  });

  it('no order is taken from what is kept, and one that is followed is let go once it is not kept', async ({
    scene: { redis, ear, start },
  }) => {
    const kept = anOrder({ setting: 'concurrency', value: 20 });
    await ear.keep(kept, secret);
    const { id } = await start({ attach: { secret } });
    await ear.beatOf(id, (beat) => beat.asksForOrders === true && beat.orders.length === 0);
    // As a console gives it to a worker that comes later.
    await ear.order({ ...kept, workers: [id], nonce: 'given again' }, id, secret);
    await ear.beatOf(id, (beat) => beat.concurrency.now === 20);
    await redis.client.hdel('bull:work:meta', 'spillway.workers');
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'no');
    await until('it lets go', () => ear.last(id)?.concurrency.now === 5);
  });
});
