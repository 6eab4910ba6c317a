import { afterAll, beforeAll, expect, it } from 'vitest';
import { axeFinds } from '../support/axe.js';
import { addEnded } from '../support/failed-jobs.js';
import { PHONE, type Scene, startScene, untilLive, untilSeen } from '../support/scene.js';
import { until } from '../support/until.js';

let scene: Scene;

beforeAll(async () => {
  scene = await startScene({
    fill: async ({ redis, queue }) => {
      await queue('mail').waitUntilReady();
      await addEnded(
        redis,
        'bull:mail',
        Array.from({ length: 3_000 }, (_, i) => ({
          ...{ id: `j${i}`, name: i % 3 === 0 ? 'bill' : 'send', error: `monitor ${i} timed out` },
        })),
      );
    },
  });
  await untilSeen(scene, 'bull:mail');
});
afterAll(() => scene.stop());

it('failed jobs are replayed from the queue’s failed tab, after a look at what that takes', async () => {
  const page = await scene.open('/i/default/q/bull%3Amail?state=failed');
  await page.getByRole('link', { name: 'Replay these', exact: true }).click();
  await untilLive(page);
  expect(await page.getByRole('textbox', { name: 'Queues' }).inputValue()).toBe('bull:mail');
  await page.getByLabel('Job types').fill('send');
  await page.locator('.replay-form').getByLabel('Max rate').fill('100');
  await page.getByLabel(/Auto-throttle/).uncheck();
  await page.getByLabel('Reason (optional)').fill('the fix is out');
  await page.getByRole('button', { name: 'Preview' }).press('Enter');
  await page.waitForSelector('.replay-found');
  const look = await page.locator('.replay-found').innerText();
  expect(look).toMatch(/2,000 jobs match/);
  expect(look).toMatch(/20 s at 100\/s/);
  expect(look).toMatch(/Auto-throttle is off/);
  expect(look).toMatch(/no more: the jobs are in Redis/);
  expect(look).toMatch(/2,000 monitor # timed out/);
  expect(look).not.toMatch(/monitor \d/);
  const sample = page
    .locator('.replay-found')
    .getByRole('link', { name: /^j\d+$/ })
    .first();
  expect(await sample.getAttribute('href')).toMatch(/^\/i\/default\/q\/bull%3Amail\/jobs\/j\d+$/);
  await page.getByRole('link', { name: 'Send a canary job first' }).waitFor();
  expect(await axeFinds(page)).toEqual([]);
  expect(await scene.redis.client.zcard('bull:mail:failed')).toBe(3_000);
  // Its address is all that it takes to show it to somebody else.
  await page.goto(page.url());
  expect(await page.locator('.replay-found').innerText()).toMatch(/2,000 jobs match/);
  await page.getByRole('button', { name: 'Start: replay 2,000 jobs' }).press('Enter');
  await page.waitForSelector('.replay');
  await untilLive(page);
  const moved = () => page.locator('.replay-progress').innerText();
  const first = await until(
    'the page counts',
    async () => /[1-9]\d* of 2,000/.test(await moved()) && moved(),
  );
  await until('the page goes on counting without a reload', async () => (await moved()) !== first);
  await page.close();
});

it('one button on the first screen stops all of them, also on a phone', async () => {
  const page = await scene.open('/', PHONE);
  await untilLive(page);
  expect(await page.locator('#recovery').innerText()).toMatch(/1 replay under way at/);
  const button = page.getByRole('button', { name: 'Pause all replays' });
  const box = await button.boundingBox();
  expect(box?.y ?? Infinity).toBeLessThan(844);
  await button.click();
  await page.getByRole('button', { name: 'Resume all replays' }).waitFor();
  const stood = await scene.redis.client.zcard('bull:mail:failed');
  expect(stood).toBeGreaterThan(1_000);
  await page.goto(`${scene.console.url}/replays`);
  await untilLive(page);
  await page.locator('.replay-rate input[name="ratePerSecond"]').fill('5000');
  await page.locator('.replay-rate button').click();
  await page.waitForLoadState();
  expect(await axeFinds(page)).toEqual([]);
  const width: readonly number[] = await page.evaluate(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  );
  expect(width[0]).toBeLessThanOrEqual(width[1] ?? 0);
  expect(await scene.redis.client.zcard('bull:mail:failed')).toBe(stood);
  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await page.locator('.replay h2 a').click();
  await page.waitForURL(/\/replays\/[\w-]+$/);
  await untilLive(page);
  const whole = await page.locator('#replay-now').innerText();
  expect(whole).toMatch(/of 2,000[\s\S]*2,000 matched = /);
  expect(await page.locator('.audit').innerText()).toMatch(/rate: 100\/s → 5000\/s[\s\S]*begun/);
  expect(await axeFinds(page)).toEqual([]);
  await until(
    'all of the type are back',
    async () => (await scene.redis.client.zcard('bull:mail:failed')) === 1_000,
  );
  expect(scene.complaints()).toEqual([]);
  await page.close();
});
