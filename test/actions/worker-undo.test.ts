import { hostname } from 'node:os';
import { describe, expect } from 'vitest';
import { KEPT_ORDERS_FIELD } from '../../agent/protocol.js';
import type { Outcome } from '../../server/model/action.js';
import { anOrder } from '../support/agent-ear.js';
import { until } from '../support/until.js';
import { concurrencyOf, it, type WorkerScene } from '../support/worker-scene.js';

const overQueue = { queues: ['bull:work'] };
const HOUR_MS = 3_600_000;

async function undo(scene: WorkerScene, { undo: call }: Outcome): Promise<Outcome> {
  if (!call) throw new Error('there is no way back');
  const { action, queues, workers = [], args } = call;
  return scene.bench.pullOne(action, { queues, workers, args });
}

async function overrides(scene: WorkerScene): Promise<readonly (readonly [unknown, number | null])[]> {
  const { overrides } = await scene.bench.seen('bull:work');
  return overrides.map(({ value, untilMs }) => [value, untilMs]);
}

describe.concurrent('undo', () => {
  it('of a change made right after another brings back the one before, and its end', async ({ scene }) => {
    await scene.add(1);
    const process = await scene.workers({});
    const first = await scene.bench.pullOne('workers.concurrency', {
      ...overQueue,
      args: { factor: 2, forMs: HOUR_MS },
    });
    const second = await scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 20 } });
    expect(await concurrencyOf(process)).toEqual([20]);
    await undo(scene, second);
    expect(await concurrencyOf(process)).toEqual([10]);
    await until('it is seen', async () => (await overrides(scene)).some(([, untilMs]) => untilMs !== null));
    const [[value, untilMs] = []] = await overrides(scene);
    expect(value).toEqual({ factor: 2 });
    expect(untilMs).toBeGreaterThan(Date.now() + HOUR_MS - 60_000);
    expect(untilMs).toBeLessThan(Date.now() + HOUR_MS);
    await undo(scene, first);
    expect(await concurrencyOf(process)).toEqual([5]);
    expect(await scene.kept()).toEqual({});
  });

  it('brings nothing back that would have ended by itself in the meantime', async ({ scene }) => {
    await scene.add(1);
    const process = await scene.workers({});
    await scene.keep([anOrder({ setting: 'concurrency', value: 7, untilMs: Date.now() + 3_000 })]);
    const outcome = await scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 20 } });
    const untilMs = Number(outcome.undo?.args.untilMs);
    expect(outcome.undo?.args).toEqual({ value: 7, untilMs });
    await until('its time is over', () => Date.now() > untilMs);
    await undo(scene, outcome);
    expect(await concurrencyOf(process)).toEqual([5]);
    expect(await scene.kept()).toEqual({});
  });

  it('of one worker’s pause, slots and limiter leaves nothing of them behind, however soon it is asked for', async ({
    scene,
  }) => {
    await scene.add(1);
    const process = await scene.workers({ attach: { name: 'first' } });
    const workers = [process.ids[0] ?? ''];
    const before = (await process.state()).workers[0];
    for (const [action, args] of [
      ['worker.pause', {}],
      ['worker.concurrency', { value: 9 }],
      ['worker.limiter', { max: 3, durationMs: 1_000 }],
    ] as const) {
      await undo(scene, await scene.bench.pullOne(action, { workers, args }));
      expect([action, await scene.kept()]).toEqual([action, {}]);
    }
    await until('it is as before', async () => {
      const [state] = (await process.state()).workers;
      return state?.isPaused === false && state.concurrency === before?.concurrency && state.limiter === null;
    });
  });

  it('of a change to one worker’s own orders brings back what it had, each with its end', async ({
    scene,
  }) => {
    await scene.add(1);
    const process = await scene.workers({ attach: { name: 'first' } });
    const workers = [process.ids[0] ?? ''];
    const scope = `first@${hostname()}`;
    const untilMs = Date.now() + HOUR_MS;
    for (const [setup, change] of [
      [
        ['worker.concurrency', { value: 7, untilMs }],
        ['worker.concurrency', { value: 9 }],
      ],
      [
        ['worker.limiter', { max: 7, untilMs }],
        ['worker.limiter', { max: null }],
      ],
      [
        ['worker.pause', { untilMs }],
        ['worker.resume', {}],
      ],
    ] as const) {
      await scene.bench.pullOne(setup[0], { workers, args: setup[1] });
      const before = await scene.kept();
      await undo(scene, await scene.bench.pullOne(change[0], { workers, args: change[1] }));
      expect([change[0], await scene.kept()]).toEqual([change[0], before]);
    }
    const queue = await scene.bench.seen('bull:work', ({ overrides }) => overrides.length === 3);
    expect(queue.overrides.map((order) => [order.scope, order.untilMs])).toEqual(
      Array.from({ length: 3 }, () => [scope, untilMs]),
    );
  });

  it('is not promised where there is none', async ({ scene }) => {
    await scene.add(1);
    const process = await scene.workers({});
    const outcome = await scene.bench.pullOne('worker.revert', {
      workers: [process.ids[0] ?? ''],
      dryRun: true,
    });
    expect(outcome.preview?.isReversible).toBe(outcome.undo !== null);
  });
});

