import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { describe, expect } from 'vitest';
import { startHalfOpenWay } from '../../drills/half-open-way.js';
import { freePort, type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { packagePath } from '../../server/process/package-path.js';
import { type AgentEar, anOrder, startEar } from '../support/agent-ear.js';
import { it } from '../support/agent-scene.js';
import { startAttached } from '../support/attached-process.js';
import { until } from '../support/until.js';

async function add(
  redis: OwnRedis,
  jobs: readonly { readonly name: string; readonly data?: object }[],
): Promise<void> {
  const queue = new Queue('work', { connection: { port: redis.port } });
  await queue.addBulk(jobs.map(({ name, data }) => ({ name, data: data ?? {} })));
  await queue.close();
}

const times = (count: number, data: object = {}): { name: string; data: object }[] =>
  Array.from({ length: count }, () => ({ name: 'work', data }));

/** Beats of a worker that come from now on. */
function beatsAfterNow(ear: AgentEar, id: string): () => number {
  const from = ear.beats.length;
  return () => ear.beats.slice(from).filter((beat) => beat.workers.some((one) => one.id === id)).length;
}

describe.concurrent('the agent is heard again and hears again', () => {
  it('after Redis was restarted', async ({ scene: { redis, ear, start } }) => {
    const { id } = await start();
    await redis.restart();
    const count = beatsAfterNow(ear, id);
    await until('it beats', () => count() >= 2);
    expect(await ear.order(anOrder({ setting: 'concurrency', value: 7 }), id)).toMatchObject({
      concurrency: 7,
    });
  });

  it('after its subscription alone was cut', async ({ scene: { redis, ear, start } }) => {
    const { id } = await start();
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'no');
    const count = beatsAfterNow(ear, id);
    await until('it beats', () => count() >= 2);
    expect(await ear.order(anOrder({ setting: 'concurrency', value: 7 }), id)).toMatchObject({
      concurrency: 7,
    });
  });

  it('within 3 s after its connections went half open, and follows what was ordered meanwhile', async ({
    scene: { redis, ear, start },
  }) => {
    const way = await startHalfOpenWay(redis.port);
    const { id } = await start({ attach: { connectTo: way.port } });
    way.swallow();
    const atMs = Date.now();
    await ear.keep(anOrder({ setting: 'concurrency', value: 8 }));
    await ear.beatOf(id, (_, all) => all.resubscribed === 1);
    expect(Date.now() - atMs).toBeLessThan(3_000);
    await ear.beatOf(id, (beat) => beat.concurrency.now === 8);
    expect(await ear.order(anOrder({ setting: 'concurrency', value: 7 }), id)).toMatchObject({
      concurrency: 7,
    });
    await way.close();
  });
});

describe.concurrent('the process that it is in', () => {
  it('works on while Redis is not there yet, and is seen once it is', async ({ scene: { endLater } }) => {
    const port = await freePort();
    const late = startAttached({ port, workers: [{ queue: 'work', attach: {} }] });
    const second = await startRedis({ port });
    const worker = await late;
    endLater(worker);
    const other = await startEar(port);
    await other.beatOf(worker.ids[0] ?? '', () => true);
    expect((await worker.state()).problems).toEqual([]);
    other.close();
    await worker.stop();
    await second.stop();
  });

  it('ends by itself when its worker is closed', async ({ scene: { ear, start } }) => {
    const { worker, id } = await start({}, { mayOutlive: true });
    const ended = new Promise<number | null>((resolve) => worker.child.once('exit', resolve));
    await worker.tell('close');
    worker.child.send({ serial: 0, order: 'forget', args: {} });
    expect(await ended).toBe(0);
    expect(ear.farewells.some((farewell) => farewell.workers.includes(id))).toBe(true);
  });

  it('has its worker back as it was deployed after detach, and can attach again', async ({
    scene: { redis, ear, start },
  }) => {
    const { worker, id } = await start({ options: { limiter: { max: 50, duration: 1_000 } } });
    await ear.order(anOrder({ setting: 'concurrency', value: 9 }), id);
    await ear.order(anOrder({ setting: 'paused', value: true }), id);
    await ear.order(anOrder({ setting: 'limiter', value: 'none' }), id);
    await worker.tell('detach');
    await until('it is as before', async () => {
      const [now] = (await worker.state()).workers;
      return now?.concurrency === 5 && !now.isPaused && now.limiter?.max === 50;
    });
    // The application's own.
    expect((await worker.state()).workers[0]?.listeners).toBe(1);
    await add(redis, times(3));
    await until('it works', async () => ((await worker.state()).workers[0]?.completed ?? 0) === 3);
    const count = beatsAfterNow(ear, id);
    await worker.tell('attachAgain');
    const again = (await worker.state()).workers[0]?.id ?? '';
    await ear.beatOf(again, () => true);
    expect(count()).toBe(0);
  });
});

