import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import express from 'express';
import { Hono } from 'hono';
import { describe, expect } from 'vitest';
import { type Health, healthHandler } from '../../agent/index.js';
import { startHalfOpenWay } from '../../drills/half-open-way.js';
import { type OwnRedis, overfill } from '../../drills/own-redis.js';
import { packagePath } from '../../server/process/package-path.js';
import { anOrder } from '../support/agent-ear.js';
import { it } from '../support/agent-scene.js';
import type { AttachedProcess } from '../support/attached-process.js';
import { until } from '../support/until.js';

const IMPATIENT = { idleSeconds: 1, stuckSeconds: 1 };

const ask = async (process: AttachedProcess, options: object = IMPATIENT): Promise<Health> =>
  (await process.tell('health', options as Record<string, unknown>)) as Health;

/** Asks as a probe does, again and again, until the answer is like that. */
const becomes = (process: AttachedProcess, isWanted: (health: Health) => boolean): Promise<Health> =>
  until('its health is like that', async () => {
    const health = await ask(process);
    return isWanted(health) ? health : null;
  });

async function withQueue<T>(redis: OwnRedis, body: (queue: Queue) => Promise<T>, name = 'work'): Promise<T> {
  const queue = new Queue(name, { connection: { port: redis.port } });
  try {
    return await body(queue);
  } finally {
    await queue.close();
  }
}

const add = (redis: OwnRedis, name = 'work', ...jobs: readonly object[]): Promise<unknown> =>
  withQueue(redis, (queue) => queue.addBulk(jobs.map((data) => ({ name: 'work', data }))), name);

describe.concurrent('health of a process', () => {
  it('is good while it works and while it is idle', async ({ scene: { redis, start } }) => {
    const { worker: process } = await start({ concurrency: 1 });
    expect(await becomes(process, ({ reason }) => /idle/.test(reason))).toMatchObject({
      ok: true,
      workers: [{ queue: 'bull:work', ok: true, reason: 'it is idle: no job waits' }],
    });
    await add(redis, 'work', {});
    expect(await becomes(process, ({ reason }) => /took a job/.test(reason))).toMatchObject({ ok: true });
    await add(redis, 'work', { ms: 700 });
    expect(await becomes(process, ({ reason }) => /1 of 1 slots are busy/.test(reason))).toMatchObject({
      ok: true,
    });
  });

  it('is bad, with the reason, where its connection is dead and jobs wait', async ({
    scene: { redis, start },
  }) => {
    const way = await startHalfOpenWay(redis.port);
    const { worker: process } = await start({
      port: way.port,
      concurrency: 1,
      attach: { connectTo: redis.port },
    });
    await add(redis, 'work', {});
    await until('it works', async () => (await process.state()).workers[0]?.completed === 1);
    way.swallow();
    await add(redis, 'work', {}, {}, {});
    const { reason } = await becomes(process, ({ ok }) => !ok);
    expect(reason).toMatch(
      /^bull:work: it has taken no job for \d+ s, with 1 of 1 slots free, while 3 wait: it is deaf$/,
    );
    way.heal();
    await way.close();
  });

  it('is bad where every slot holds a job that does not end, also in a sandbox', async ({
    scene: { redis, start },
  }) => {
    const processorFile = join(packagePath('test'), 'support', 'sandboxed-processor.cjs');
    for (const change of [{ concurrency: 1 }, { concurrency: 1, queue: 'boxed', processorFile }]) {
      const { worker: process } = await start(change);
      await add(redis, change.queue, { hang: true, untilFile: '/never' });
      expect((await becomes(process, ({ ok }) => !ok)).reason).toMatch(/all 1 slots are busy.* it is wedged/);
      expect(await ask(process, {})).toMatchObject({ ok: true });
    }
  });

  it('is good where something else keeps it from taking jobs: a restart would not help', async ({
    scene: { redis, ear, start },
  }) => {
    const { id, worker: process } = await start();
    const stays = async (reason: RegExp): Promise<void> => {
      await becomes(process, (health) => reason.test(health.reason));
      const from = performance.now();
      await until('it has been asked for longer than it may be idle', async () => {
        expect(await ask(process)).toMatchObject({ ok: true, reason: expect.stringMatching(reason) });
        return performance.now() - from > 1_500;
      });
    };
    await withQueue(redis, async (queue) => {
      await queue.pause();
      await add(redis, 'work', {}, {});
      await stays(/the queue is paused/);
      await ear.order(anOrder({ setting: 'paused', value: true }), id);
      await queue.resume();
      await stays(/paused by an order of a console/);
      await ear.order(anOrder({ setting: 'paused', value: null }), id);
      await becomes(process, ({ reason }) => /took a job|idle/.test(reason));
      await process.tell('pause');
      await stays(/paused by the application/);
    });
  });

  it('is good where Redis is full, or does not answer', async ({ scene: { redis, start } }) => {
    const { worker: process } = await start();
    await redis.client.setrange('ballast', 40_000_000, 'x');
    await overfill(redis);
    await becomes(process, ({ ok, reason }) => ok && /Redis is full|has room|idle/.test(reason));
    await redis.stop();
    expect(await becomes(process, ({ reason }) => /unknown/.test(reason))).toMatchObject({ ok: true });
  });
});

describe('a handler of probes', () => {
  it('answers by Node’s own server, by Express and by Hono', async () => {
    const app = new Hono();
    app.get('/healthz', (context) => healthHandler()(context) as Promise<Response>);
    const hono = await app.request('/healthz');
    const servers = [
      createServer(healthHandler()).listen(0, '127.0.0.1'),
      express().get('/healthz', healthHandler()).listen(0, '127.0.0.1'),
    ];
    const served = servers.map(async (server) => {
      await new Promise((resolve) => server.once('listening', resolve));
      return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/healthz`);
    });
    for (const response of [hono, ...(await Promise.all(served))]) {
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ ok: true, reason: 'no worker is attached', workers: [] });
    }
    for (const server of servers) server.close();
  });
});
