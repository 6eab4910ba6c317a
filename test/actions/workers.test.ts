import { Queue } from 'bullmq';
import { describe, expect } from 'vitest';
import { type OwnRedis, overfill } from '../../drills/own-redis.js';
import { until } from '../support/until.js';
import { concurrencyOf, it } from '../support/worker-scene.js';

/** Clearly over the limit; the ballast is made by the server, so that no client buffer holds it. */
async function fill(redis: OwnRedis): Promise<void> {
  await redis.client.setrange('ballast', 40_000_000, 'x');
  await overfill(redis);
}

const overQueue = { queues: ['bull:work'] };

describe.concurrent('the workers of a queue', () => {
  it('run at the new concurrency once the action answers, each confirming by itself', async ({
    scene: { bench, workers, add },
  }) => {
    await add(1);
    const process = await workers({}, {}, {});
    const outcome = await bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 20 } });
    expect(outcome).toMatchObject({ status: 'applied', queue: 'bull:work' });
    expect(outcome.workers.map(({ result, concurrency }) => [result, concurrency])).toEqual([
      ['applied', 20],
      ['applied', 20],
      ['applied', 20],
    ]);
    expect(await concurrencyOf(process)).toEqual([20, 20, 20]);
    expect(outcome.undo).toMatchObject({ action: 'workers.concurrency', args: { value: null } });
    await bench.pull(outcome.undo?.action ?? '', { ...overQueue, args: outcome.undo?.args });
    expect(await concurrencyOf(process)).toEqual([5, 5, 5]);
  });

  it('take a factor of what each was deployed with, and as many slots as drain the backlog in time', async ({
    scene: { bench, workers, add },
  }) => {
    await add(2_500, { ms: 200 });
    const process = await workers({ concurrency: 4 }, { concurrency: 10 });
    await bench.pullOne('workers.concurrency', { ...overQueue, args: { factor: 2 } });
    expect(await concurrencyOf(process)).toEqual([8, 20]);
    // Five a second by each slot, less what the first seconds still hold of before.
    await until('the rate of all slots is known', () =>
      bench.watch
        .snapshot('default')
        ?.workers.every(({ agent }) => agent && (agent.finishedPerSecond ?? 0) > 3.5 * agent.concurrency.now),
    );
    const preview = await bench.pullOne('workers.concurrency', {
      ...overQueue,
      args: { drainWithinSeconds: 10 },
      dryRun: true,
    });
    expect(preview.preview?.effects.join(' ')).toMatch(/slots drain [\d,]+ within 10 s/);
    const outcome = await bench.pullOne('workers.concurrency', {
      ...overQueue,
      args: { drainWithinSeconds: 10 },
    });
    expect(outcome.status).toBe('applied');
    // 2,000 jobs that are left, of 0.2 s, in 10 s need 40 busy slots, 50 at 80%: about 25 for each of two.
    const [slots] = await concurrencyOf(process);
    expect(slots).toBeGreaterThan(12);
    expect(slots).toBeLessThan(45);
  });

  it('that start later and that restart follow the order, until all orders are reverted', async ({
    scene: { bench, workers, heard, add },
  }) => {
    await add(1);
    const first = await workers({});
    await bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 12 } });
    const later = await workers({});
    await until('the later one follows', async () => (await concurrencyOf(later))[0] === 12);
    const queue = await bench.seen('bull:work', (one) => one.overrides.length === 1);
    expect(queue.overrides[0]).toMatchObject({
      by: 'olga',
      reason: 'drill',
      setting: 'concurrency',
      value: 12,
    });
    await heard([first.ids[0] ?? '', later.ids[0] ?? '']);
    const outcome = await bench.pullOne('workers.revert', overQueue);
    expect(outcome.status).toBe('applied');
    expect([await concurrencyOf(first), await concurrencyOf(later)]).toEqual([[5], [5]]);
    await bench.seen('bull:work', (one) => one.overrides.length === 0);
  });

  it('of a group of queues are changed in one action', async ({ scene: { bench, workers, add } }) => {
    await add(1);
    await add(1, {}, 'work-2');
    const process = await workers({}, { queue: 'work-2' });
    const outcomes = await bench.pull('workers.concurrency', { match: 'work*', args: { value: 9 } });
    expect(outcomes.map(({ status, queue }) => [status, queue])).toEqual([
      ['applied', 'bull:work'],
      ['applied', 'bull:work-2'],
    ]);
    expect(await concurrencyOf(process)).toEqual([9, 9]);
  });

  it('of BullMQ 5 and 6 follow alike', async ({ scene: { bench, workers, add } }) => {
    await add(1);
    const process = await workers({ version: 5 }, { version: 6 });
    await bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 9 } });
    expect(await concurrencyOf(process)).toEqual([9, 9]);
  });
});

