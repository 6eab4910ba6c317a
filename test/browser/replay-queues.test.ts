import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { axeFinds } from '../support/axe.js';
import { addEnded } from '../support/failed-jobs.js';
import { type OpenOptions, PHONE, type Scene, startScene, untilLive, untilSeen } from '../support/scene.js';
import { until } from '../support/until.js';

/** Machines that run tests are busy with others too. */
const PATIENT = { withinMs: 40_000 };
const LONGEST_MS = 240_000;
let scene: Scene;
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-replay-page-'));
  const config = join(directory, 'spillway.yaml');
  await writeFile(config, JSON.stringify({ replayQueues: ['retry-*'], groups: { post: ['*mail'] } }));
  scene = await startScene({
    env: { SPILLWAY_CONFIG: config },
    fill: async ({ redis, queue }) => {
      await Promise.all(['mail', 'retry-mail', 'retry-bills'].map((name) => queue(name).waitUntilReady()));
      await queue('retry-mail').add('again', {});
      await redis.client.hset('bull:retry-mail:meta', 'max', 7, 'duration', 1000);
      await addEnded(
        redis,
        'bull:mail',
        Array.from({ length: 3_000 }, (_, i) => ({
          id: `j${i}`,
          name: 'bill',
          error: 'card & bank: declined\nat pay()',
        })),
      );
    },
  });
  for (const id of ['bull:mail', 'bull:retry-mail', 'bull:retry-bills']) await untilSeen(scene, id);
}, LONGEST_MS);
afterAll(async () => {
  await scene?.stop();
  if (directory) await rm(directory, { recursive: true, force: true });
});

async function open(path: string, options?: OpenOptions): Promise<Page> {
  const page = await scene.open(path, options);
  page.setDefaultTimeout(PATIENT.withinMs);
  return page;
}
const begin = async (): Promise<string> => {
  const { body, status, text } = await scene.console.ask('POST', '/api/v1/replays', {
    queues: ['bull:mail'],
    ratePerSecond: 2,
    guard: false,
    reason: 'the fix is out',
  });
  expect(status, text).toBe(200);
  return body.id;
};
async function expectUsable(page: Page): Promise<void> {
  expect(await axeFinds(page)).toEqual([]);
  const width: readonly number[] = await page.evaluate(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  );
  expect(width[0]).toBeLessThanOrEqual(width[1] ?? 0);
}
const concurrency = (name: string) => scene.redis.client.hget(`bull:${name}:meta`, 'concurrency');

it(
  'a replay that begins elsewhere appears on the page of replays, and is gone when it is forgotten',
  async () => {
    const page = await open('/replays');
    await untilLive(page);
    await page.getByText('Nothing has been replayed from here yet.').waitFor();
    const id = await begin();
    const card = page.locator('.replay', { hasText: 'Failed jobs of bull:mail' });
    await card.waitFor();
    expect(await page.getByText('Nothing has been replayed from here yet.').isVisible()).toBe(false);
    const progress = () => card.locator('.replay-progress').innerText();
    await until('it goes on counting', async () => /^[1-9]\d* of 3,000/.test(await progress()), PATIENT);
    await scene.console.ask('PATCH', `/api/v1/replays/${id}`, { ratePerSecond: 4, reason: 'slowly' });
    await until(
      'the new rate is in its box',
      async () => (await card.getByLabel('Max rate, jobs/s').inputValue()) === '4',
      PATIENT,
    );

    await card.getByRole('link', { name: 'Abort…' }).press('Enter');
    await page.getByRole('heading', { name: 'Abort a replay' }).waitFor();
    await expectUsable(page);
    await page.getByLabel('Reason').fill('wrong queue');
    await page.getByRole('button', { name: 'Abort it for good' }).press('Enter');
    await page.getByRole('heading', { name: 'Replay: 1 done' }).waitFor();
    await untilLive(page);
    expect(await card.locator('.state-word').first().innerText()).toBe('aborted');
    expect(await card.getByLabel('Max rate, jobs/s').count()).toBe(0);
    await scene.console.ask('DELETE', `/api/v1/replays/${id}`);
    await card.waitFor({ state: 'detached' });
    expect(scene.complaints()).toEqual([]);
    await page.close();
  },
  LONGEST_MS,
);

