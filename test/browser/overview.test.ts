import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { overfill } from '../../drills/own-redis.js';
import { PHONE, type Scene, startScene, untilLive, untilSeen } from '../support/scene.js';

describe('the overview', () => {
  let scene: Scene;

  beforeAll(async () => {
    const tenants = Array.from({ length: 60 }, (_, i) => `tenant-${String(i).padStart(2, '0')}`);
    scene = await startScene({
      fill: ({ queue }) =>
        Promise.all([
          queue('mail').addBulk(Array.from({ length: 5 }, (_, i) => ({ name: 'send', data: { i } }))),
          ...tenants.map((name) => queue(name).add('work', {})),
        ]),
    });
    await untilSeen(scene, 'bull:mail');
    await untilSeen(scene, 'bull:tenant-59');
  });
  afterAll(() => scene.stop());
  afterEach(() => {
    expect(scene.complaints()).toEqual([]);
  });

  it('shows jobs that arrive without being loaded again', async () => {
    const page = await scene.open('/?search=mail');
    await untilLive(page);
    const depth = page.locator('#queue-rows tr', { hasText: 'mail' }).locator('.cell-depth .number');
    await expect.poll(() => depth.innerText()).toBe('5');
    await page.evaluate("document.body.dataset.mark = 'the same page'");
    await scene.queue('mail').addBulk(Array.from({ length: 7 }, (_, i) => ({ name: 'send', data: { i } })));
    await expect.poll(() => depth.innerText()).toBe('12');
    expect(await page.evaluate('document.body.dataset.mark')).toBe('the same page');
    await page.close();
  });

  it('keeps search, sort and page in the address, and the search box in focus', async () => {
    const page = await scene.open('/');
    await untilLive(page);
    expect(await page.locator('#queue-rows tr').count()).toBe(20);
    expect(await page.locator('#queues-range').innerText()).toBe('1–20 of 61 queues');
    await page.getByRole('link', { name: 'All queues' }).click();
    await page.waitForURL('**/queues');
    await untilLive(page);
    expect(await page.locator('#queue-rows tr').count()).toBe(50);
    await page.keyboard.press('/');
    await page.keyboard.type('tenant-0');
    await expect.poll(() => page.locator('#queue-rows tr').count()).toBe(10);
    expect(new URL(page.url()).searchParams.get('search')).toBe('tenant-0');
    expect(await page.evaluate('document.activeElement.id')).toBe('search');
    await page.getByRole('link', { name: 'Queue', exact: true }).click();
    await expect.poll(() => page.url()).toContain('sort=name');
    expect(await page.locator('#queue-rows tr th a').first().innerText()).toBe('tenant-00');
    await page.goto(`${scene.console.url}/queues?sort=name&page=2`);
    expect(await page.locator('#queue-rows tr').count()).toBe(11);
    await page.close();
  });

  it('can be read without a script', async () => {
    const page = await scene.open('/', { javaScriptEnabled: false });
    expect(await page.locator('#queue-rows tr').count()).toBe(20);
    expect(await page.locator('.band').innerText()).toContain('256 MB');
    await page.close();
  });

  it('holds the order of rows while the pointer is among them, and lets go of it after', async () => {
    const page = await scene.open('/?sort=backlog');
    await untilLive(page);
    const names = () => page.locator('#queue-rows tr th a').allInnerTexts();
    const before = await names();
    expect(before[0]).toBe('mail');
    await page.locator('#queue-rows tr').nth(3).hover();
    await scene
      .queue('tenant-33')
      .addBulk(Array.from({ length: 40 }, (_, i) => ({ name: 'work', data: { i } })));
    await page.waitForSelector('[data-held="queues"]:not([hidden])');
    // What stands there stands where it stood, with its new number; what is new to this page is at the end.
    expect((await names()).slice(0, before.length)).toEqual(before);
    await page.mouse.move(5, 5);
    await expect.poll(async () => (await names())[0]).toBe('tenant-33');
    await page.close();
  });

  it('shows a new critical at once while the pointer is among the rows, and after the action what is so then', async () => {
    const page = await scene.open('/?sort=name');
    await untilLive(page);
    const row = page.locator('#queue-rows tr').nth(3);
    await row.hover();
    const placeOfRow = async () => Math.round((await row.boundingBox())?.y ?? Number.NaN);
    const before = await placeOfRow();
    // Large enough for a limit in whole megabytes.
    await scene.redis.client.setrange('ballast', 40 * 1024 * 1024, 'x');
    await overfill(scene.redis);
    const full = page.locator('#findings-list > li', { hasText: 'Redis is full' });
    await full.waitFor();
    expect(Math.abs((await placeOfRow()) - before)).toBeLessThan(10);
    expect(await page.locator('#verdict-text').innerText()).toContain('Redis is full');
    expect(await page.locator('.band').getAttribute('class')).toContain('state-critical');

    await full.getByRole('link', { name: /Raise maxmemory/ }).click();
    await page.locator('#action-reason').fill('room');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.outcomes');
    // Beneath the outcome the page has gone on; the pointer and the focus come back to where it was, and hold nothing.
    await page.keyboard.press('Escape');
    await full.waitFor({ state: 'detached' });
    await expect.poll(() => page.locator('#verdict-text').innerText()).not.toContain('Redis is full');
    expect(await page.locator('.band').getAttribute('class')).not.toContain('state-critical');
    expect(await page.locator('[data-held="findings"]').isHidden()).toBe(true);
    await scene.redis.client.config('SET', 'maxmemory', 256 * 1024 * 1024);
    await scene.redis.client.del('ballast');
    await page.close();
  });

  it('has the headline, the cause and the first button of the worst problem on the first screen of a phone', async () => {
    await scene.redis.client.setrange('ballast', 40 * 1024 * 1024, 'x');
    await overfill(scene.redis);
    const page = await scene.open('/', PHONE);
    await untilLive(page);
    const worst = page.locator('#findings-list > li', { hasText: 'Redis is full' });
    await worst.waitFor();
    const bottomOf = async (locator: Locator): Promise<number> => {
      const box = await locator.boundingBox();
      return (box?.y ?? Number.NaN) + (box?.height ?? Number.NaN);
    };
    // What lies over the page at its foot hides what is below.
    const foot = (await page.locator('.top-nav').boundingBox())?.y ?? 0;
    const seenUpTo = foot > 400 ? foot : 844;
    expect(await bottomOf(worst.locator('h3'))).toBeLessThan(seenUpTo);
    expect(await bottomOf(worst.getByText('Cause', { exact: true }).first())).toBeLessThan(seenUpTo);
    expect(await bottomOf(worst.locator('.remedy-button').first())).toBeLessThan(seenUpTo);
    await page.close();
    await scene.redis.client.config('SET', 'maxmemory', 256 * 1024 * 1024);
    await scene.redis.client.del('ballast');
  });

  it('moves nothing while numbers change', async () => {
    const page = await scene.open('/?sort=name');
    await untilLive(page);
    // Within the table and the band: that a new finding takes its place above is meant.
    const places = (): Promise<unknown> =>
      page.evaluate(
        "[...document.querySelectorAll('#queue-rows td, #queue-rows th, .band dd, .band .curve, .band .share-bar')].map((e) => { const box = e.getBoundingClientRect(); const home = e.closest('table, .band').getBoundingClientRect(); return [box.x, box.y - home.y, box.width, box.height].map(Math.round).join(); })",
      );
    const before = await places();
    const depth = page.locator('#queue-rows tr', { hasText: 'tenant-01' }).locator('.cell-depth .number');
    for (const many of [9, 90, 900]) {
      await scene
        .queue('tenant-01')
        .addBulk(Array.from({ length: many }, (_, i) => ({ name: 'work', data: { i } })));
      await expect.poll(() => depth.innerText()).not.toBe('1');
    }
    await expect.poll(() => depth.innerText()).toBe('1,000');
    expect(await places()).toEqual(before);
    await page.close();
  });
});
