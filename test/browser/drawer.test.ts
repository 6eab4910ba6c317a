import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Scene, startScene, untilLive, untilSeen } from '../support/scene.js';

const focusedText = (page: Page): Promise<string> => page.evaluate('document.activeElement.textContent');

/** Presses Tab until the focus is on an element that says so. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    const label = await page.evaluate(
      "((e) => (e.matches('a, button, input, select') ? (e.ariaLabel ?? e.labels?.[0]?.textContent ?? e.textContent) : ''))(document.activeElement)",
    );
    if (String(label).includes(name)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no way to ${name} by Tab alone`);
}

describe('the action drawer', () => {
  let scene: Scene;

  beforeAll(async () => {
    const names = ['mail', 'mail-bulk', 'reports'];
    const jobs = Array.from({ length: 20 }, (_, i) => ({ name: 'work', data: { i } }));
    scene = await startScene({
      fill: ({ queue }) => Promise.all(names.map((name) => queue(name).addBulk(jobs))),
    });
    for (const name of names) await untilSeen(scene, `bull:${name}`);
  });
  afterAll(() => scene.stop());
  afterEach(() => {
    // A refused form answers 422, which Chromium reports as a failed resource.
    expect(scene.complaints().filter((text) => !text.includes('422'))).toEqual([]);
  });

  it('pauses a queue by keyboard alone, gives the focus back, and undoes it', async () => {
    const page = await scene.open('/?search=reports');
    await untilLive(page);
    await tabTo(page, 'Pause reports');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#action-preview');
    expect(await page.locator('#action-preview').innerText()).toContain(
      '20 waiting jobs stay where they are',
    );
    await tabTo(page, 'Reason');
    await page.keyboard.type('drill');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.outcomes');
    expect(await focusedText(page)).toContain('done');
    expect(await scene.redis.client.hget('bull:reports:meta', 'concurrency')).toBe('0');

    await tabTo(page, 'Undo');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#action-preview');
    await tabTo(page, 'Resume reports');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.outcomes');
    expect(await scene.redis.client.hget('bull:reports:meta', 'concurrency')).toBeNull();

    await page.keyboard.press('Escape');
    await page.waitForSelector('#drawer:not([open])', { state: 'attached' });
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toMatch(
      /(Pause|Resume) reports/,
    );
    await page.close();
  });

  it('shows before and after while a number is typed, and what is wrong at the field', async () => {
    const page = await scene.open('/?search=reports');
    await untilLive(page);
    await page.getByRole('link', { name: /how many jobs of reports run at once/ }).click();
    const field = page.locator('#field-value-input');
    await field.fill('7');
    await expect.poll(() => page.locator('#action-preview .after').innerText()).toBe('7');
    await field.fill('0');
    await page.waitForSelector('#field-value .field-error');
    expect(await page.locator('#field-value').innerText()).toContain('to stop the queue use queue.pause');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await page.evaluate('document.activeElement.id')).toBe('field-value-input');
    await field.fill('3');
    await expect.poll(() => field.getAttribute('aria-invalid')).toBe('false');
    // The button says what happens, and no reason has to be given.
    await page.getByRole('button', { name: 'Set global concurrency to 3' }).click();
    await page.waitForSelector('.outcomes');
    expect(await scene.redis.client.hget('bull:reports:meta', 'concurrency')).toBe('3');
    await page.close();
  });

  it('acts on all selected rows at once, with an outcome for each', async () => {
    const page = await scene.open('/?search=mail');
    await untilLive(page);
    await page.getByLabel('Select all queues shown').check();
    await page.locator('.bulk').getByRole('button', { name: 'Pause' }).click();
    await page.waitForSelector('#action-preview');
    expect(await page.locator('#action-preview').innerText()).toContain('2 queues will change');
    await page.locator('#action-reason').fill('both');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.outcomes');
    expect(await page.locator('.outcome').count()).toBe(2);
    expect(await scene.redis.client.hget('bull:mail:meta', 'concurrency')).toBe('0');
    expect(await scene.redis.client.hget('bull:mail-bulk:meta', 'concurrency')).toBe('0');
    await page.getByRole('button', { name: 'Undo for 2 queues' }).click();
    await page.getByRole('button', { name: 'Resume 2 queues' }).click();
    await page.waitForSelector('.outcomes');
    expect(await scene.redis.client.hget('bull:mail:meta', 'concurrency')).toBeNull();
    await page.close();
  });

  it('acts on a group by pattern, and asks for its size before jobs are lost for good', async () => {
    const page = await scene.open('/');
    await untilLive(page);
    // Something to clean: what changes nothing can't be applied.
    for (const name of ['mail', 'mail-bulk'])
      for (let i = 0; i < 150; i++) await scene.redis.client.zadd(`bull:${name}:failed`, i, `failed-${i}`);
    await page.getByRole('link', { name: 'Act on a group…' }).click();
    await page.locator('#group-match').fill('mail*');
    await expect.poll(() => page.locator('#group-found').innerText()).toContain('2 queues match');
    await page
      .locator('#group-found')
      .getByRole('link', { name: /Clean finished jobs/ })
      .click();
    await page.waitForSelector('#action-preview');
    // Results of completed jobs are no jobs.
    expect(await page.locator('#action-confirm').count()).toBe(0);
    await page.getByLabel('Which jobs').selectOption('failed');
    await page.waitForSelector('#action-confirm');
    await page.locator('#action-reason').fill('room');
    await page.locator('#action-confirm').fill('mail');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#action-confirm[aria-invalid="true"]');
    await page.locator('#action-confirm').fill('2');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.outcomes');
    await page.close();
  });

  it('works as a page where there is no script', async () => {
    const page = await scene.open('/?search=reports', { javaScriptEnabled: false });
    await page.getByRole('link', { name: 'Pause reports' }).click();
    await page.getByLabel('Reason').fill('no script');
    await page.getByRole('button', { name: 'Pause reports' }).click();
    expect(await page.locator('.outcomes').innerText()).toContain('paused by Spillway');
    await page.close();
  });
});