it(
  'replay queues stand on the first screen with their rate, and one press stops them with the rest, on a phone too',
  async () => {
    const page = await open('/', PHONE);
    await untilLive(page);
    const line = page.locator('#recovery');
    expect(await line.innerText()).toMatch(/2 replay queues at 0\/s/);
    const id = await begin();
    await until(
      'the replay is on the first screen',
      async () => /1 replay under way at/.test(await line.innerText()),
      PATIENT,
    );
    expect(await line.innerText()).toContain('It stops 1 replay and pauses 2 replay queues.');
    await expectUsable(page);
    await page.getByRole('button', { name: 'Pause all replays' }).click();
    await page.getByRole('heading', { name: 'Pause: 3 done' }).waitFor();
    expect(await page.locator('.replay-receipt').innerText()).toMatch(
      /bull:retry-mail: .*global concurrency none → 0/,
    );
    expect([await concurrency('retry-mail'), await concurrency('retry-bills')]).toEqual(['0', '0']);
    expect(await line.innerText()).toMatch(/1 replay paused, 2 replay queues paused/);
    await expectUsable(page);
    await page.getByRole('button', { name: 'Resume all replays' }).click();
    await page.getByRole('heading', { name: 'Resume: 3 done' }).waitFor();
    expect([await concurrency('retry-mail'), await concurrency('retry-bills')]).toEqual([null, null]);
    expect(await scene.redis.client.hget('bull:retry-mail:meta', 'max')).toBe('7');
    await scene.console.ask('PATCH', `/api/v1/replays/${id}`, { state: 'aborted', reason: 'enough' });
    expect(scene.complaints()).toEqual([]);
    await page.close();
  },
  LONGEST_MS,
);

it(
  'a group gets another rate from the first screen, by the keyboard alone, and the drawer undoes it',
  async () => {
    const page = await open('/');
    await untilLive(page);
    await page.getByText('A queue or a group, or another rate').press('Enter');
    await page.getByLabel('Replays of').selectOption({ label: 'group post' });
    await page.getByLabel('Reason').fill('the mail server is slow');
    await page.getByLabel('New rate of each, in jobs a second').fill('3');
    await page.getByRole('button', { name: 'Set this rate' }).press('Enter');
    await page.getByRole('heading', { name: 'Set the rate: 1 done' }).waitFor();
    expect(await scene.redis.client.hget('bull:retry-mail:meta', 'max')).toBe('3');
    expect(await scene.redis.client.hget('bull:retry-bills:meta', 'max')).toBeNull();
    const { records } = (await scene.console.ask('GET', '/api/v1/audit')).body;
    expect(records[0]).toMatchObject({ action: 'queue.rate-limit', reason: 'the mail server is slow' });
    await page.getByRole('link', { name: 'Undo: bull:retry-mail' }).press('Enter');
    await page.locator('#drawer[open] button[type="submit"]').last().waitFor();
    await page.goto(`${scene.console.url}/replays`);
    await untilLive(page);
    const row = page.locator('.replay-queues li', { hasText: 'retry-mail' });
    await until(
      'its limit is reported',
      async () => /at most 3 per second/.test(await row.innerText()),
      PATIENT,
    );
    await expectUsable(page);
    expect(scene.complaints()).toEqual([]);
    await page.close();
  },
  LONGEST_MS,
);

it(
  'the form of a replay is filled in from a job that failed: its type and the error it failed with',
  async () => {
    const page = await open('/i/default/q/bull%3Amail/jobs/j2999');
    await page.getByRole('link', { name: 'Replay all like it…' }).press('Enter');
    await page.getByRole('heading', { name: 'Replay jobs' }).waitFor();
    expect(await page.getByRole('textbox', { name: 'Queues' }).inputValue()).toBe('bull:mail');
    expect(await page.getByLabel('Job types').inputValue()).toBe('bill');
    expect(await page.getByLabel('Error contains').inputValue()).toBe('card & bank: declined');
    await page.getByRole('button', { name: 'Preview' }).press('Enter');
    await page.waitForSelector('.replay-found');
    expect(await page.locator('.replay-found').innerText()).toMatch(/\d,\d{3} jobs match/);
    await page.close();
  },
  LONGEST_MS,
);

it(
  'a deploy on the timeline leads to a replay of what failed since',
  async () => {
    const marker = { kind: 'deploy', text: 'mailer 1.4', instance: 'default', queue: 'bull:mail' };
    const { status, text } = await scene.console.ask('POST', '/api/v1/markers', marker);
    expect(status, text).toBeLessThan(300);
    const page = await open('/workers');
    await page.getByRole('link', { name: 'Replay what failed since' }).first().press('Enter');
    await page.getByRole('heading', { name: 'Replay jobs' }).waitFor();
    expect(await page.getByRole('textbox', { name: 'Queues' }).inputValue()).toBe('bull:mail');
    expect(await page.getByLabel('Finished after (UTC)').inputValue()).toMatch(/^\d{4}-\d\d-\d\dT/);
    await page.close();
  },
  LONGEST_MS,
);
