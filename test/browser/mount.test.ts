import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Queue } from 'bullmq';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import type { MountedConsole } from '../../server/console-options.js';
import { createConsole } from '../../server/create-console.js';
import { openWindows } from '../support/browser-windows.js';
import { PHONE, untilLive, WIDE } from '../support/scene.js';
import { until } from '../support/until.js';

const BASE = '/ops/queues';
let redis: OwnRedis;
let queue: Queue;
let console_: MountedConsole;
let windows: Awaited<ReturnType<typeof openWindows>>;
const directory = mkdtempSync(join(tmpdir(), 'spillway-mount-'));

beforeAll(async () => {
  redis = await startRedis();
  queue = new Queue('mail', { connection: { port: redis.port } });
  await queue.addBulk(Array.from({ length: 30 }, () => ({ name: 'welcome', data: {} })));
  console_ = await createConsole({
    basePath: BASE,
    redis: `redis://127.0.0.1:${redis.port}`,
    settings: { data: directory, logLevel: 'error' },
    // As the sign-in of an application would say it: by its own cookie.
    authenticate: (request) => {
      const name = /user=(\w+)/.exec(request.headers.get('cookie') ?? '')?.[1];
      return name === undefined ? null : { name, role: name === 'ada' ? 'operator' : 'viewer' };
    },
  });
  windows = await openWindows();
});
afterAll(async () => {
  await windows?.close();
  await console_?.close();
  await queue?.close();
  await redis?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Each as docs/deploy.md shows it. */
const HOSTS: Readonly<Record<string, () => Promise<RequestListener>>> = {
  'Node’s own server': async () => (request, response) => {
    if (request.url?.startsWith(BASE)) void console_.listener(request, response);
    else response.end('the application');
  },
  'Express, which takes the path off': async () => {
    const app = express();
    app.use(BASE, console_.listener);
    app.use(express.json());
    app.get('/', (_, response) => void response.send('the application'));
    return app as unknown as RequestListener;
  },
  NestJS: async () => {
    class Application {}
    Module({})(Application);
    const app = await NestFactory.create(Application, { logger: false, abortOnError: false });
    app.use(BASE, console_.listener);
    app.use('/', (_: unknown, response: ServerResponse) => response.end('the application'));
    await app.init();
    return app.getHttpAdapter().getInstance() as RequestListener;
  },
  Fastify: async () => {
    const app = fastify();
    app.get('/', async () => 'the application');
    app.register(async (part) => {
      part.removeAllContentTypeParsers();
      part.addContentTypeParser('*', (_, payload, done) => done(null, payload));
      part.all(`${BASE}/*`, (request, reply) => {
        reply.hijack();
        return console_.listener(request.raw, reply.raw);
      });
      part.all(BASE, (request, reply) => {
        reply.hijack();
        return console_.listener(request.raw, reply.raw);
      });
    });
    await app.ready();
    return (request, response) => app.routing(request, response);
  },
  // As Next calls the exports of docs/mount.md: by method, with a Request and the parameters of the path.
  'a route handler of Next.js': async () => {
    const handle = (request: Request): Promise<Response> => console_.fetch(request);
    const route: Readonly<
      Record<string, (request: Request, context: { params: Promise<object> }) => Promise<Response>>
    > = { DELETE: handle, GET: handle, PATCH: handle, POST: handle, PUT: handle };
    return getRequestListener((request) => {
      const { pathname } = new URL(request.url);
      const path = pathname.split('/').slice(3);
      if (!pathname.startsWith(BASE)) return new Response('the application');
      return route[request.method]?.(request, { params: Promise.resolve({ path }) }) ?? new Response(null);
    }) as RequestListener;
  },
  Hono: async () => {
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.get('/', (c) => c.text('the application'));
    app.all(`${BASE}/*`, (c) => console_.fetch(c.req.raw, c.env));
    return getRequestListener(app.fetch) as RequestListener;
  },
};

async function serving(listener: RequestListener, body: (url: string) => Promise<void>): Promise<void> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A page of somebody who is signed in to the application, and what it asked for that was not there. */
async function pageOf(
  url: string,
  user: string,
  size: BrowserContextOptions = WIDE,
): Promise<{ page: Page; missing: string[] }> {
  const page = await windows.page(size);
  const missing: string[] = [];
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (response.status() >= 400 || !pathname.startsWith(BASE))
      missing.push(`${response.status()} ${pathname}`);
  });
  await page.context().addCookies([{ name: 'user', value: user, url }]);
  return { page, missing };
}

