import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { PHONE, type Scene, startScene, untilLive, untilSeen, WIDE } from '../support/scene.js';

const QUEUE = '/i/default/q/bull%3Awork';
const OTHERS = [QUEUE, '/workers', '/alerts', '/queues', '/i/default', '/timeline'];
/** Of the overview, in so many seconds something has changed when it has been looked at for long enough, and the others. */
const CHANGED_SECONDS = 60;
const OTHERS_CHANGED_SECONDS = 20;
/** A page that is open is made narrower so far, and back. */
const NARROWER = [1024, 768, 390, 1440];

let scene: Scene;
let workers: AttachedProcess;
let adding: NodeJS.Timeout;

beforeAll(async () => {
  const jobs = (length: number) =>
    Array.from({ length }, (_, i) => ({
      name: i % 3 === 0 ? 'mail' : 'report',
      data: { text: 'x'.repeat(300 + (i % 7) * 50) },
      opts: { removeOnComplete: 500 },
    }));
  scene = await startScene({
    redis: { maxmemoryBytes: 96 * 1024 * 1024 },
    fill: async ({ queue }) => {
      const [work, orphan] = [queue('work'), queue('orphan')];
      await orphan.addBulk(jobs(900));
      // One queue that its workers keep up with, now with many and now with few; one that grows and that nobody works on.
      let turn = 0;
      adding = setInterval(() => {
        turn += 1;
        void work.addBulk(jobs([2, 24, 7, 31, 4, 15][turn % 6] ?? 1)).catch(() => undefined);
        void orphan.addBulk(jobs(1 + (turn % 9))).catch(() => undefined);
      }, 500);
    },
  });
  workers = await startAttached({
    port: scene.redis.port,
    workers: ['worker-a', 'worker-b'].map((name) => ({
      ...{ queue: 'work', concurrency: 4, jobMs: 120, attach: { name } },
    })),
  });
  // Its first jobs are added after the others are.
  await untilSeen(scene, 'bull:work');
});
afterAll(async () => {
  clearInterval(adding);
  await workers?.stop();
  await scene?.stop();
});

/** What moved on a page by itself, but for a problem, an alert or a queue that comes, goes or takes another place. */
const moved = (page: Page): Promise<readonly string[]> => page.evaluate('moved');
const untilChanged = (page: Page, seconds: number) =>
  expect.poll(() => page.evaluate('changed.size'), { timeout: 110_000 }).toBeGreaterThanOrEqual(seconds);
const isTooWide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';

it('nothing moves in a minute of numbers that change, and a page that is made narrower stays no wider than the screen', async () => {
  const open = async (path: string, device: typeof WIDE | typeof PHONE) => {
    const page = await scene.open(path, device);
    await untilLive(page);
    await page.evaluate(WATCH);
    return { name: `${path} at ${device.viewport.width}`, page };
  };
  const opened = (paths: readonly string[]) =>
    Promise.all([WIDE, PHONE].flatMap((device) => paths.map((path) => open(path, device))));
  const overviews = await opened(['/']);
  const others = await opened(OTHERS);
  const first = overviews[0]?.page as Page;
  const saw = await first.textContent('#queue-rows');
  const still = async (looked: typeof overviews) => {
    for (const { name, page } of looked) expect([name, ...(await moved(page))]).toEqual([name]);
  };
  await untilChanged(first, OTHERS_CHANGED_SECONDS);
  await still(others);
  for (const { name, page } of others) {
    for (const width of name.endsWith(' at 1440') ? NARROWER : []) {
      await page.setViewportSize({ width, height: 900 });
      await expect
        .poll(async () => [name, width, await page.evaluate(isTooWide)])
        .toEqual([name, width, false]);
    }
    await page.close();
  }
  await untilChanged(first, CHANGED_SECONDS);
  await still(overviews);
  expect(await first.textContent('#queue-rows')).not.toBe(saw);
  expect(await first.textContent('#findings-list')).toContain('orphan');
  for (const { page } of overviews) await page.close();
});

/** Notes what moves and who moved; a list whose items change is news, which may move what is below it. */
const WATCH = `
  window.moved = [];
  window.changed = new Set();
  let newsAtMs = -Infinity;
  const LISTS = '[data-list], .alerts, .alert-lines, .activity-rows';
  const isOne = (node) => node.nodeType === 1 && (node.matches(LISTS) || node.querySelector(LISTS) !== null);
  const lists = new MutationObserver((changes) => {
    changed.add(Math.floor(performance.now() / 1_000));
    if (changes.some((change) => change.target.matches(LISTS) || [...change.addedNodes, ...change.removedNodes].some(isOne)))
      newsAtMs = performance.now();
  });
  lists.observe(document.body, { childList: true, subtree: true, characterData: true });
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, startTime, sources } of list.getEntries()) {
      if (hadRecentInput || Math.abs(startTime - newsAtMs) < 1_000) continue;
      // A number that is set to the right and gets a digit more has its place still.
      for (const { node, previousRect: a, currentRect: b } of sources)
        if (a.x !== b.x || a.y !== b.y)
          window.moved.push([node?.nodeName, node?.id, node?.className, node?.textContent.slice(0, 80), a.x, a.y, 'to', b.x, b.y].join(' '));
    }
  }).observe({ type: 'layout-shift' });
`;
