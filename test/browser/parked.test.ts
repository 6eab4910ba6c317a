import { afterAll, beforeAll, expect, it } from 'vitest';
import { axeFinds } from '../support/axe.js';
import { PHONE, type Scene, startScene, untilLive, untilSeen } from '../support/scene.js';
import { until } from '../support/until.js';

let scene: Scene;
let parking = '';

beforeAll(async () => {
  scene = await startScene({
    fill: async ({ queue }) => {
      await queue('mail').addBulk(Array.from({ length: 3_000 }, (_, i) => ({ name: 'track', data: { i } })));
      await queue('mail').add('bill', {});
    },
  });
  await untilSeen(scene, 'bull:mail');
  const { body } = await scene.console.ask('POST', '/api/v1/parkings', {
    instance: 'default',
    queue: 'mail',
    jobTypes: ['track'],
    reason: 'Redis was full',
  });
  parking = body.parking.id;
  await until('they are parked', async () => (await now()).state === 'done');
});
afterAll(() => scene.stop());

const now = async () => (await scene.console.ask('GET', `/api/v1/parkings/${parking}`)).body;

it('parked jobs are brought back from the page of replays, under the guard, and it says why it goes as it goes', async () => {
  const page = await scene.open('/replays');
  await untilLive(page);
  const card = page.locator('#parked .replay');
  expect(await card.innerText()).toMatch(/track of bull:mail/);
  expect(await card.innerText()).toMatch(/Redis was full/);
  expect(await card.innerText()).toMatch(/freed [\d.]+ [KM]B in Redis · restoring takes about [\d.]+ [KM]B/);
  await card.getByRole('link', { name: 'Restore' }).click();
  await page.waitForSelector('#action-preview');
  const preview = await page.locator('#action-preview').innerText();
  expect(preview).toMatch(/Auto-throttle looks at the first of them/);
  // What it takes of Redis' memory is said before.
  expect(preview).toMatch(/memory of 256 MB\s+[\d.]+ MB\s+becomes\s+about [\d.]+ MB/);
  const form = page.locator('#action-form');
  await form.getByLabel(/Max rate/).fill('100');
  await form.getByLabel(/Why|Reason/i).fill('there is room again');
  await form.locator('button[type="submit"]').last().click();
  // No worker runs: the first go ahead, and the rest waits for them, without a reload of the page.
  await until('the page reports it', async () => /first 20 jobs/.test(await card.innerText()));
  expect(await card.innerText()).toMatch(/20 of 3,000 off the disk/);
  expect(await now()).toMatchObject({ guard: true, restored: 20, ratePerSecond: 100 });
  await page.close();
});

it('each button says what it will do and what it did; rate and guard are set while it goes', async () => {
  const page = await scene.open('/replays');
  await untilLive(page);
  const button = (name: string) => page.locator('#parked').getByRole('button', { name, exact: true });
  const said = () => page.locator('#parked-outcome').innerText();
  const does = async (name: string) => {
    const id = await button(name).getAttribute('aria-describedby');
    return page.locator(`#${id}`).innerText();
  };
  expect(await does('Pause')).toMatch(/Nothing more comes back until it is resumed; 2,980 jobs stay on disk/);
  await button('Pause').press('Enter');
  await page.waitForSelector('#parked-outcome');
  expect(await said()).toMatch(/track of bull:mail: Paused: 20 of 3,000 are back, 2,980 on disk/);
  expect(await now()).toMatchObject({ state: 'paused', pausedBy: 'person' });
  expect(await does('Auto-throttle off')).toMatch(/whatever live jobs suffer/);
  await button('Auto-throttle off').press('Enter');
  await until('it is reported', async () => /Auto-throttle is off/.test(await said()));
  const rate = page.locator('#parked input[name="ratePerSecond"]');
  await untilLive(page);
  await rate.fill('50');
  await page.evaluate(
    'globalThis.redrawn = 0, new MutationObserver(() => { globalThis.redrawn += 1; }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })',
  );
  await until('the page is redrawn meanwhile', async () => Number(await page.evaluate('redrawn')) >= 3);
  expect(await rate.inputValue()).toBe('50');
  await button('Set').click();
  await until('it is reported', async () => /The rate is set to 50\/s/.test(await said()));
  await button('Resume').click();
  await until('it is reported', async () => /Resumed/.test(await said()));
  await untilLive(page);
  const progress = () => page.locator('#parked .replay-progress').innerText();
  const first = await progress();
  await until('the page counts without a reload', async () => (await progress()) !== first);
  expect(await said()).toMatch(/Resumed/);
  await button('Abort').click();
  await until('it is reported', async () => /Aborted: [\d,]+ of 3,000 are back/.test(await said()));
  const { restored, remaining, state } = await now();
  expect(state).toBe('aborted');
  expect(restored + remaining).toBe(3_000);
  expect(await scene.redis.client.llen('bull:mail:wait')).toBe(restored + 1);
  await page.close();
});

it('on a phone, in the dark, and on the queue’s own page it reads as well', async () => {
  await scene.console.ask('POST', `/api/v1/parkings/${parking}/restore`, {
    ratePerSecond: 1,
    guard: false,
    reason: 'slowly',
  });
  for (const path of ['/replays', '/i/default/q/bull%3Amail']) {
    const page = await scene.open(path, PHONE);
    await untilLive(page);
    await page.locator('#parked').getByRole('button', { name: 'Pause', exact: true }).waitFor();
    expect(await axeFinds(page)).toEqual([]);
    const width: readonly number[] = await page.evaluate(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(width[0]).toBeLessThanOrEqual(width[1] ?? 0);
    if (process.env.SPILLWAY_SHOTS)
      await page.screenshot({ path: `${process.env.SPILLWAY_SHOTS}/${path.length}.png`, fullPage: true });
    await page.close();
  }
  expect(scene.complaints()).toEqual([]);
});
