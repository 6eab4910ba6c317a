import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Scene, startScene, untilLive, untilSeen } from '../support/scene.js';

/**
 * Each tries another way in: an element, an attribute, htmx's own attributes and partials, a stream's line end. BullMQ
 * forbids the colon in a queue's name and takes everything else.
 */
const NAMES = [
  '<img src=x onerror=globalThis.hit=1>',
  '"><script>globalThis.hit=1</script>',
  "' autofocus onfocus=globalThis.hit=1 x='",
  '<div hx-get="/audit" hx-trigger="load" hx-target="body">',
  '</template><hx-partial hx-target="body">gone</hx-partial>',
  'line\n\ndata <b id=injected>broken</b>\r\rend',
  '{{7*7}} %2e%2e/ ../../ ?# &amp; ünïcode ☃ 👩‍🚀',
];

describe('hostile names and data', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await startScene({
      fill: async ({ queue }) => {
        for (const name of NAMES)
          await queue(name).add(name, {
            html: name,
            nested: { [name]: [name, '</pre><script>globalThis.hit=1</script>'] },
          });
      },
    });
    for (const name of NAMES) await untilSeen(scene, `bull:${name}`);
  });
  afterAll(() => scene.stop());

  it('run no script on the overview, also when they are sent live', async () => {
    const page = await scene.open('/');
    await untilLive(page);
    await expect.poll(() => page.locator('#queue-rows tr').count()).toBe(NAMES.length);
    for (const name of NAMES) {
      await scene.queue(name).add(name, { more: name });
    }
    await expect
      .poll(() => page.locator('#queue-rows .cell-depth .number').allInnerTexts())
      .toEqual(NAMES.map(() => '2'));
    const texts = await page
      .locator('#queue-rows tr th a')
      .evaluateAll((links) => links.map((link) => link.textContent));
    // HTML knows one line end only.
    expect([...texts].sort()).toEqual(NAMES.map((name) => name.replace(/\r/g, '\n')).sort());
    expect(await page.evaluate('globalThis.hit')).toBeUndefined();
    expect(await page.locator('#injected').count()).toBe(0);
    expect(page.url()).toBe(`${scene.console.url}/`);
    expect(scene.complaints()).toEqual([]);
    await page.close();
  });

  it('run no script on the pages of the queue and of the job, nor in the drawer, which pauses just that queue', async () => {
    const page = await scene.open('/');
    for (const name of NAMES) {
      await page.goto(`${scene.console.url}/i/default/q/${encodeURIComponent(`bull:${name}`)}`);
      await untilLive(page);
      expect(await page.locator('h1').innerText()).toContain(name.split(/[\r\n]/)[0]);
      await page.locator('main table').last().locator('tbody a').first().click();
      await page.waitForURL(/\/jobs\//);
      expect(await page.locator('main').innerText()).toContain('nested');
      expect(await page.evaluate('globalThis.hit')).toBeUndefined();
      await page.goto(`${scene.console.url}/?search=${encodeURIComponent(name)}`);
      await page.locator('#queue-rows .cell-flow a').first().click();
      await page.locator('#action-reason').fill(name);
      await page.keyboard.press('Enter');
      await page.waitForSelector('.outcomes');
      expect(await scene.redis.client.hget(`bull:${name}:meta`, 'concurrency')).toBe('0');
      expect(await page.evaluate('globalThis.hit')).toBeUndefined();
    }
    expect(scene.complaints()).toEqual([]);
    await page.close();
  });
});
