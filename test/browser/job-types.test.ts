import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { axeFinds } from '../support/axe.js';
import { PHONE, type Scene, startScene, untilLive, WIDE } from '../support/scene.js';
import { until } from '../support/until.js';

let scene: Scene;
let workers: AttachedProcess;
const HOSTILE = '"><img src=x onerror=globalThis.hit=1>\r\nline\ttwo \'{{7*7}} %2e ☃';
const PAGE = '/i/default/q/bull%3Amail?tab=types';

beforeAll(async () => {
  scene = await startScene({
    fill: async ({ redis, queue }) => {
      await queue('mail').waitUntilReady();
      workers = await startAttached({
        port: redis.port,
        workers: [{ queue: 'mail', concurrency: 10, jobMs: 20, attach: { name: 'mailer' } }],
      });
    },
  });
  await add('ping', 30);
  await add('digest', 20, { ms: 300 });
  await add(HOSTILE, 3);
  await until(
    'all types are known',
    async () => (await types()).filter(({ run }) => run !== null).length === 3,
  );
});
afterAll(async () => {
  await workers?.stop();
  await scene?.stop();
});

const add = (name: string, count: number, data: object = {}): Promise<unknown> =>
  scene.queue('mail').addBulk(Array.from({ length: count }, () => ({ name, data })));

async function types(): Promise<readonly { name: string; run: unknown; slowThresholdMs: number | null }[]> {
  const { body } = await scene.console.ask('GET', '/api/v1/instances/default/job-types');
  return body.jobTypes;
}
const thresholdOf = async (name: string) =>
  (await types()).find((type) => type.name === name)?.slowThresholdMs ?? null;

describe('the job types on a queue’s page', () => {
  it('get a threshold in place by keyboard alone, and a slow one is reported and sorted first without a reload', async () => {
    const page = await scene.open(PAGE, WIDE);
    await untilLive(page);
    const edit = page.getByRole('link', { name: 'Change from which run time digest is slow, now none' });
    await edit.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Slow from a run time of' }).fill('0.1');
    await page.getByText('It is slow by that now').waitFor();
    await page.getByLabel('Reason').fill('digests are quick');
    await page.keyboard.press('Enter');
    await page.getByText('done and read back').waitFor();
    await until('it is in force', async () => (await thresholdOf('digest')) === 100);
    await page.getByRole('button', { name: 'Done' }).click();
    const row = page.getByRole('row', { name: /^digest/ });
    await row.getByText(/slow: p95 \d+ ms over 100 ms set/).waitFor();
    expect(await edit.count()).toBe(0);
    // Rows hold their places while the focus is on them.
    await page.evaluate('document.activeElement.blur()');
    await expect.poll(() => page.locator('#type-rows th').first().innerText()).toContain('digest');
    await page.goto(`${scene.console.url}/`);
    const troubled = page.getByRole('link', { name: /in trouble: .*digest slow/ });
    // Runs count for a while only: fresh ones, however long the steps before took.
    await until(
      'the overview reports it',
      async () => {
        await add('digest', 5, { ms: 300 });
        return troubled.isVisible();
      },
      { everyMs: 1_000 },
    );
    await troubled.click();
    await page.waitForURL(/tab=types$/);
    expect(scene.complaints()).toEqual([]);
    await page.close();
  });

  it('say which one fails since when, and with which error', async () => {
    const page = await scene.open(PAGE, WIDE);
    await untilLive(page);
    await add('sync', 30);
    await page.getByRole('row', { name: /^sync/ }).getByText('quiet').waitFor();
    await add('sync', 30, { fail: true });
    const row = page.getByRole('row', { name: /^sync/ });
    await row.getByText(/fails \d+% since/).waitFor({ timeout: 60_000 });
    expect(await row.locator('time').first().getAttribute('datetime')).toMatch(/^20\d\d-.*Z$/);
    await row.getByText('failed on purpose').waitFor();
    await page.close();
  });

  it('keep hostile names as text, and their thresholds apart, whatever the form does to line ends', async () => {
    const page = await scene.open(PAGE, WIDE);
    await untilLive(page);
    const row = page.locator('#type-rows tr', { hasText: 'onerror' });
    expect(await row.locator('th').innerText()).toContain('"><img src=x onerror=globalThis.hit=1>');
    await row.locator('a.setting').click();
    await page.getByRole('textbox', { name: 'Slow from a run time of' }).fill('9');
    await page.getByLabel('Reason').fill('hostile');
    await page.keyboard.press('Enter');
    await page.getByText('done and read back').waitFor();
    await until('it is in force', async () => (await thresholdOf(HOSTILE)) === 9_000);
    await page.getByRole('button', { name: /^Undo/ }).click();
    await page.getByLabel('Reason').fill('back');
    await page.keyboard.press('Enter');
    await until('it is taken back', async () => (await thresholdOf(HOSTILE)) === null);
    expect(await page.evaluate('globalThis.hit')).toBeUndefined();
    expect(scene.complaints()).toEqual([]);
    await page.close();
  });

  it('fit a phone as cards, and axe finds nothing, light and dark', async () => {
    for (const view of [PHONE, WIDE]) {
      const page = await scene.open(PAGE, view);
      await untilLive(page);
      await page.locator('#job-types details summary').click();
      await page.getByText('agent: every run of the workers').waitFor();
      if (view === PHONE) {
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
        expect(await page.locator('.type-table thead').isVisible()).toBe(false);
      }
      expect(await axeFinds(page)).toEqual([]);
      await page.close();
    }
    expect(scene.complaints()).toEqual([]);
  });
});
