import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { type Scene, startScene, untilLive } from '../support/scene.js';
import { until } from '../support/until.js';

const WIDTHS = [1440, 1024, 768, 390];
const QUEUE = '/i/default/q/bull%3Awork';
const PAGES = ['/', QUEUE, '/workers', '/alerts'];
/** What tools show as 0.00: a number that grows a digit in a column of numbers moves by its width. */
const NOTHING = 0.005;

let scene: Scene;
let workers: AttachedProcess;
let adding: NodeJS.Timeout;
let turn = 0;

beforeAll(async () => {
  scene = await startScene({ redis: { maxmemoryBytes: 96 * 1024 * 1024 } });
  const jobs = (length: number) =>
    Array.from({ length }, (_, i) => ({
      name: i % 3 === 0 ? 'mail' : 'report',
      data: { text: 'x'.repeat(300 + (i % 7) * 50) },
      opts: { removeOnComplete: 500 },
    }));
  const [work, rest] = [scene.queue('work'), scene.queue('rest')];
  await work.addBulk(jobs(4_000));
  await rest.addBulk(jobs(100));
  // As many as its workers can do, now more and now fewer.
  adding = setInterval(() => {
    turn += 1;
    void work.addBulk(jobs([2, 40, 9, 70, 15, 30][turn % 6] ?? 1)).catch(() => undefined);
    if (turn % 4 === 0) void rest.addBulk(jobs(turn % 9)).catch(() => undefined);
  }, 500);
  workers = await startAttached({
    port: scene.redis.port,
    workers: [
      { queue: 'work', concurrency: 4, jobMs: 120, attach: { name: 'worker-a' } },
      { queue: 'work', concurrency: 4, jobMs: 120, attach: { name: 'worker-b' } },
      { queue: 'rest', concurrency: 2, jobMs: 300, attach: { name: 'other' } },
    ],
  });
  const condition = { kind: 'compare', signal: 'queue_backlog_jobs', is: 'above', threshold: 100 };
  const rule = { name: 'much waits', condition, severity: 'warning', forSeconds: 1 };
  expect((await scene.console.ask('POST', '/api/v1/alert-rules', rule)).status).toBe(200);
  await until(
    'what is wrong is known, and an alert of it fires',
    async () => {
      const { body: found } = await scene.console.ask('GET', '/api/v1/findings');
      const { body: alerts } = await scene.console.ask('GET', '/api/v1/alerts?state=firing');
      return (
        alerts.alerts.length > 0 &&
        found.findings.some(({ queue }: { queue: string }) => queue === 'bull:work')
      );
    },
    { withinMs: 60_000 },
  );
});
afterAll(async () => {
  clearInterval(adding);
  await workers?.stop();
  await scene?.stop();
});

it('nothing moves in a minute of numbers that change, up, down or sideways, and nothing is wider than the screen', async () => {
  const open: { readonly name: string; readonly page: Page }[] = [];
  for (const width of WIDTHS)
    for (const path of PAGES) {
      const page = await scene.open(path, { viewport: { width, height: 900 } });
      await untilLive(page);
      open.push({ name: `${path} at ${width}`, page });
    }
  await Promise.all(open.map(({ page }) => page.evaluate(WATCH)));
  const saw = await open[0]?.page.textContent('#queue-rows');
  await open[0]?.page.waitForTimeout(60_000);
  expect(await open[0]?.page.textContent('#queue-rows')).not.toBe(saw);
  const found = await Promise.all(
    open.map(async ({ name, page }) => {
      const { moved, who, tooWide } = (await page.evaluate(
        '({ moved, who, tooWide: document.documentElement.scrollWidth > document.documentElement.clientWidth })',
      )) as { moved: number; who: string[]; tooWide: boolean };
      return {
        name,
        tooWide,
        moved: moved < NOTHING ? 0 : moved,
        who: moved < NOTHING ? [] : who.slice(0, 3),
      };
    }),
  );
  expect(found).toEqual(open.map(({ name }) => ({ name, tooWide: false, moved: 0, who: [] })));
  for (const { page } of open) await page.close();
});

/** Adds up how far things move, and who does. */
const WATCH = `
  window.moved = 0;
  window.who = [];
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      if (hadRecentInput) continue;
      window.moved += value;
      for (const { node, previousRect: a, currentRect: b } of sources)
        window.who.push([node?.nodeName, node?.className ?? node?.textContent, value, a.x, a.y, a.width, a.height, 'to', b.x, b.y, b.width, b.height].join(' '));
    }
  }).observe({ type: 'layout-shift' });
`;