describe.concurrent('a beat reports', () => {
  it('what runs, what has finished and how long it took, by job type', async ({
    scene: { redis, ear, start },
  }) => {
    const { id } = await start();
    const from = ear.beats.length;
    await add(redis, [...times(10, { ms: 50 }), { name: 'other', data: { fail: true } }]);
    const sum = (type: string, outcome: 'completed' | 'failed'): number =>
      ear.beats
        .slice(from)
        .flatMap((beat) => beat.workers.filter((one) => one.id === id))
        .flatMap((one) => one.types.filter((told) => told.name === type))
        .reduce((total, told) => total + told[outcome], 0);
    await until('all are reported', () => sum('work', 'completed') === 10 && sum('other', 'failed') === 1);
    const told = ear.beats
      .slice(from)
      .flatMap((beat) => beat.workers)
      .findLast((one) => one.types.some((type) => type.name === 'work'));
    const usual = told?.types.find((type) => type.name === 'work')?.usual;
    expect(usual?.p50Ms).toBeGreaterThan(40);
    expect(usual?.p50Ms).toBeLessThan(200);
  });

  it('of a sandboxed processor as of any other', async ({ scene: { redis, ear, start } }) => {
    const { worker, id } = await start({
      processorFile: join(packagePath('test'), 'support', 'sandboxed-processor.cjs'),
      concurrency: 2,
    });
    const untilFile = join(redis.directory, 'told');
    await add(redis, times(6, { untilFile }));
    await ear.beatOf(id, (beat) => beat.running === 2 && beat.oldest.length === 2);
    await writeFile(untilFile, '');
    await ear.beatOf(id, (beat) => beat.types.some((type) => type.completed > 0));
    // BullMQ's child processes outlive a parent that is killed, and spin.
    await worker.tell('close');
  });

  it('how late the event loop was', async ({ scene: { ear, start } }) => {
    const { worker, id } = await start();
    await worker.tell('block', { ms: 1_500 });
    await ear.beatOf(id, (_, all) => all.loopDelay.maxMs > 1_000);
  });

  it('that it is closing while it finishes what it has in hand', async ({ scene: { redis, ear, start } }) => {
    const { worker, id } = await start();
    const untilFile = join(redis.directory, 'told');
    await add(redis, times(5, { untilFile }));
    await ear.beatOf(id, (beat) => beat.running === 5);
    const closed = worker.tell('close');
    await ear.beatOf(id, (beat) => beat.isClosing && beat.running > 0);
    await writeFile(untilFile, '');
    await closed;
    await until('it says farewell', () => ear.farewells.some((one) => one.workers.includes(id)));
  });

  it('no more of 10,000 job types than fits, and loses no count', async ({
    scene: { redis, ear, start },
  }) => {
    const { id } = await start({ concurrency: 100, jobMs: 0 });
    const from = ear.beats.length;
    await add(
      redis,
      Array.from({ length: 10_000 }, (_, i) => ({ name: `type-${i}`, data: { ms: 0 } })),
    );
    const mine = () => ear.beats.slice(from).flatMap((beat) => beat.workers.filter((one) => one.id === id));
    const finished = (): number =>
      mine()
        .flatMap((one) => one.types)
        .reduce((sum, type) => sum + type.completed, 0);
    await until('all are reported', () => finished() === 10_000);
    expect(Math.max(...mine().map((one) => one.types.length))).toBeLessThanOrEqual(51);
    expect(Math.max(...mine().map((one) => JSON.stringify(one).length))).toBeLessThan(64 * 1024);
  });
});