describe.concurrent('while Redis is full', () => {
  it('an order is kept, delivered and confirmed, where the stock call is refused', async ({
    scene: { redis, bench, workers, add },
  }) => {
    await add(200, { ms: 5_000 });
    const process = await workers({});
    await fill(redis);
    const stock = new Queue('work', { connection: { port: redis.port } });
    await expect(stock.setGlobalConcurrency(50)).rejects.toThrow(/OOM/);
    await stock.close();
    await bench.seen('bull:work');
    await until('the console sees it full', () => bench.watch.snapshot('default')?.nodes[0]?.isFull);
    const outcome = await bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 40 } });
    expect(outcome).toMatchObject({ status: 'applied' });
    expect(outcome.preview?.warnings.map(({ text }) => text).join(' ')).toMatch(/full/);
    expect(
      JSON.parse((await redis.client.hget('bull:work:meta', 'spillway.workers')) ?? '{}'),
    ).toHaveProperty('*|concurrency');
    await redis.client.config('SET', 'maxmemory', '0');
    await until('forty run', async () => (await redis.client.llen('bull:work:active')) === 40);
    expect(await concurrencyOf(process)).toEqual([40]);
  });

  it('works on a Redis before 7.0 too, by a script whose first write frees', async ({ scene: { redis } }) => {
    const { runForced } = await import('../../server/redis/forced-script.js');
    await redis.client.hset('bull:work:meta', 'version', 'bullmq:6.7.0');
    await fill(redis);
    const order = JSON.stringify({ v: 1, body: '{"untilMs":null}', sig: null });
    for (const canFlag of [true, false]) {
      const keep = (...change: readonly string[]): Promise<unknown> =>
        runForced(
          redis.client,
          canFlag,
          'keep-order',
          ['bull:work:meta'],
          ['spillway.workers', Date.now(), 500, '', ...change],
        );
      expect(await keep('*|paused', order, '')).toEqual([1, '{}']);
      const [left, taken] = (await keep('*|paused', '', '*')) as readonly [number, string];
      expect([left, JSON.parse(taken)]).toEqual([0, { '*|paused': JSON.parse(order) }]);
    }
  });
});

describe.concurrent('one worker', () => {
  it('is taken out of the pool and put back, while its peers go on', async ({
    scene: { bench, workers, add },
  }) => {
    const process = await workers({ attach: { name: 'first' } }, { attach: { name: 'second' } });
    await add(400, { ms: 30 });
    const [first = '', second = ''] = process.ids.flatMap((id) => id ?? []);
    const outcome = await bench.pullOne('worker.pause', { workers: [first] });
    expect(outcome).toMatchObject({
      status: 'applied',
      worker: first,
      undo: { action: 'worker.resume', workers: [first] },
    });
    expect((await process.state()).workers.map(({ isPaused }) => isPaused)).toEqual([true, false]);
    await until('its peer goes on', async () => ((await process.state()).workers[1]?.completed ?? 0) > 20);
    await until('the console sees it paused', () =>
      bench.watch
        .snapshot('default')
        ?.workers.some((one) => one.id === first && one.agent?.paused === 'order'),
    );
    await bench.pullOne('worker.resume', { workers: [first] });
    await until('it works again', async () => (await process.state()).workers[0]?.isPaused === false);
    expect(second).not.toBe('');
  });

  it('keeps its own orders over a restart by its name, and loses them by a revert', async ({
    scene: { bench, workers, add },
  }) => {
    await add(1);
    const before = await workers({ attach: { name: 'first' } });
    await bench.pullOne('worker.concurrency', { workers: [before.ids[0] ?? ''], args: { value: 3 } });
    await bench.pullOne('worker.limiter', {
      workers: [before.ids[0] ?? ''],
      args: { max: 7, durationMs: 2_000 },
    });
    await before.stop();
    const after = await workers({ attach: { name: 'first' } });
    await until('it follows', async () => {
      const [state] = (await after.state()).workers;
      return state?.concurrency === 3 && state.limiter?.max === 7 && state.limiter.duration === 2_000;
    });
    await bench.pullOne('worker.revert', { workers: [after.ids[0] ?? ''] });
    const [state] = (await after.state()).workers;
    expect(state).toMatchObject({ concurrency: 5, limiter: null });
  });

  it('whose owner’s limit refuses an order stays as it was, and so does what is kept', async ({
    scene: { redis, bench, workers, add },
  }) => {
    await add(1);
    const process = await workers({ attach: { limits: { maxConcurrency: 8 } } });
    const preview = await bench.pullOne('workers.concurrency', {
      ...overQueue,
      args: { value: 50 },
      dryRun: true,
    });
    expect(preview.preview?.warnings.map(({ text }) => text).join(' ')).toMatch(/at most 8/);
    const outcome = await bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 50 } });
    expect(outcome.status).toBe('refused');
    expect(outcome.summary).toMatch(/allows a concurrency of at most 8/);
    expect(await concurrencyOf(process)).toEqual([5]);
    expect(await redis.client.hget('bull:work:meta', 'spillway.workers')).toBeNull();
  });

  it('that does not answer is reported as such, and follows when it is back', async ({
    scene: { bench, workers, add },
  }) => {
    await add(1);
    const process = await workers({}, {});
    const other = await workers({});
    process.signal('SIGSTOP');
    const outcome = await bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 7 } });
    expect(outcome.status).toBe('unverified');
    expect(outcome.workers.filter(({ result }) => result === 'no-answer')).toHaveLength(2);
    expect(outcome.summary).toMatch(/did not answer/);
    expect(await concurrencyOf(other)).toEqual([7]);
    process.signal('SIGCONT');
    await until('they follow', async () => (await concurrencyOf(process)).every((slots) => slots === 7));
  });
});

