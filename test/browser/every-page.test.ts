import { hostname } from 'node:os';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { axeFinds } from '../support/axe.js';
import { PHONE, type Scene, startScene, untilLive, untilSeen, WIDE } from '../support/scene.js';
import { until } from '../support/until.js';

const QUEUE = '/i/default/q/bull%3Amail';
const WORKER = `/i/default/w/${encodeURIComponent(`mailer@${hostname()}`)}`;
let looks = 1;
/** Path, and what to do there before it is looked at. Those of the timeline are looked at with all their parts open in timeline.test.ts. */
const PAGES: readonly (readonly [name: string, path: string, arrive?: (page: Page) => Promise<unknown>])[] = [
  ['overview', '/', untilLive],
  ['overview with nothing found', '/?search=nothing-is-called-this', untilLive],
  ['queue', QUEUE, untilLive],
  ['failed jobs', `${QUEUE}?state=failed`, untilLive],
  ['job types of a queue', `${QUEUE}?tab=types`, untilLive],
  ['workers of a queue', `${QUEUE}?tab=workers`, untilLive],
  ['memory of a queue', `${QUEUE}?tab=memory`, untilLive],
  ['settings of a queue', `${QUEUE}?tab=settings`, untilLive],
  ['job', `${QUEUE}/jobs/1`],
  ['instance', '/i/default', untilLive],
  ['memory', '/i/default/memory', untilLive],
  ['workers', '/workers', untilLive],
  ['worker', WORKER, untilLive],
  ['job type', `${QUEUE}/t/send-a-letter`, untilLive],
  ['actions', '/audit'],
  ['sessions', '/sessions', untilLive],
  ['all queues', '/queues', untilLive],
  ['replays', '/replays', untilLive],
  ['preview of a replay', '/replays/look?queues=bull:mail&from=failed&ratePerSecond=10', untilLive],
  ['channels', '/channels', untilLive],
  ['replay form', '/replays?queues=bull:mail&jobTypes=send', untilLive],
  ['alerts', '/alerts', untilLive],
  ['alert rules', '/alerts/rules', untilLive],
  ['alert rule', '/alerts/rules/new?kind=predicted'],
  ['not found', '/nothing-is-here'],
  ['action as a page', '/action?action=queue.rate-limit&instance=default&queues=bull%3Amail'],
  ['group as a page', '/action/group?search=mail'],
  [
    'drawer',
    '/?search=mail',
    async (page) => {
      await untilLive(page);
      await page.locator('#queue-rows .cell-flow a').first().click();
      await page.waitForSelector('#action-preview');
    },
  ],
  [
    'outcome',
    '/action?action=queue.concurrency&instance=default&queues=bull%3Amail&args=%7B%22value%22%3A4%7D&why=look',
    async (page) => {
      // What is set already can't be applied again: another number at each look.
      const field = page.locator('#action-form .input-number');
      await field.fill(String(Number(await field.inputValue()) + looks++));
      await page.locator('#action-form button[type="submit"]').click();
      await page.waitForSelector('.outcomes');
    },
  ],
];

describe('every page', () => {
  let scene: Scene;
  let workers: AttachedProcess;
  const marks = new Set<string>();

  beforeAll(async () => {
    scene = await startScene({
      redis: { maxmemoryBytes: 64 * 1024 * 1024, policy: 'allkeys-lru' },
      fill: async ({ queue }) => {
        const mail = queue('mail');
        await mail.addBulk(
          Array.from({ length: 120 }, (_, i) => ({
            name: 'send-a-letter',
            data: { to: `somebody-${i}`, text: 'x'.repeat(300) },
          })),
        );
        await mail.pause();
        await queue('a-queue-with-a-very-long-name-that-does-not-fit-anywhere-at-all-0123456789').add(
          'x',
          {},
        );
        await queue('other', 'tenant').add('x', {});
      },
    });
    await untilSeen(scene, 'bull:mail');
    await untilSeen(scene, 'tenant:other');
    workers = await startAttached({
      port: scene.redis.port,
      workers: [{ queue: 'mail', concurrency: 4, attach: { name: 'mailer' } }],
    });
    await until(
      'the console hears the worker',
      async () => (await scene.console.ask('GET', WORKER)).status === 200,
    );
  });
  afterAll(async () => {
    await workers?.stop();
    await scene.stop();
  });

  it('each change on the audit page stands in a frame of the colour of its outcome', async () => {
    const change = { queues: ['bull:mail'], args: { value: 3 }, reason: 'look' };
    expect((await scene.console.ask('POST', '/api/v1/actions/queue.concurrency', change)).status).toBe(200);
    const page = await scene.open('/audit', WIDE);
    const border: string = await page.evaluate(
      `getComputedStyle(document.querySelector('main li')).borderLeft`,
    );
    expect(border).toMatch(/^4px solid/);
    await page.close();
  });

  for (const [name, path, arrive] of PAGES) {
    it.concurrent(`${name}: axe finds nothing, in light and in dark`, async () => {
      const page = await scene.open(path, { ...WIDE, colorScheme: 'light' });
      await arrive?.(page);
      expect(await axeFinds(page)).toEqual([]);
      for (const mark of await page.locator('.docs-mark').all())
        marks.add((await mark.getAttribute('href')) ?? '');
      await page.close();
    });
  }

  it('each "?" beside a number, a chart, a problem or an action leads to its page', async () => {
    expect([...marks].filter((path) => path.startsWith('/docs/signals/')).length).toBeGreaterThan(12);
    for (const path of marks)
      expect([path, (await scene.console.ask('GET', path)).status]).toEqual([path, 200]);
  });

  // After all wide ones: a browser that goes from one window to another starts a process for each page.
  for (const [name, path, arrive] of PAGES) {
    it.concurrent(`${name}: fits a phone, and a thumb`, async () => {
      const page = await scene.open(path, PHONE);
      await arrive?.(page);
      const width: readonly number[] = await page.evaluate(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      );
      expect(width[0]).toBeLessThanOrEqual(width[1] ?? 0);
      expect(await axeFinds(page)).toEqual([]);
      expect(await smallTargets(page)).toEqual([]);
      await page.close();
    });
  }
});

/** Buttons, boxes and links that act, and that are smaller than a fingertip. Links within text may be as high as it. */
async function smallTargets(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const dialog = document.querySelector('dialog[open]');
    const all = (dialog ?? document).querySelectorAll(
      'button, select, input:not([type="hidden"]), .button, .small-button, .remedy-button, .setting, .top-nav a, .page-link, label.check',
    );
    return [...all].filter((element) => {
      const box = (element.closest('label') ?? element).getBoundingClientRect();
      return box.width > 0 && (box.height < 43.5 || box.width < 43.5) && getComputedStyle(element).visibility !== 'hidden';
    }).map((element) => element.outerHTML.slice(0, 160));
  })()`);
}
