import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore } from '../../server/open-store.js';
import { axeFinds, axeFindsAsItIs } from '../support/axe.js';
import { startWorker } from '../support/bullmq-process.js';
import { aNotification } from '../support/notifications.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { PHONE, type Scene, startScene, untilLive, untilSeen } from '../support/scene.js';
import { until } from '../support/until.js';

let scene: Scene;
let receiver: Receiver;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-channels-page-'));
  receiver = await startReceiver();
  const config = join(directory, 'spillway.yaml');
  const { url } = receiver;
  await writeFile(
    config,
    `alerts:
  channels:
    - { name: ops-hook, type: webhook, url: "${url}/hook" }
    - { name: team, type: slack, url: "${url}/slack/secret-path-of-slack", minSeverity: info, instances: [default, shop] }
    - { name: pager, type: pagerduty, url: "${url}/pd", routingKey: RRRRRRRRRRRRRRRR, minSeverity: critical }
  deadManSwitch: { url: "${url}/beat", everySeconds: 30 }
`,
  );
  scene = await startScene({
    env: { SPILLWAY_CONFIG: config },
    fill: ({ queue }) => queue('mail').add('send', {}),
  });
  await untilSeen(scene, 'bull:mail');
});
afterAll(async () => {
  await scene?.stop();
  await receiver?.stop();
  await rm(directory, { recursive: true, force: true });
});

const text = (page: Page) => page.locator('main').innerText();

it('channels are tested with the keyboard, and what came of it is said', async () => {
  const page = await scene.open('/channels');
  await untilLive(page);
  expect(await text(page)).toMatch(/Never used: send a test/);
  await page.getByRole('button', { name: 'Send a test to ops-hook' }).press('Enter');
  await page.getByRole('status').getByText('The test of ops-hook arrived.').waitFor();
  receiver.answer((request, response) => void response.writeHead(404).end(`no_service ${request.path}`));
  await page.getByRole('button', { name: 'Send a test to team' }).press('Enter');
  await page.getByRole('status').getByText('The test of team did not arrive: answered 404').waitFor();
  expect(await page.content()).not.toContain('secret-path-of-slack');
  await page.close();
});

it('messages that failed are sent again or deleted, also on a phone', async () => {
  receiver.answer((_, response) => void response.end('ok'));
  const store = await openStore(scene.console.dataDirectory);
  const holder = (await store.leases.read('alerts'))?.holder ?? '';
  const fence = { lease: 'alerts', holder };
  for (const id of ['p-1', 'p-2']) {
    await store.outbox.add(
      aNotification({ id, groupKey: id, headline: `Redis ${id} is full` }),
      ['retired'],
      Date.now(),
    );
    const [entry] = await store.outbox.claim(fence, ['retired'], Date.now());
    if (!entry) throw new Error('claimed');
    await store.outbox.failed(entry, fence, Date.now(), 'answered 410: gone; refused 6 times', {
      state: 'dead',
    });
  }
  store.close();
  const page = await scene.open('/channels', PHONE);
  await untilLive(page);
  expect(await text(page)).toMatch(/Redis p-2 is full[\s\S]*answered 410: gone; refused 6 times/);
  await shot(page, 'channels-phone-light');
  expect(await axeFinds(page)).toEqual([]);
  await shot(page, 'channels-phone-dark');
  const width = await page.evaluate<number>('document.documentElement.scrollWidth');
  expect(width).toBeLessThanOrEqual(390);
  await page.getByRole('button', { name: /^Delete: Redis p-1/ }).click();
  await page.getByRole('button', { name: /^Send again: Redis p-2/ }).click();

  await until('both are gone from the list', async () => {
    const { body } = await scene.console.ask('GET', '/api/v1/outbox');
    return body.dead.length === 0 && body.pending.length === 1;
  });
  await page.close();
});

