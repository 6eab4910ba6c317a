import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Scene, startScene, untilLive, untilSeen } from '../support/scene.js';

describe('a console that cannot see', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await startScene({ fill: ({ queue }) => queue('mail').add('send', {}) });
    await untilSeen(scene, 'bull:mail');
  });
  afterAll(() => scene.stop());

  it('says so across the page within seconds while Redis hangs, and counts the age up', async () => {
    const page = await scene.open('/');
    await untilLive(page);
    expect(await page.locator('.blind-line').count()).toBe(0);
    scene.redis.freeze();
    try {
      await page.waitForSelector('.blind-line');
      expect(await page.locator('#blind').innerText()).toMatch(
        /Blind: Redis default was last seen \d+ s ago/,
      );
      const age = async (): Promise<number> =>
        Number.parseInt(await page.locator('#blind [data-age-since]').innerText(), 10);
      const first = await age();
      await expect.poll(age).toBeGreaterThan(first);
      expect(await page.title()).toMatch(/^[●○]/);
      expect(await page.locator('.live').innerText()).toContain('not live');
      // The console itself still answers at once.
      const started = Date.now();
      await page.reload();
      expect(await page.locator('.blind-line').count()).toBe(1);
      expect(Date.now() - started).toBeLessThan(3_000);
    } finally {
      scene.redis.thaw();
    }
    await expect.poll(() => page.locator('.blind-line').count()).toBe(0);
    await page.close();
  });

  it('is told apart from a page that has lost the console, which says so and comes back by itself', async () => {
    const page = await scene.open('/');
    await untilLive(page);
    await page.context().setOffline(true);
    // What is connected stays connected when a browser goes offline: so the stream is cut off here.
    await page.evaluate("document.querySelector('[data-live]')._htmx?.sse?.reader?.cancel()");
    await page.waitForSelector('#lost:not([hidden])');
    expect(await page.locator('.live').innerText()).toContain('not live');
    await page.context().setOffline(false);
    await page.waitForSelector('#lost', { state: 'hidden' });
    await untilLive(page);
    await page.close();
  });
});
