import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { axeFindsAsItIs } from '../support/axe.js';
import { PHONE, type Scene, startScene, untilLive } from '../support/scene.js';
import { until } from '../support/until.js';

const VIEWER = newToken();
const OPERATOR = newToken();
const QUEUE = '/i/default/q/bull%3Aanalytics?tab=memory';
const JOBS = 4_000;

describe('memory on the page', () => {
  let scene: Scene;

  beforeAll(async () => {
    const jobs = (count: number, length: number) =>
      Array.from({ length: count }, (_, i) => ({
        name: i % 4 === 0 ? 'identify' : 'track',
        data: { pad: 'x'.repeat(length + (i % 100)) },
      }));
    scene = await startScene({
      redis: { maxmemoryBytes: 32 * 1024 * 1024 },
      env: { SPILLWAY_TOKENS: `ana:viewer:${hashToken(VIEWER)},ben:operator:${hashToken(OPERATOR)}` },
      fill: async ({ queue }) => {
        await queue('analytics').addBulk(jobs(JOBS, 1_000));
        await queue('mail').addBulk(jobs(100, 100));
      },
    });
    await until('both queues are sampled', async () => {
      const { body } = await scene.console.ask('GET', '/api/v1/instances/default/memory', undefined, {
        authorization: `Bearer ${VIEWER}`,
      });
      return body?.byQueue?.length === 2 && body.complete;
    });
  });
  afterAll(() => scene.stop());
  afterEach(() => {
    expect(scene.complaints()).toEqual([]);
  });

  it('shows who holds the memory as a bar, and says the same in words and in a table', async () => {
    const page = await scene.open('/i/default/memory', { token: VIEWER });
    await untilLive(page);
    const bar = page.locator('#memory-holders').getByRole('img');
    expect(await bar.getAttribute('aria-label')).toMatch(/: analytics [\d.]+ MB/);
    const rows = await page.locator('#memory-by-queue tbody tr').allInnerTexts();
    expect(rows[0]).toMatch(/analytics\s+[\d.]+ MB/);
    expect(rows[1]).toMatch(/track 1\.\d KB each/);
    expect(await page.locator('#memory-nodes').innerText()).toContain('Other keys');
    await page.close();
  });

  it('leads from the page of a Redis to all of its memory, and on to a queue, by keyboard', async () => {
    const page = await scene.open('/i/default', { token: VIEWER });
    await untilLive(page);
    await page.getByRole('link', { name: 'Breakdown' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/i\/default\/memory$/);
    await page.locator('#memory-by-queue').getByRole('link', { name: 'analytics' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/q\/bull/);
    expect(await page.locator('#queue-memory h2').innerText()).toBe('Memory');
    // A viewer may look; counting is an operator's.
    expect(await page.getByRole('button', { name: 'Count exactly' }).count()).toBe(0);
    await page.close();
  });

  it('counts a queue from its page with a bar that moves, keeps the focus, and ends exact', async () => {
    const page = await scene.open(QUEUE, { token: OPERATOR });
    await untilLive(page);
    await page.getByRole('button', { name: 'Count exactly' }).focus();
    await page.keyboard.press('Enter');
    const progress = page.locator('#queue-memory progress');
    await expect.poll(() => progress.getAttribute('value').then(Number)).toBeGreaterThan(0);
    expect(await progress.getAttribute('max')).toBe(String(JOBS));
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Stop counting');
    expect(await axeFindsAsItIs(page, '#queue-memory')).toEqual([]);
    await page.keyboard.press('Enter');
    await page.getByText(/^Stopped at/).waitFor();
    await page.close();
    const phone = await scene.open('/i/default/q/bull%3Amail?tab=memory', { ...PHONE, token: OPERATOR });
    await untilLive(phone);
    await phone.getByRole('button', { name: 'Count exactly' }).tap();
    await phone.getByText('100 jobs counted, ended').waitFor();
    expect(await phone.locator('.queue-memory-head').innerText()).toMatch(/KB, counted/);
    await phone.close();
  });

  it('starts a count without a script too, and refuses a second one in words', async () => {
    const page = await scene.open('/i/default/q/bull%3Aanalytics?tab=memory', {
      token: OPERATOR,
      javaScriptEnabled: false,
    });
    await page.getByRole('button', { name: 'Count exactly' }).click();
    await page.getByRole('button', { name: 'Stop counting' }).waitFor();
    await page.goto(`${scene.console.url}/i/default/q/bull%3Amail?tab=memory`);
    expect(await page.locator('.queue-count').innerText()).toContain('analytics is being counted');
    await page.goto(`${scene.console.url}${QUEUE}`);
    await page.getByRole('button', { name: 'Stop counting' }).click();
    await page.getByText(/^Stopped at/).waitFor();
    await page.close();
  });

  it('moves nothing while numbers change', async () => {
    const page = await scene.open('/i/default/memory', { token: VIEWER });
    await untilLive(page);
    const places = (): Promise<unknown> =>
      page.evaluate(
        "[...document.querySelectorAll('#memory-holders th, #memory-holders td, #memory-nodes th, #memory-nodes td')].map((e) => { const box = e.getBoundingClientRect(); const home = e.closest('.panel').getBoundingClientRect(); return [box.x, box.y - home.y, box.width, box.height].map(Math.round).join(); })",
      );
    const before = await places();
    const held = page.locator('#memory-by-queue tbody tr').first().locator('td').first();
    const text = await held.innerText();
    await scene
      .queue('analytics')
      .addBulk(Array.from({ length: 6_000 }, () => ({ name: 'track', data: { pad: 'x'.repeat(1_000) } })));
    await expect.poll(() => held.innerText()).not.toBe(text);
    expect(await places()).toEqual(before);
    await page.close();
  });
});
