import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { axeFinds } from '../support/axe.js';
import { PHONE, type Scene, startScene, WIDE } from '../support/scene.js';
import { until } from '../support/until.js';

const SLOTS = '/action?action=workers.concurrency&instance=default&queues=bull%3Awork';
const LIMIT = '/action?action=queue.rate-limit&instance=default&queues=bull%3Awork';

describe('the forecast in the drawer', () => {
  let scene: Scene;
  let workers: AttachedProcess;

  beforeAll(async () => {
    scene = await startScene({
      fill: async ({ redis, queue }) => {
        const opts = { removeOnComplete: true };
        const data = { text: 'x'.repeat(500) };
        await queue('work').addBulk(Array.from({ length: 20_000 }, () => ({ name: 'mail', data, opts })));
        workers = await startAttached({
          port: redis.port,
          workers: [{ queue: 'work', concurrency: 4, jobMs: 200, attach: {} }],
        });
      },
    });
    await until(
      'run times and sizes of its jobs are known',
      async () => {
        const { status, body } = await scene.console.ask(
          'GET',
          '/api/v1/instances/default/queues/bull%3Awork/plan',
        );
        return status === 200 && body.present.slots === 4 && body.assumed.length === 0;
      },
      { withinMs: 40_000 },
    );
  });
  afterAll(async () => {
    await workers?.stop();
    await scene?.stop();
  });
  afterEach(() => {
    expect(scene.complaints().filter((text) => !text.includes('422'))).toEqual([]);
  });

  const forecast = (page: Page) => page.locator('.forecast-after');

  it('follows a slider by keyboard, with the number beside it, and the chart with both', async () => {
    const page = await scene.open(SLOTS);
    const slider = page.getByRole('slider', { name: /slider/ });
    const number = page.locator('#field-value-input');
    expect(await number.inputValue()).toBe('4');
    expect(await slider.inputValue()).toBe('4');
    const line = await page.locator('.forecast .curve-line').getAttribute('d');
    await slider.focus();
    await page.keyboard.press('End');
    await expect.poll(() => number.inputValue()).toBe('50');
    await expect.poll(() => forecast(page).nth(1).innerText()).toMatch(/^2\d\d\/s$/);
    expect(await forecast(page).nth(0).innerText()).toMatch(/^1 min/);
    await expect.poll(() => page.locator('.forecast .curve-line').getAttribute('d')).not.toBe(line);
    // The preview below, which asks Redis, says the same.
    await expect.poll(() => page.locator('#action-preview').innerText()).toMatch(/becomes\s+50/);
    expect(await page.evaluate('document.activeElement.type')).toBe('range');
    await number.fill('10');
    await expect.poll(() => slider.inputValue()).toBe('10');
    await expect.poll(() => forecast(page).nth(1).innerText()).toMatch(/^(4|5)\d(\.\d)?\/s$/);
    await page.close();
  });

  it('reports what a rate limit would do, and by what it is limited', async () => {
    const page = await scene.open(LIMIT);
    await page.locator('#field-max-input').fill('5');
    await expect.poll(() => page.locator('.forecast-limits').innerText()).toBe('Limited by the rate limit.');
    await expect.poll(() => forecast(page).nth(1).innerText()).toBe('5/s');
    await page.close();
  });

  it('keeps its place while it is redrawn, whatever is typed', async () => {
    const page = await scene.open(SLOTS);
    const box = () => page.locator('#action-forecast').boundingBox();
    const before = await box();
    const number = page.locator('#field-value-input');
    for (const [typed, expected] of [
      ['500', /\/s$/],
      ['1', /\/s$/],
      ['0', null],
      ['7', /\/s$/],
    ] as const) {
      await number.fill(typed);
      await expect
        .poll(async () =>
          (await forecast(page).count()) === 0 ? null : await forecast(page).nth(1).innerText(),
        )
        .toEqual(expected === null ? null : expect.stringMatching(expected));
      const now = await box();
      expect([typed, now?.height]).toEqual([typed, before?.height]);
    }
    await page.close();
  });

  it('is left out where many queues are set at once', async () => {
    await scene.queue('other').add('x', {});
    const page = await scene.open(`${SLOTS}&queues=bull%3Aother`);
    expect(await page.locator('#action-forecast').count()).toBe(0);
    expect(await page.locator('input[type="range"]').count()).toBe(0);
    await page.close();
  });

  for (const [name, options] of [
    ['on a desk', WIDE],
    ['on a phone', PHONE],
  ] as const) {
    it(`fits ${name}, in light and in dark, and axe finds nothing`, async () => {
      const page = await scene.open(SLOTS, options);
      await page.locator('#field-value-input').fill('30');
      await expect.poll(() => forecast(page).count()).toBe(2);
      const [content, width] = (await page.evaluate(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      )) as [number, number];
      expect(content).toBeLessThanOrEqual(width);
      expect(await axeFinds(page)).toEqual([]);
      const slider = await page.locator('.field-slider').boundingBox();
      expect(slider?.width ?? 0).toBeGreaterThan(100);
      await page.close();
    });
  }

  it('is there without a script, and the slider, which could do nothing, is not', async () => {
    const page = await scene.open(SLOTS, { javaScriptEnabled: false });
    expect(await page.locator('#action-forecast').innerText()).toContain('Drained in');
    expect(await page.locator('.field-slider').isVisible()).toBe(false);
    await page.close();
  });
});