describe.concurrent('that nothing changes is said', () => {
  it('only where neither value nor end does: an order for a time is made one without end', async ({
    scene,
  }) => {
    await scene.add(1);
    const process = await scene.workers({ attach: { name: 'first' } });
    const workers = [process.ids[0] ?? ''];
    for (const [action, target, args] of [
      ['workers.concurrency', overQueue, { value: 9 }],
      ['worker.concurrency', { workers }, { value: 9 }],
      ['worker.pause', { workers }, {}],
    ] as const) {
      const statuses: string[] = [];
      for (const time of [{ forMs: HOUR_MS }, {}, {}]) {
        const outcome = await scene.bench.pullOne(action, { ...target, args: { ...args, ...time } });
        statuses.push(outcome.status);
        if (action === 'worker.pause')
          await until('it is seen paused', () =>
            scene.bench.watch.snapshot('default')?.workers.some(({ agent }) => agent?.paused === 'order'),
          );
      }
      expect([action, statuses]).toEqual([action, ['applied', 'applied', 'unchanged']]);
    }
  });
});

describe.concurrent('a worker is put back into the pool', () => {
  it('also where an order for all of its queue, or its application, has paused it', async ({ scene }) => {
    await scene.add(1);
    const process = await scene.workers({ attach: { name: 'first' } });
    const workers = [process.ids[0] ?? ''];
    await scene.keep([
      anOrder({ setting: 'paused', value: true }),
      anOrder({ setting: 'paused', value: true, scope: `first@${hostname()}` }),
    ]);
    await scene.bench.pullOne('worker.resume', { workers });
    expect(await scene.kept()).toEqual({ '*|paused': true, [`first@${hostname()}|paused`]: false });
    await scene.bench.pullOne('workers.revert', overQueue);
    await process.tell('pause');
    await scene.bench.pullOne('worker.pause', { workers });
    await until('it is seen paused', () =>
      scene.bench.watch.snapshot('default')?.workers.some(({ agent }) => agent?.paused === 'application'),
    );
    await scene.bench.pullOne('worker.resume', { workers });
    await until('it takes jobs', async () => (await process.state()).workers[0]?.isPaused === false);
  });
});

describe.concurrent('what makes no sense', () => {
  it('is refused: a time for what is taken back, and more slots than a worker can have', async ({
    scene,
  }) => {
    await scene.add(1);
    const process = await scene.workers({
      concurrency: 200,
      attach: { limits: { maxConcurrency: 150_000 } },
    });
    const workers = [process.ids[0] ?? ''];
    const forMs = HOUR_MS;
    for (const [action, request] of [
      ['workers.concurrency', { ...overQueue, args: { value: null, forMs } }],
      ['worker.concurrency', { workers, args: { value: null, forMs } }],
      ['worker.limiter', { workers, args: { asDeployed: true, forMs } }],
    ] as const)
      await expect(scene.bench.pull(action, request)).rejects.toThrow(/forMs: must be left out/);
    for (const value of [0, -1, 1.5, 1e9, Number.NaN, '5'])
      await expect(scene.bench.pull('worker.concurrency', { workers, args: { value } })).rejects.toThrow(
        /value/,
      );
    for (const wrong of [59_999, 7 * 24 * HOUR_MS + 1, 60_000.5, -1])
      await expect(scene.bench.pull('worker.pause', { workers, args: { forMs: wrong } })).rejects.toThrow(
        /forMs: must be/,
      );
    const outcome = await scene.bench.pullOne('workers.concurrency', {
      ...overQueue,
      args: { factor: 1_000 },
    });
    expect(outcome).toMatchObject({ status: 'refused', summary: expect.stringMatching(/at most 100,000/) });
    expect(await concurrencyOf(process)).toEqual([200]);
    expect(await scene.kept()).toEqual({});
  });
});

describe.concurrent('a dry run', () => {
  it('of any action on workers changes nothing, of orders that stand neither', async ({ scene }) => {
    await scene.add(1);
    const process = await scene.workers({ attach: { name: 'first' } });
    const workers = [process.ids[0] ?? ''];
    await scene.bench.pullOne('workers.concurrency', { ...overQueue, args: { value: 7, forMs: HOUR_MS } });
    await scene.bench.pullOne('worker.limiter', { workers, args: { max: 9 } });
    const read = () => scene.redis.client.hget('bull:work:meta', KEPT_ORDERS_FIELD);
    const [text, state] = [await read(), (await process.state()).workers[0]];
    for (const [action, request] of [
      ['workers.concurrency', { ...overQueue, args: { value: null } }],
      ['workers.concurrency', { ...overQueue, args: { factor: 3 } }],
      ['workers.revert', overQueue],
      ['worker.concurrency', { workers, args: { value: 2 } }],
      ['worker.pause', { workers }],
      ['worker.resume', { workers }],
      ['worker.limiter', { workers, args: { asDeployed: true } }],
      ['worker.revert', { workers }],
    ] as const) {
      const outcome = await scene.bench.pullOne(action, { ...request, dryRun: true, reason: '' });
      expect([action, outcome.isDryRun, await read()]).toEqual([action, true, text]);
      expect((await process.state()).workers[0]).toEqual(state);
    }
  });
});