it('what becomes of a message is seen without a reload, and takes the focus from nobody', async () => {
  receiver.answer((_, response) => void response.writeHead(503).end('not now'));
  const page = await scene.open('/channels');
  await untilLive(page);
  await page.evaluate('window.isStillHere = true');
  const button = page.getByRole('button', { name: 'Send a test to pager' });
  await button.focus();
  const store = await openStore(scene.console.dataDirectory);
  await store.outbox.add(
    aNotification({ id: 'live-1', groupKey: 'live-1', headline: 'Redis live is full' }),
    ['ops-hook'],
    Date.now(),
  );
  const waiting = page.locator('#messages-waiting');
  await waiting.getByText('Redis live is full').waitFor();
  const card = page.locator('.channel', { has: page.getByRole('heading', { name: 'ops-hook' }) });
  await card.getByText(/Last failed .*answered 503/).waitFor();
  // At once, as the pauses between tries become longer.
  receiver.answer((_, response) => void response.end('ok'));
  await card.getByText('Works').waitFor({ timeout: 60_000 });
  await waiting.getByText('Redis live is full').waitFor({ state: 'detached', timeout: 60_000 });
  const given = aNotification({ id: 'live-2', groupKey: 'live-2', headline: 'Redis dead is full' });
  await store.outbox.add(given, ['nobody'], Date.now());
  const fence = { lease: 'alerts', holder: (await store.leases.read('alerts'))?.holder ?? '' };
  const [entry] = await store.outbox.claim(fence, ['nobody'], Date.now());
  if (!entry) throw new Error('claimed');
  await store.outbox.failed(entry, fence, Date.now(), 'answered 410', { state: 'dead' });
  await page.locator('#messages-dead').getByText('Redis dead is full').waitFor();
  expect(await button.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
  expect(await page.evaluate('window.isStillHere')).toBe(true);
  expect(await axeFindsAsItIs(page)).toEqual([]);
  store.close();
  await page.close();
}, 200_000);

it('a canary job says before what it does, and afterwards how long it took', async () => {
  const page = await scene.open('/i/default/q/bull%3Amail');
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('link', { name: 'Send canary job' }).click();
  await page.waitForURL(/tab=settings#canary$/);
  await untilLive(page);
  await shot(page, 'queue-canary');
  expect(await page.locator('.canary').innerText()).toMatch(/Adds one real job to this queue/);
  const worker = await startWorker({ version: 6, port: scene.redis.port, queue: 'mail', jobMs: 20 });
  await page.locator('.canary').getByLabel('Job type').fill('health-check');
  await page.getByRole('button', { name: 'Send canary job' }).press('Enter');
  await page.waitForURL(/canary$/);
  expect(await text(page)).toMatch(/It got through in [\d,]+ ms/);
  expect(await text(page)).toMatch(/gone from Redis again/);
  expect(await axeFindsAsItIs(page)).toEqual([]);
  await shot(page, 'canary');
  await worker.stop();
  await scene.console.ask('PATCH', '/api/v1/instances/default/queues/bull%3Amail', {
    paused: true,
    reason: 'x',
  });
  await page.getByRole('button', { name: 'Send canary job' }).press('Enter');
  await page.getByRole('status').getByText('It was not sent').waitFor();
  expect(await text(page)).toMatch(/paused by Spillway.*resume it first/);
  await page.close();
});

it('looks right when wide, in both schemes, without complaints', async () => {
  const page = await scene.open('/channels');
  await untilLive(page);
  await shot(page, 'channels-light');
  expect(await axeFinds(page)).toEqual([]);
  await shot(page, 'channels-dark');
  await page.close();
  expect(scene.complaints()).toEqual([]);
});

/** Pictures to look at, where a directory for them is named. */
async function shot(page: Page, name: string): Promise<void> {
  const at = process.env.SPILLWAY_SHOTS;
  if (at) await page.screenshot({ path: join(at, `${name}.png`), fullPage: true });
}
