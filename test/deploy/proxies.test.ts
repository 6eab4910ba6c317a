import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../drills/own-redis.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { openWindows } from '../support/browser-windows.js';
import { signedBy } from '../support/certificates.js';
import { askTls, PROXIES, PUBLIC_NAME, startProxy, type TlsRequest, type Way } from '../support/proxies.js';
import { PHONE, type Scene, startScene, untilLive } from '../support/scene.js';
import { until } from '../support/until.js';

const TOKEN = newToken();
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const PAGE = { accept: 'text/html' };
/** Of this machine, and no trusted proxy. */
const CLIENT = '127.0.0.2';

let scene: Scene;
let directory: string;
let port: number;
let ca: Buffer;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'spillway-proxies-'));
  const made = signedBy(directory, 'ca', 'ops', `DNS:${PUBLIC_NAME}`);
  ca = readFileSync(made.ca.certPath);
  writeFileSync(join(directory, 'ops.pem'), made.server.cert + made.server.key);
  port = await freePort();
  scene = await startScene({
    env: {
      SPILLWAY_TOKENS: `ann:operator:${hashToken(TOKEN)}`,
      SPILLWAY_PUBLIC_URL: `https://${PUBLIC_NAME}:${port}/queues`,
      SPILLWAY_TRUSTED_PROXIES: '127.0.0.1',
    },
    fill: ({ queue }) => queue('mail').add('welcome', {}),
  });
  await until('the queue is seen', async () => (await api('GET', '')).status === 200);
});
afterAll(async () => {
  await scene?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Of the console itself, not through a proxy. */
function api(method: string, path: string, body?: unknown) {
  const queue = `/api/v1/instances/default/queues/mail${path}`;
  return scene.console.ask(method, queue, body, { authorization: `Bearer ${TOKEN}` });
}

const ask = (path: string, options: Omit<TlsRequest, 'ca'> = {}) => askTls(port, path, { ca, ...options });

async function behind(name: keyof typeof PROXIES, way: Way, body: () => Promise<void>): Promise<void> {
  const consolePort = Number(new URL(scene.console.url).port);
  const stop = await startProxy(name, { way, port, consolePort, directory });
  try {
    await body();
  } finally {
    await stop();
  }
}

const WAYS: readonly Way[] = ['path kept', 'path taken off', 'own defaults'];
const MATRIX = (Object.keys(PROXIES) as (keyof typeof PROXIES)[]).flatMap((name) =>
  WAYS.map((way) => [name, way] as const),
);
/** What does not say whom it serves, unless it is asked to: it would pass on what a client says of itself. */
const SILENT = new Set(['nginx own defaults', 'haproxy own defaults']);

const LIE = { 'x-forwarded-for': '1.1.1.1' };

describe('behind a real proxy with TLS, by the block of docs/deploy.md', () => {
  it.each(MATRIX)('%s, %s: sign-in, changes, streams, files and addresses are right', (name, way) =>
    behind(name, way, async () => {
      const origin = `https://${PUBLIC_NAME}:${port}`;
      const isSilent = SILENT.has(`${name} ${way}`);
      const led = await ask('/queues/audit?x=1', { headers: PAGE });
      expect([led.status, led.headers.location]).toEqual([303, '/queues/sign-in?to=%2Faudit%3Fx%3D1']);
      expect([301, 302, 303, 308]).toContain((await ask('/queues', { headers: PAGE })).status);

      // Without Sec-Fetch-Site, as older browsers are.
      const signIn = (headers: Record<string, string>, token: string) =>
        ask('/queues/sign-in', {
          ...{ method: 'POST', from: CLIENT, headers: { ...FORM, ...PAGE, ...headers } },
          body: new URLSearchParams({ token, to: '/' }).toString(),
        });
      expect((await signIn({ origin: 'https://evil.example' }, TOKEN)).status).toBe(403);
      const wrong = newToken();
      expect((await signIn({ origin, ...(isSilent ? {} : LIE) }, wrong)).status).toBe(422);
      const signedIn = await signIn({ origin }, TOKEN);
      expect([signedIn.status, signedIn.headers.location]).toEqual([303, '/queues/']);
      const [set = ''] = signedIn.headers['set-cookie'] ?? [];
      for (const part of [
        /^__Secure-/,
        /; HttpOnly/i,
        /; Secure/i,
        /; SameSite=Strict/i,
        /; Path=\/queues(;|$)/i,
      ])
        expect(set).toMatch(part);
      const cookie = set.split(';')[0] ?? '';

      const page = await ask('/queues/', { headers: { ...PAGE, cookie } });
      expect(page.status).toBe(200);
      const addresses = [...page.text.matchAll(/ (?:href|src|action|hx-[a-z:-]+)="(\/[^"]*)"/g)].map(
        ([, address = '']) => address,
      );
      expect(addresses.filter((address) => !address.startsWith('/queues/'))).toEqual([]);
      const files = addresses.filter((address) => address.includes('/static/'));
      expect(files.length).toBeGreaterThan(20);
      for (const [file, { status, text }] of await Promise.all(
        files.map(async (file) => [file, await ask(file.replaceAll('&amp;', '&'))] as const),
      ))
        expect([file, status, text.length > 0]).toEqual([file, 200, true]);

      const events = await ask('/queues/api/v1/live', {
        headers: { cookie },
        // Each is sent when it is made: what is held back comes when the stream has ended, which it does not.
        isEnough: (text) => text.split('event: overview').length > 2,
      });
      expect(events.headers['content-type']).toMatch(/^text\/event-stream/);

      const isPaused = (await api('GET', '')).body.globalConcurrency === 0;
      const change = await ask('/queues/api/v1/instances/default/queues/mail', {
        ...{ method: 'PATCH', headers: { cookie, origin, 'content-type': 'application/json' } },
        body: JSON.stringify({ paused: !isPaused, reason: 'of the test' }),
      });
      expect([change.status, change.text]).toEqual([200, expect.stringContaining('applied')]);

      const tried = `A wrong token (SHA-256 ${hashToken(wrong).slice(0, 8)}…), from`;
      const source = isSilent ? '127.0.0.1' : CLIENT;
      await until('the try is in the log with its address', () =>
        scene.console.output().includes(`${tried} ${source}.`),
      );

      const missing = await ask('/queues/nowhere', { headers: { ...PAGE, cookie } });
      expect([missing.status, missing.text]).toEqual([404, expect.stringContaining('href="/queues/"')]);
      const out = await ask('/queues/sign-out', { method: 'POST', headers: { cookie, origin, ...PAGE } });
      expect([out.status, out.headers.location]).toEqual([303, '/queues/sign-in']);
      expect((await ask('/queues/api/v1/overview', { headers: { cookie } })).status).toBe(401);
    }),
  );
});

it('links lead to where people reach the console: below its path in answers, whole in what is sent on', async () => {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const read = (path: string) => scene.console.ask('GET', path, undefined, headers);
  const marked = {
    title: 'Mail stood',
    severity: 'warning',
    from: new Date(Date.now() - 60_000).toISOString(),
  };
  const { body: incident, text } = await scene.console.ask('POST', '/api/v1/incidents', marked, headers);
  expect(incident.links, text).toMatchObject({
    self: `/queues/incidents/${incident.id}`,
    draft: `/queues/api/v1/incidents/${incident.id}.md`,
  });
  const picture = `https://${PUBLIC_NAME}:${port}/queues/api/v1/incidents/${incident.id}.svg`;
  expect((await read(incident.links.draft)).text).toContain(`(${picture})`);
  const { entries } = (await read('/api/v1/timeline')).body;
  expect(entries[0].links.self).toMatch(/^\/queues\/timeline/);
  expect((await read('/api/v1/nowhere')).body.type).toBe('/queues/docs#problem-not-found');
  expect((await read('/api/v1/openapi.json')).body.servers).toEqual([{ url: '/queues/api/v1' }]);
});

describe('in a browser behind nginx with HTTP/2', () => {
  it('a person signs in, sees live numbers and charts, acts, and signs out', () =>
    behind('nginx', 'path kept', async () => {
      const windows = await openWindows();
      const page = await windows.page({ ...PHONE, ignoreHTTPSErrors: true });
      const wrong: string[] = [];
      page.on('response', (response) => {
        if (response.status() >= 400 || !new URL(response.url()).pathname.startsWith('/queues/'))
          wrong.push(`${response.status()} ${response.url()}`);
      });
      const at = `https://${PUBLIC_NAME}:${port}/queues`;
      await page.goto(`${at}/i/default/q/bull%3Amail`);
      expect(page.url()).toBe(`${at}/sign-in?to=%2Fi%2Fdefault%2Fq%2Fbull%253Amail`);
      await page.fill('#token', TOKEN);
      await page.click('button[type="submit"]');
      await page.waitForURL(`${at}/i/default/q/bull%3Amail`);
      await untilLive(page);
      await page.locator('canvas[data-chart]').first().waitFor();
      const isPaused = async () => (await scene.queue('mail').getGlobalConcurrency()) === 0;
      const before = await isPaused();
      const verb = before ? 'Resume' : 'Pause';
      await page.getByRole('link', { name: verb, exact: true }).click();
      await page.getByRole('button', { name: `${verb} mail` }).click();
      await until('the queue is changed', async () => (await isPaused()) !== before);
      await page.goto(`${at}/`);
      await untilLive(page);
      await page.getByRole('button', { name: 'Menu', exact: true }).click();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL(`${at}/sign-in`);
      expect(wrong).toEqual([]);
      await page.context().close();
    }));
});
