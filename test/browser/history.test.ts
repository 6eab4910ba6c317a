import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { axeFindsAsItIs } from '../support/axe.js';
import { PHONE, type Scene, startScene, untilLive, untilSeen, WIDE } from '../support/scene.js';
import { until } from '../support/until.js';

let scene: Scene;
const QUEUE = '/i/default/q/bull%3Amail';

beforeAll(async () => {
  scene = await startScene({
    fill: async ({ queue }) => {
      const jobs = (length: number) => Array.from({ length }, (_, i) => ({ name: 'send', data: { i } }));
      await queue('mail').addBulk(jobs(7));
      await queue('many').addBulk(jobs(50));
    },
  });
  await untilSeen(scene, 'bull:mail');
  await scene.console.ask('POST', '/api/v1/markers', { text: 'mail 2.0', queue: 'bull:mail' });
});
afterAll(async () => {
  await scene?.stop();
});

async function opened(path: string, options: Parameters<Scene['open']>[1] = WIDE): Promise<Page> {
  const page = await scene.open(path, options);
  page.setDefaultTimeout(30_000);
  await untilLive(page);
  return page;
}
const inWords = (page: Page, id: string) => page.getAttribute(`#${id} canvas`, 'aria-label');

// Side by side, the longest first: each has windows of its own, and only looks.
it.concurrent('a queue is less than three screens of a phone, and all its jobs are a tap away', async () => {
  const page = await opened('/i/default/q/bull%3Amany', PHONE);
  await page.waitForSelector('.finding');
  const screens = await page.evaluate('document.documentElement.scrollHeight / innerHeight');
  expect(screens).toBeLessThan(3);
  const rows = page.locator('.job-table tbody tr:visible');
  expect(await rows.count()).toBe(5);
  await page.getByRole('link', { name: 'All 20' }).click();
  expect(await rows.count()).toBe(20);
  await page.close();
});

it.concurrent('a chart goes back as far as is chosen, says so in words, and comes back to live', async () => {
  const page = await opened(QUEUE);
  await page.selectOption('[data-chart-time]', '1h');
  await until('the last hour', async () =>
    /last hour\. waiting: .* last 7/.test((await inWords(page, 'chart-depth')) ?? ''),
  );
  await page.selectOption('[data-chart-time]', '15m');
  await until(
    'live again',
    async () => (await inWords(page, 'chart-depth')) === 'Backlog: 7 waiting, 0 active, 0 failed',
  );
  expect(scene.complaints()).toEqual([]);
  await page.close();
});

it.concurrent('a link keeps the time of the charts, from tab to tab, and may end it at a moment', async () => {
  const page = await opened(QUEUE);
  await page.selectOption('[data-chart-time]', '6h');
  await page.selectOption('[data-chart-compare]', 'yesterday');
  await page.getByRole('link', { name: 'Memory' }).click();
  await page.waitForURL(/tab=memory&time=6h&compare=yesterday/);
  expect(await page.inputValue('[data-chart-time]')).toBe('6h');
  expect(await page.inputValue('[data-chart-compare]')).toBe('yesterday');
  const end = new Date().toISOString();
  await page.goto(new URL(`${QUEUE}?time=1h&end=${end}`, page.url()).href);
  await until('the hour up to then', async () =>
    /last hour\. waiting: .* last 7/.test((await inWords(page, 'chart-depth')) ?? ''),
  );
  const { max } = (await page.evaluate(
    "Chart.getChart(document.querySelector('#chart-depth canvas')).options.scales.x",
  )) as { max: number };
  expect(max).toBe(Date.parse(end));
  expect(scene.complaints()).toEqual([]);
  await page.close();
});

it.concurrent('the backlog is drawn on into the next minutes, within a range', async () => {
  const page = await opened('/i/default/q/bull%3Amany');
  const ahead = () =>
    page.evaluate(
      "Chart.getChart(document.querySelector('#chart-depth canvas'))?.data.datasets.filter(({ label }) => /forecast|least|most/.test(label)).map(({ data }) => data.length > 0)",
    );
  await until('a forecast', async () => JSON.stringify(await ahead()) === '[true,true,true]');
  await page.close();
});

it.concurrent('what happened is a list that the keyboard reaches, and the line is named that is looked at', async () => {
  const page = await opened(QUEUE);
  await page.selectOption('[data-chart-time]', '24h');
  await until('the last day', async () => /last 24 hours/.test((await inWords(page, 'chart-depth')) ?? ''));
  expect(await page.textContent('[data-chart-marks-count]')).toContain('1 × Deploy');
  await page.focus('.chart-marks summary');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-mark]');
  const deploy = page.locator('[data-mark]', { hasText: 'mail 2.0' });
  await deploy.focus();
  const named = await page.evaluate(
    "JSON.stringify(Object.values(Chart.getChart(document.querySelector('#chart-depth canvas')).options.plugins.annotation.annotations).map(({ label }) => label.content))",
  );
  expect(named).toContain('mail 2.0');
  expect(scene.complaints()).toEqual([]);
  await page.close();
});

it.concurrent.each([
  ['the queue', QUEUE, PHONE],
  ['the queue in the dark', QUEUE, { ...WIDE, colorScheme: 'dark' as const }],
  ['a Redis', '/i/default', PHONE],
])(
  'axe finds nothing and nothing is wider than the screen: %s',
  async (_, path, options) => {
    const page = await opened(path, options);
    await page.selectOption('[data-chart-time]', '24h');
    await page.selectOption('[data-chart-compare]', 'last-week');
    await page.click('.chart-marks summary');
    await until('the last day', async () => /last 24 hours/.test((await inWords(page, 'chart-rates')) ?? ''));
    expect(await axeFindsAsItIs(page)).toEqual([]);
    const tooWide = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(tooWide).toBeLessThanOrEqual(0);
    await page.close();
  },
  120_000,
);
