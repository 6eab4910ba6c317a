import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axeFinds } from '../support/axe.js';
import { PHONE, type Scene, startScene, untilLive, untilSeen } from '../support/scene.js';

let scene: Scene;

beforeAll(async () => {
  scene = await startScene({
    fill: async ({ queue }) => {
      await queue('mail').add('send-digest', {}, { jobId: 'order-4711' });
      await queue('reports').add('render', {}, { jobId: 'shared-id' });
      await queue('invoices').add('render', {}, { jobId: 'shared-id' });
    },
  });
  for (const id of ['bull:mail', 'bull:reports', 'bull:invoices']) await untilSeen(scene, id);
});
afterAll(() => scene.stop());

describe('the search over everything', () => {
  it('opens on Ctrl-K, finds a queue while it is typed, and goes there by Enter', async () => {
    const page = await scene.open('/timeline');
    await untilLive(page);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('mai');
    await page.waitForSelector('#found a:has-text("mail")');
    expect(await axeFinds(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/i\/default\/q\/bull%3Amail/);
    expect(await page.locator('nav.crumbs').innerText()).toMatch(/Queues[\s\S]*Redis default/);
    await page.close();
  });

  it('goes down the list by arrows, and closes by Escape without leaving the page', async () => {
    const page = await scene.open('/workers');
    await untilLive(page);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('re');
    await page.waitForSelector('#found a:has-text("reports")');
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction('document.activeElement.closest("#found") !== null');
    await page.keyboard.press('Escape');
    expect(await page.locator('#palette').isVisible()).toBe(false);
    expect(page.url()).toMatch(/\/workers$/);
    await page.close();
  });

  it('leads to a job by its id alone, and lists the queues where several have one', async () => {
    const page = await scene.open('/find/job?id=order-4711');
    expect(page.url()).toMatch(/\/q\/bull%3Amail\/jobs\/order-4711$/);
    await page.goto(`${scene.console.url}/find/job?id=shared-id`);
    expect(await page.locator('#found a').count()).toBe(2);
    await page.goto(`${scene.console.url}/find/job?id=meta`);
    expect(await page.locator('main').innerText()).toContain('No queue has a job meta.');
    await page.close();
    const { body } = await scene.console.ask('GET', '/api/v1/jobs/shared-id');
    expect(body.jobs.map((job: { queue: string }) => job.queue).toSorted()).toEqual([
      'bull:invoices',
      'bull:reports',
    ]);
    expect(body.unaskedQueues).toBe(0);
  });

  it('is a page of its own without a script, and finds pages and actions too', async () => {
    const page = await scene.open('/find?q=audit', { javaScriptEnabled: false });
    await page.click('#found a:has-text("Audit log")');
    expect(page.url()).toMatch(/\/audit$/);
    await page.goto(`${scene.console.url}/find?q=maxmemory`);
    expect(await page.locator('#found a').first().getAttribute('href')).toMatch(/^\/action\?action=redis\./);
    await page.close();
  });
});

describe('the way through the console', () => {
  it('is five places, one of which holds the page, and tabs for what is in it', async () => {
    const page = await scene.open('/incidents');
    expect(await page.locator('.top-nav a').allInnerTexts()).toEqual([
      'Overview',
      'Queues',
      'Workers',
      'Alerts',
      'Activity',
    ]);
    expect(await page.locator('.top-nav a[aria-current="page"]').innerText()).toBe('Activity');
    expect(await page.locator('nav.tabs a[aria-current="page"]').innerText()).toBe('Incidents');
    await page.close();
  });

  it('stands within the thumb’s reach on a phone, and covers nothing at the end of a page', async () => {
    const page = await scene.open('/timeline', PHONE);
    const bar = await page.locator('.top-nav').boundingBox();
    expect((bar?.y ?? 0) + (bar?.height ?? 0)).toBeCloseTo(844, 0);
    const gap = await page.evaluate(`(() => {
      scrollTo(0, document.body.scrollHeight);
      const last = document.querySelector('main').getBoundingClientRect().bottom;
      return document.querySelector('.top-nav').getBoundingClientRect().top - last;
    })()`);
    expect(gap).toBeGreaterThanOrEqual(0);
    await page.close();
  });

  it('has theme, documentation and who one is in a menu that the keyboard opens', async () => {
    const page = await scene.open('/');
    await untilLive(page);
    await page.locator('.menu-button').focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('#user-menu:popover-open');
    expect(await page.locator('#user-menu').innerText()).toMatch(
      /admin[\s\S]*Documentation[\s\S]*Theme: system/,
    );
    await page.click('#user-menu [data-theme-toggle]');
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('light');
    await page.keyboard.press('Escape');
    expect(await page.locator('#user-menu').isVisible()).toBe(false);
    await page.keyboard.press('?');
    await page.waitForSelector('#keys[open]');
    await page.close();
    expect(scene.complaints()).toEqual([]);
  });
});