describe('the console as a part of an application', () => {
  it.each(Object.keys(HOSTS))(
    'is whole below a path, with its live parts, forms, charts and links: %s',
    async (name) => {
      const listener = await HOSTS[name]?.();
      await serving(listener as RequestListener, async (url) => {
        expect(await (await fetch(url)).text()).toBe('the application');
        const { page, missing } = await pageOf(url, 'ada');
        await page.goto(`${url}${BASE}/`);
        await untilLive(page);
        await page.getByRole('link', { name: 'mail', exact: true }).first().click();
        await page.waitForURL(`${url}${BASE}/i/default/q/**`);
        await page.locator('canvas[data-chart]').first().waitFor();
        // So Spillway pauses: also where a full Redis would refuse more.
        const isPaused = async (): Promise<boolean> => (await queue.getGlobalConcurrency()) === 0;
        const before = await isPaused();
        const verb = before ? 'Resume' : 'Pause';
        await page.getByRole('link', { name: verb, exact: true }).click();
        await page.getByRole('button', { name: `${verb} mail` }).click();
        await until('the queue is changed', async () => (await isPaused()) !== before);
        await page.goto(`${url}${BASE}/incidents`);
        await page.goto(`${url}${BASE}/docs/agent`);
        expect(missing).toEqual([]);
        await page.close();
      });
    },
  );

  it('asks the application who somebody is: a viewer changes nothing, a stranger sees nothing', async () => {
    const listener = await HOSTS['Express, which takes the path off']?.();
    await serving(listener as RequestListener, async (url) => {
      const ask = (path: string, init: RequestInit): Promise<Response> => fetch(`${url}${BASE}${path}`, init);
      const pause = {
        method: 'PATCH',
        headers: { 'content-type': 'application/json', cookie: 'user=bob' },
        body: '{"paused":true}',
      };
      const path = `/api/v1/instances/default/queues/${encodeURIComponent('bull:mail')}`;
      expect((await ask(path, pause)).status).toBe(403);
      expect((await ask(path, { headers: { cookie: 'user=bob' } })).status).toBe(200);
      for (const page of ['/', '/api/v1/overview', '/live/overview', '/metrics'])
        expect([page, (await ask(page, { headers: { accept: 'text/html' } })).status]).toEqual([page, 401]);
      const { page } = await pageOf(url, 'bob', PHONE);
      await page.goto(`${url}${BASE}/`);
      await untilLive(page);
      expect(await page.getByRole('link', { name: 'Sign out' }).count()).toBe(0);
      await page.close();
    });
  });

  it('listens nowhere and logs by itself, whatever the application is told in its environment', async () => {
    const own = { HOST: '0.0.0.0', PORT: 'a socket', LOG_LEVEL: 'trace' };
    const before = { ...process.env };
    Object.assign(process.env, own);
    const data = mkdtempSync(join(tmpdir(), 'spillway-mount-'));
    try {
      const mounted = await createConsole({
        redis: `redis://127.0.0.1:${redis.port}`,
        settings: { data, logLevel: 'silent', host: '10.0.0.5' },
        authenticate: () => null,
      });
      await mounted.close();
    } finally {
      for (const name of Object.keys(own)) delete process.env[name];
      Object.assign(process.env, before);
      rmSync(data, { recursive: true, force: true });
    }
  });

  it('ends its own streams and no other console’s when it is closed', async () => {
    const data = mkdtempSync(join(tmpdir(), 'spillway-mount-'));
    const request = () => new Request(`http://app/api/v1/live`, { headers: { cookie: 'user=ada' } });
    const streamOf = async ({ fetch }: MountedConsole) =>
      (await fetch(request())).body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    const other = await createConsole({
      redis: `redis://127.0.0.1:${redis.port}`,
      settings: { data, logLevel: 'silent' },
      authenticate: () => ({ name: 'ada', role: 'viewer' }),
    });
    const [kept, ended] = [await streamOf(console_), await streamOf(other)];
    try {
      await other.close();
      await until('its own stream is over', async () => (await ended.read()).done);
      // What had been made by then comes first; the second is of after the close.
      for (let i = 0; i < 3; i++) expect((await kept.read()).done).toBe(false);
    } finally {
      await kept.cancel();
      rmSync(data, { recursive: true, force: true });
    }
  });

  it('refuses to be mounted where nobody would be asked who they are', async () => {
    await expect(createConsole({ redis: 'redis://127.0.0.1:1' })).rejects.toThrow(/authenticate: is missing/);
    await expect(
      createConsole({ basePath: 'ops queues', authenticate: () => null, redis: 'redis://127.0.0.1:1' }),
    ).rejects.toThrow(/basePath: ops queues must be a path such as \/ops\/queues/);
  });
});
