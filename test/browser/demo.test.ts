import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { freePort } from '../../drills/own-redis.js';
import { openWindows } from '../support/browser-windows.js';
import { DRILL } from '../support/drill.js';
import { wordsIn } from '../support/few-words.js';
import { WIDE } from '../support/scene.js';
import { until } from '../support/until.js';

const MOST_CLICKS = 2;
const MOST_WORDS = 60;

/** What is in sight there, in lines. */
async function linesOf(page: Page, ...selectors: readonly string[]): Promise<readonly string[]> {
  const texts = await Promise.all(selectors.map((one) => page.locator(one).allInnerTexts()));
  return texts.flat().flatMap((text) => text.replace(/\s*becomes\s*/g, ' ').split('\n'));
}

it('the demo is over by the first button: two clicks and sixty words until writes pass and the backlog drains', async () => {
  const port = await freePort();
  const drill = spawn(process.execPath, [DRILL, 'full-redis', '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let told = '';
  drill.stdout.on('data', (chunk) => {
    told += chunk;
  });
  const windows = await openWindows();
  const get = async (path: string): Promise<ReturnType<typeof JSON.parse>> =>
    (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json();
  try {
    // Workers are restarted before, as one would: then there is nobody to give slots to.
    await until('it is left to a person', () => told.includes('over to you'), { withinMs: 150_000 });
    const full = await until(
      'it is full, and the cause is known',
      async () => {
        const { findings } = await get('findings').catch(() => ({ findings: [] }));
        const found = findings.find(({ code }: { code: string }) => code === 'redis.full');
        return found?.remedies[0]?.action === 'sequence' ? found : null;
      },
      { withinMs: 60_000, everyMs: 500 },
    );
    expect(full.remedies[0].args.steps.at(-1).action).toBe('workers.concurrency');
    const page = await windows.page(WIDE);
    await page.goto(`http://127.0.0.1:${port}/`);
    const worst = '#findings-list > li:first-child';
    await page.locator(`${worst} .remedy-button.is-first`).waitFor();
    const read = await linesOf(page, `${worst} h3`, `${worst} .brief`, `${worst} .remedy-button.is-first`);
    let clicks = 0;
    const click = async (selector: string): Promise<void> => {
      clicks += 1;
      await page.locator(selector).first().click();
    };
    await click(`${worst} .remedy-button.is-first`);
    await page.waitForSelector('#action-preview');
    // What the drawer says of what the button does; its title is the button's own label, which is not read again.
    const parts = ['h2', '.preview-summary', '.action-steps', '.preview-warning', '.preview-affected'];
    const all = new Set([...read, ...(await linesOf(page, ...parts.map((one) => `#drawer ${one}`)))]);
    const words = [...all].reduce((sum, line) => sum + wordsIn(line), 0);
    expect(words, [...all].join(' | ')).toBeLessThanOrEqual(MOST_WORDS);
    await click('#action-submit');
    await page.waitForSelector('#action-watch');
    const watch = page.locator('#action-watch');
    await expect.poll(() => watch.innerText()).toContain('Writes accepted');
    // It stays open, and tells how it goes on.
    await expect.poll(() => watch.innerText()).toMatch(/[\d,]+ of [\d,]+ drained/);
    await until(
      'what waited is gone',
      async () => {
        const { instances } = await get('overview');
        const [{ totals, isFull }] = instances;
        return !isFull && totals.backlog < 2_000;
      },
      { withinMs: 120_000, everyMs: 500 },
    );
    expect(clicks).toBeLessThanOrEqual(MOST_CLICKS);
    expect(windows.complaints()).toEqual([]);
  } finally {
    await windows.close();
    const ended = drill.exitCode === null ? once(drill, 'exit') : null;
    drill.kill('SIGTERM');
    await ended;
  }
}, 300_000);