describe.concurrent('with a secret', () => {
  it('a console that has it is obeyed, one that has not is ignored, which says why', async ({
    scene: { bench, workers, heard, add, console: openConsole },
  }) => {
    await add(1);
    const secret = 'a secret of enough characters';
    const process = await workers({ attach: { secret } });
    const outcome = await bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 7 } });
    expect(outcome.status).toBe('unverified');
    expect(await concurrencyOf(process)).toEqual([5]);
    await until('the count is heard', () =>
      bench.watch.snapshot('default')?.workers.some((one) => (one.agent?.ignored.unsigned ?? 0) > 0),
    );
    const again = await bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 7 } });
    expect(again.summary).toMatch(/agentSecret/);
    const trusted = await openConsole({ agentSecret: secret });
    await heard(
      process.ids.flatMap((id) => id ?? []),
      trusted,
    );
    const obeyed = await trusted.pullOne('workers.concurrency', { ...overQueue, args: { value: 9 } });
    expect(obeyed.status).toBe('applied');
    expect(await concurrencyOf(process)).toEqual([9]);
    expect(JSON.stringify(obeyed)).not.toContain(secret);
  });
});

describe.concurrent('a request that makes no sense', () => {
  it('is refused with the field, its value and what would be right, and changes nothing', async ({
    scene: { redis, bench, workers, add },
  }) => {
    await add(1);
    const process = await workers({}, { attach: null, options: { name: 'plain' } });
    await expect(bench.pull('workers.concurrency', { ...overQueue, args: {} })).rejects.toThrow(
      /exactly one/,
    );
    await expect(
      bench.pull('workers.concurrency', { ...overQueue, args: { value: 3, factor: 2 } }),
    ).rejects.toThrow(/exactly one/);
    await expect(bench.pull('workers.concurrency', { ...overQueue, args: { value: 0 } })).rejects.toThrow(
      /at least 1/,
    );
    await expect(bench.pull('worker.pause', { workers: [] })).rejects.toThrow(/name at least one worker/);
    await expect(bench.pull('worker.pause', { workers: ['nobody'] })).rejects.toThrow(/no worker nobody/);
    await expect(
      bench.pull('worker.pause', { workers: [process.ids[0] ?? ''], args: { forMs: 5 } }),
    ).rejects.toThrow(/at least 60000 ms/);
    const plain = await until('the plain worker', () =>
      bench.watch.snapshot('default')?.workers.find((one) => one.agent === null),
    );
    const outcome = await bench.pullOne('worker.pause', { workers: [plain.id] });
    expect(outcome).toMatchObject({ status: 'refused', summary: expect.stringContaining('attach(worker)') });
    await expect(
      bench.pull('workers.concurrency', { ...overQueue, args: { value: 9 } }, { role: 'viewer' }),
    ).rejects.toThrow(/needs the role operator/);
    await bench.pull('workers.concurrency', { ...overQueue, args: { value: 9 }, dryRun: true });
    expect((await concurrencyOf(process))[0]).toBe(5);
    expect(await redis.client.hget('bull:work:meta', 'spillway.workers')).toBeNull();
  });
});
