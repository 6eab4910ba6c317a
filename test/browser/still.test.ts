import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { type Scene, startScene, untilLive } from '../support/scene.js';
import { until } from '../support/until.js';

/** Looked at for a minute, and those between, where nothing may be wider than the screen either. */
const WIDTHS = [1440, 390];
const BETWEEN = [1024, 768];
const QUEUE = '/i/default/q/bull%3Awork';
const PAGES = ['/', QUEUE, '/workers', '/alerts'];
/** Half of what counts as good: a number that grows a digit moves its column, and a text of numbers may take a line more. */
const NOTHING = 0.05;

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
  const [work, orphan] = [scene.queue('work'), scene.queue('orphan')];
  await orphan.addBulk(jobs(900));
  // One queue that its workers keep up with, now with many and now with few; one that grows and that nobody works on.
  adding = setInterval(() => {
    turn += 1;
    void work.addBulk(jobs([2, 24, 7, 31, 4, 15][turn % 6] ?? 1)).catch(() => undefined);
    void orphan.addBulk(jobs(1 + (turn % 9))).catch(() => undefined);
  }, 500);
  workers = await startAttached({
    port: scene.redis.port,
    workers: [
      { queue: 'work', concurrency: 4, jobMs: 120, attach: { name: 'worker-a' } },
      { queue: 'work', concurrency: 4, jobMs: 120, attach: { name: 'worker-b' } },
    ],
  });
  // Of the usual rules some would begin to fire while it is looked at: that is news, and no number that changes.
  const { body } = await scene.console.ask('GET', '/api/v1/alert-rules');
  for (const { id } of body.rules)
    await scene.console.ask('PATCH', `/api/v1/alert-rules/${encodeURIComponent(id)}`, { enabled: false });
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
        found.findings.some(({ queue }: { queue: string }) => queue === 'bull:orphan')
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

/** What is found and what fires: where that changes a page has news, which may move what is below. */
async function news(): Promise<string> {
  const [{ body: found }, { body: alerts }] = await Promise.all([
    scene.console.ask('GET', '/api/v1/findings'),
    scene.console.ask('GET', '/api/v1/alerts'),
  ]);
  const keys = found.findings.map(({ code, queue }: { code: string; queue: string }) => `${code} ${queue}`);
  return JSON.stringify([
    keys,
    alerts.alerts.map(({ id, state }: { id: string; state: string }) => [id, state]),
  ]);
}

/** Did nothing but numbers change for so long? */
async function isQuiet(page: Page, seconds: number): Promise<boolean> {
  const before = await news();
  for (let second = 0; second < seconds; second++) {
    await page.waitForTimeout(1_000);
    if ((await news()) !== before) return false;
  }
  return true;
}

const WINDOW_SECONDS = 10;
const TOO_WIDE = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';

it('nothing moves in a minute of numbers that change, up, down or sideways, and no page opens wider than the screen', async () => {
  interface Looked {
    readonly name: string;
    readonly page: Page;
    moved: number;
    readonly who: string[];
  }
  const open: Looked[] = [];
  for (const width of WIDTHS)
    for (const path of PAGES) {
      const page = await scene.open(path, { viewport: { width, height: 900 } });
      await untilLive(page);
      await page.evaluate(WATCH);
      open.push({ name: `${path} at ${width}`, page, moved: 0, who: [] });
    }
  /** What moved on these; then they are closed. */
  const judge = async (looked: readonly Looked[]): Promise<void> => {
    for (const { name, page, moved, who } of looked) {
      const found = { name, moved: moved < NOTHING ? 0 : moved, who: moved < NOTHING ? [] : who.slice(0, 4) };
      expect(found).toEqual({ name, moved: 0, who: [] });
      await page.close();
      open.splice(
        open.findIndex((one) => one.page === page),
        1,
      );
    }
  };
  const [{ page: first }] = open as [(typeof open)[number]];
  const saw = await first.textContent('#queue-rows');
  let isSettled = false;
  for (let quiet = 0; quiet < 60; ) {
    // Lists take news in only once nothing moved in them for some seconds.
    if (!isSettled) await until('nothing is new', () => isQuiet(first, 8), { withinMs: 120_000 });
    await Promise.all(open.map(({ page }) => page.evaluate('moved = 0; who = []')));
    isSettled = await isQuiet(first, WINDOW_SECONDS);
    if (!isSettled) continue;
    quiet += WINDOW_SECONDS;
    for (const one of open) {
      const seen = (await one.page.evaluate('({ moved, who })')) as { moved: number; who: string[] };
      one.moved += seen.moved;
      one.who.push(...seen.who);
    }
    // The overview for a minute, the others for a third of it: each takes a good part of a processor.
    if (quiet === 20) await judge(open.filter(({ name }) => !name.startsWith('/ at')));
  }
  expect(await first.textContent('#queue-rows')).not.toBe(saw);
  await judge([...open]);
  for (const width of [...WIDTHS, ...BETWEEN])
    for (const path of PAGES) {
      const page = await scene.open(path, { viewport: { width, height: 900 } });
      await untilLive(page);
      expect([path, width, await page.evaluate(TOO_WIDE)]).toEqual([path, width, false]);
      await page.close();
    }
}, 400_000);

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
