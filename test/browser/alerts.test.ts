import { afterAll, beforeAll, expect, it } from 'vitest';
import { axeFindsAsItIs } from '../support/axe.js';
import { PHONE, type Scene, startScene, untilLive, untilSeen } from '../support/scene.js';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene({
    fill: ({ queue }) =>
      queue('mail').addBulk(Array.from({ length: 50 }, (_, n) => ({ name: 'send', data: { n } }))),
  });
  await untilSeen(scene, 'bull:mail');
});
afterAll(async () => {
  await scene?.stop();
});

it('a rule is tried before it is saved, fires by itself on the page, and is acknowledged and silenced there', async () => {
  const page = await scene.open('/alerts/rules');
  await untilLive(page);
  await page.getByRole('link', { name: 'New rule' }).click();
  await page.getByLabel('Name').fill('Mail is deep');
  await page.getByLabel('Severity').selectOption('critical');
  await page.getByLabel('Threshold, in its unit').fill('10');
  await page.getByLabel('For (seconds)').fill('0');
  await page.getByLabel('Runbook').fill('https://runbooks.example/mail');
  await page.getByLabel('Runbook').blur();
  // By itself, as the form changes.
  await page.waitForSelector('#rule-test:has-text("it holds for 1 now")');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL('**/alerts/rules');
  expect(await page.locator('.rules tr', { hasText: 'Mail is deep' }).innerText()).toContain(
    'queue backlog > 10 jobs at once',
  );
  await page.locator('.tabs').getByRole('link', { name: 'Firing' }).click();
  await untilLive(page);
  expect(await page.locator('.no-channel').innerText()).toMatch(/No channel configured: nobody is notified/);
  await page.waitForSelector('#alert-state .alert:has-text("Mail is deep")');
  await page.waitForSelector('#alert-count:has-text("firing")');
  if (process.env.SPILLWAY_SHOTS)
    await page.screenshot({ path: `${process.env.SPILLWAY_SHOTS}/alerts-wide.png`, fullPage: true });

  await page.getByRole('button', { name: /^Acknowledge: / }).click();
  await page.waitForSelector('.alert:has-text("Acknowledged by")');
  await page.getByRole('link', { name: /^Silence: / }).click();
  await page.getByLabel('Reason').fill('moving it');
  await page.getByRole('button', { name: 'Silence', exact: true }).click();
  await page.waitForSelector('.silences:has-text("moving it")');
  await page.waitForSelector('.alert:has-text("Silenced by")');
  await page.getByRole('button', { name: /^End the silence/ }).click();
  await page.waitForSelector('.silences', { state: 'detached' });

  const overview = await scene.open('/');
  await overview.waitForSelector('#firing-line a:has-text("firing")');
  await overview.waitForSelector('#firing-line a:has-text("nobody is notified")');
  expect(scene.complaints()).toEqual([]);
});

it('the pages of alerts are in order on a phone, in the dark, and for axe', async () => {
  for (const [path, name] of [
    ['/alerts', 'alerts'],
    ['/alerts/rules', 'rules'],
    ['/alerts/rules/new?kind=predicted', 'rule'],
    ['/alerts/rules/redis-full', 'default-rule'],
  ] as const) {
    const page = await scene.open(path, { ...PHONE, colorScheme: 'dark' });
    await page.waitForSelector('h1');
    if (process.env.SPILLWAY_SHOTS)
      await page.screenshot({ path: `${process.env.SPILLWAY_SHOTS}/${name}-phone.png`, fullPage: true });
    expect(await axeFindsAsItIs(page)).toEqual([]);
    const width = Number(await page.evaluate('document.documentElement.scrollWidth'));
    expect(width).toBeLessThanOrEqual(390);
    await page.close();
  }
  expect(scene.complaints()).toEqual([]);
});

it('what is wrong with a rule is said beside the form, with the field by its label', async () => {
  const page = await scene.open('/alerts/rules/new');
  await page.getByLabel('Name').fill('Wrong');
  await page.getByLabel('Signal').fill('queue_backlog');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForSelector('#rule-test:has-text("did you mean queue_backlog_jobs")');
  expect(await page.getByLabel('Name').inputValue()).toBe('Wrong');
});
