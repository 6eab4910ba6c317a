import { describe, expect } from 'vitest';
import { startHalfOpenWay } from '../../drills/half-open-way.js';
import { overfill } from '../../drills/own-redis.js';
import { until } from '../support/until.js';
import type { WorkerScene } from '../support/worker-scene.js';
import { it } from '../support/worker-scene.js';

/** Its connections swallow what is sent, as after a lost route; the agent has its own way. Seen to be silent. */
async function deafWorker({ redis, workers, add, bench }: WorkerScene, version: 5 | 6, isForNew = false) {
  const way = await startHalfOpenWay(redis.port, isForNew);
  const queue = `deaf-${version}-${isForNew}`;
  await add(1, {}, queue);
  const process = await workers({ queue, version, port: way.port, attach: { connectTo: redis.port } });
  await until('it works', async () => (await process.state()).workers[0]?.completed === 1);
  way.swallow();
  await add(3, {}, queue);
  const id = process.ids[0] ?? '';
  await until('it is found to be silent', () =>
    bench.watch.findings().some(({ code, worker }) => code === 'worker.silent' && worker === id),
  );
  const works = (): Promise<unknown> =>
    until('all that waited is done, and it is not paused', async () => {
      const [worker] = (await process.state()).workers;
      return worker?.completed === 4 && !worker.isPaused;
    });
  return { way, queue, id, works };
}

describe.concurrent('a worker that is connected and takes nothing', () => {
  it('takes jobs again once it is reconnected, of BullMQ 5 and 6; where its way stays lost that is reported, with what to restart', async ({
    scene,
  }) => {
    const { bench } = scene;
    const lost = deafWorker(scene, 6, true);
    const found = await Promise.all([deafWorker(scene, 5), deafWorker(scene, 6)]);
    for (const { id, queue, works, way } of found) {
      const finding = bench.watch.findings().find(({ worker }) => worker === id);
      expect(finding?.remedies).toMatchObject([{ action: 'worker.reconnect', workers: [id] }]);
      const outcome = await bench.pullOne('worker.reconnect', { workers: [id] });
      expect(outcome.summary).toMatch(/both of its connections .*has taken a job/);
      expect(outcome.status).toBe('applied');
      await works();
      expect(await scene.kept(`bull:${queue}`)).toEqual({});
      await way.close();
    }
    expect(bench.audit.records).toMatchObject([
      { action: 'worker.reconnect', status: 'applied' },
      { action: 'worker.reconnect', status: 'applied' },
    ]);
    const { way, id, works } = await lost;
    const outcome = await bench.pullOne('worker.reconnect', { workers: [id] });
    expect(outcome.status).toBe('unverified');
    expect(outcome.summary).toMatch(/could not be made anew within 3 s.*restart its process: pid \d+ on /);
    way.heal();
    await works();
    await way.close();
  });

  it('is reconnected while Redis is full too, and not while it is paused, which has another remedy', async ({
    scene,
  }) => {
    const { redis, bench, workers, add } = scene;
    await add(1);
    const process = await workers({});
    const id = process.ids[0] ?? '';
    await until('it is idle', async () => (await process.state()).workers[0]?.completed === 1);
    await redis.client.setrange('ballast', 40_000_000, 'x');
    await overfill(redis);
    await until('it is seen', () => bench.watch.snapshot('default')?.nodes[0]?.isFull);
    const outcome = await bench.pullOne('worker.reconnect', { workers: [id] });
    expect(outcome.preview?.warnings[0]?.text).toMatch(/refused jobs until there is room/);
    expect(outcome).toMatchObject({
      status: 'unverified',
      summary: expect.stringMatching(/connection on which it waits is new.*Nothing waits now/),
    });
    await bench.pullOne('worker.pause', { workers: [id] });
    await until('it is seen to be paused', () =>
      bench.watch.snapshot('default')?.workers.some(({ verdict }) => verdict === 'paused'),
    );
    const refused = await bench.pullOne('worker.reconnect', { workers: [id] });
    expect(refused).toMatchObject({ status: 'refused', summary: expect.stringMatching(/worker\.resume/) });
    await redis.client.config('SET', 'maxmemory', '0');
    await add(3);
    const found = await until('it is found that all are paused', () =>
      bench.watch.findings().find(({ code, remedies }) => code === 'queue.workers-paused' && remedies[0]),
    );
    expect(found).toMatchObject({
      headline: 'work: its only worker is paused',
      cause: expect.stringMatching(/^Paused by olga from here/),
      effect: expect.stringContaining('3 jobs wait'),
    });
    await bench.pullOne(found.remedies[0]?.action ?? '', { workers: found.remedies[0]?.workers ?? [] });
    await until('all is done', async () => (await process.state()).workers[0]?.completed === 4);
  });
});
