import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axeFinds } from '../support/axe.js';
import { PHONE, type Scene, startScene, untilLive, untilSeen, WIDE } from '../support/scene.js';
import { until } from '../support/until.js';

let scene: Scene;
const SHOTS = process.env.SPILLWAY_SHOTS;

beforeAll(async () => {
  scene = await startScene({
    fill: async ({ queue }) => {
      await queue('mail').pause();
      await queue('mail').addBulk(Array.from({ length: 80 }, () => ({ name: 'send', data: {} })));
    },
  });
  await untilSeen(scene, 'bull:mail');
  await scene.console.ask('POST', '/api/v1/markers', { text: 'mailer 2.7.0', queue: 'mail' });
  await scene.console.ask('POST', '/api/v1/actions/queue.concurrency', {
    instance: 'default',
    queues: ['bull:mail'],
    args: { value: 7 },
    reason: 'the provider asked for less',
  });
  await until('the finding is reported', async () => (await told('kinds=finding')).length > 0, {
    withinMs: 60_000,
    everyMs: 250,
  });
});
afterAll(() => scene?.stop());

const told = async (query: string): Promise<{ id: string; text: string }[]> =>
  (await scene.console.ask('GET', `/api/v1/timeline?${query}`)).body.entries;

async function shoot(page: Page, name: string): Promise<void> {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

async function untilInView(page: Page, text: string): Promise<void> {
  await page.getByText(text).first().waitFor({ state: 'visible' });
}

/** The row that says this. */
const rowOf = (page: Page, text: string | RegExp) => page.locator('.activity-row', { hasText: text });

describe('the timeline', () => {
  it('is one row for each trouble and for what was done, with who and why in it, in UTC with the local time on hover', async () => {
    const page = await scene.open('/timeline');
    await untilLive(page);
    await shoot(page, 'timeline');
    const text = await page.locator('#activity-rows').innerText();
    expect(text).toContain('mailer 2.7.0');
    expect(text).toMatch(/\d\d:\d\d:\d\d UTC/);
    const done = rowOf(page, /concurrency/i);
    await done.first().locator('summary').first().click();
    expect(await done.first().innerText()).toContain('Reason: the provider asked for less');
    const finding = page.locator('.activity-row.state-warning').first();
    expect(await finding.innerText()).toMatch(/warning/);
    const time = finding.locator('time').first();
    await time.hover();
    expect(await time.getAttribute('title')).toMatch(/local time/);
    await page.close();
  });

  it('draws bars in time, and a click goes to the evidence at that moment', async () => {
    const page = await scene.open('/timeline');
    const picture = page.locator('#activity-picture .lanes');
    expect(await picture.getAttribute('aria-label')).toMatch(/warning since \d\d:\d\d UTC/);
    expect(await page.locator('#activity-picture .curve').count()).toBe(2);
    const pin = picture.getByRole('link', { name: /mailer 2\.7\.0/ });
    const target = (await pin.getAttribute('href'))?.slice(1) ?? '';
    await pin.focus();
    await page.keyboard.press('Enter');
    await page.locator(`[id="${target}"]`).waitFor({ state: 'visible' });
    expect(await page.locator(`[id="${target}"]`).innerText()).toContain('mailer 2.7.0');
    await page.close();
  });

  it('of another time is a link that others can open, and one without anything says so', async () => {
    const page = await scene.open('/timeline');
    await page.getByRole('link', { name: '24 h', exact: true }).click();
    await page.waitForURL(/range=24h/);
    await page.getByRole('link', { name: /^Link to/ }).click();
    await page.waitForURL(/from=.*to=/);
    expect(await page.locator('#activity-rows').innerText()).toContain('mailer 2.7.0');
    await page.goto(`${scene.console.url}/timeline?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z`);
    await untilInView(page, 'Nothing happened in this time');
    await page.close();
  });

  it('takes in what is new at the top, without a reload and without taking the pen away', async () => {
    const page = await scene.open('/timeline');
    await untilLive(page);
    await page.evaluate('window.isStillHere = true');
    const first = page.locator('.activity-row').first();
    await first.locator('summary').first().click();
    await first.getByText('Add note').first().click();
    await first.locator('input[name="text"]').first().fill('half a sen');
    await scene.console.ask('POST', '/api/v1/markers', { text: 'something new', kind: 'note' });
    await rowOf(page, 'something new').waitFor();
    expect(await page.locator('.activity-row').first().innerText()).toContain('something new');
    expect(
      await page
        .locator('input[name="text"]')
        .evaluateAll((all) => all.map((one) => (one as unknown as { value: string }).value)),
    ).toContain('half a sen');
    expect(await page.evaluate('window.isStillHere')).toBe(true);
    await page.close();
  });

  it('is filtered by what is ticked and typed, and a new entry that does not fit stays out', async () => {
    const page = await scene.open('/timeline');
    await untilLive(page);
    await page.locator('summary', { hasText: 'Filter' }).click();
    for (const box of await page.locator('input[name="g"]').all())
      if ((await box.getAttribute('value')) !== 'actions') await box.uncheck();
    await page.fill('#search', 'provider');
    await page.locator('.activity-filter button[type="submit"]').click();
    await page.waitForURL(/g=actions/);
    await untilLive(page);
    const rows = page.locator('.activity-row');
    expect(await rows.count()).toBe(1);
    const version = page.locator('#activity');
    const before = await version.getAttribute('data-activity-version');
    await scene.console.ask('POST', '/api/v1/markers', { text: 'not for this reader', kind: 'note' });
    await until(
      'it has looked',
      async () => (await version.getAttribute('data-activity-version')) !== before,
    );
    expect(await rows.count()).toBe(1);
    await page.close();
  });

  it('is annotated in place, by keyboard alone, and the note is changed and taken back', async () => {
    const [finding] = await told('kinds=finding.began');
    const page = await scene.open(`/timeline?entry=${finding?.id}`);
    const entry = page.locator(`#entry-${finding?.id}`);
    expect(await entry.getAttribute('aria-current')).toBe('true');
    await entry.locator('summary').first().focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.type('it was the import');
    await page.keyboard.press('Enter');
    await page.waitForURL(/entry=.*#entry-/);
    await untilInView(page, 'it was the import');
    await shoot(page, 'timeline-entry');
    const note = entry.locator('.activity-notes li');
    await note.locator('summary').click();
    await note.locator('input[name="text"]').fill('it was the deploy');
    await note.locator('button', { hasText: 'Save' }).click();
    await untilInView(page, 'it was the deploy');
    await entry.locator('.activity-notes summary').click();
    await entry.locator('.activity-notes button', { hasText: 'Delete' }).click();
    await page.waitForURL(/\/timeline$/);
    expect(await page.content()).not.toContain('it was the deploy');
    await page.close();
  });
});

describe('an incident', () => {
  it('is marked from the timeline with the range of what was ticked, reported, closed and forgotten', async () => {
    const page = await scene.open('/timeline');
    const boxes = page.locator('.activity-tick input');
    await boxes.first().check();
    await boxes.last().check();
    await page.getByRole('button', { name: 'Declare incident' }).click();
    await page.waitForURL(/\/incidents\/new/);
    await shoot(page, 'incident-new');
    const [from, to] = [
      await page.inputValue('input[name="from"]'),
      await page.inputValue('input[name="to"]'),
    ];
    const entries = (await scene.console.ask('GET', '/api/v1/timeline?limit=500')).body.entries;
    expect(from).toBe(entries.at(-1).at.slice(0, 19));
    expect(to >= from).toBe(true);
    await page.fill('input[name="title"]', 'Mail stood');
    await page.fill('input[name="affects"]', 'Sending of e-mail');
    await page.fill('input[name="to"]', '');
    await page.locator('.incident-form button[type="submit"]').click();
    await page.waitForURL(/\/incidents\/[0-9a-f-]{36}$/);
    await shoot(page, 'incident');
    expect(await page.locator('#status-text').innerText()).toMatch(/^Sending of e-mail: delayed since/);
    expect(await page.locator('#draft-text').innerText()).toContain('# Post-mortem: Mail stood');
    expect(await page.locator('#incident-account .lanes').getAttribute('aria-label')).toMatch(/warning/);
    expect(await page.locator('#incident-account .facts').innerText()).toMatch(/Backlog peak/i);
    await page.locator('summary', { hasText: 'Edit' }).click();
    await page.fill('textarea[name="cause"]', 'Somebody paused it.');
    await page.locator('.incident-form button[type="submit"]').click();
    await page.waitForLoadState();
    expect(await page.locator('#draft-text').innerText()).toContain('Somebody paused it.');
    await page.getByRole('button', { name: 'Close it now' }).click();
    await untilInView(page, 'closed');
    expect(await page.locator('#status-text').innerText()).toMatch(/We are still watching it/);
    await page.goto(`${scene.console.url}/incidents`);
    expect(await page.locator('.incidents').innerText()).toContain('Mail stood');
    await page.getByRole('link', { name: 'Mail stood' }).click();
    await page.locator('summary', { hasText: 'Delete this' }).click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.waitForURL(/\/incidents$/);
    await untilInView(page, 'No incident has been declared');
    await page.close();
  });

  it('that is open goes on by itself while somebody writes in its form, and says when another has closed it', async () => {
    const began = new Date(Date.now() - 60_000).toISOString();
    const made = await scene.console.ask('POST', '/api/v1/incidents', { title: 'Goes on', from: began });
    const page = await scene.open(`/incidents/${made.body.id}`);
    await untilLive(page);
    await page.evaluate('window.isStillHere = true');
    await page.locator('summary', { hasText: 'Edit' }).click();
    const cause = page.locator('textarea[name="cause"]');
    await cause.fill('half a sen');
    await scene.console.ask('POST', '/api/v1/markers', { text: 'seen while it lasts', kind: 'note' });
    await page.locator('#draft-text').getByText('seen while it lasts').waitFor();
    await cause.pressSequentially('tence');
    await scene.console.ask('PATCH', `/api/v1/incidents/${made.body.id}`, {
      affects: 'Sending of e-mail',
      to: new Date().toISOString(),
    });
    await page.locator('#incident-head').getByText('closed').waitFor();
    await page
      .locator('#status-text')
      .getByText(/Sending of e-mail/)
      .waitFor();
    expect(await page.getByRole('button', { name: 'Close it now' }).count()).toBe(0);
    expect(await cause.inputValue()).toBe('half a sentence');
    expect(await cause.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
    expect(await page.evaluate('window.isStillHere')).toBe(true);
    await page.close();
  });

  it('that can not be so is refused in words, and what was typed stays', async () => {
    const page = await scene.open('/incidents/new');
    await page.fill('input[name="title"]', 'Kept words');
    await page.fill('input[name="from"]', '2026-01-02T00:00:00');
    await page.fill('input[name="to"]', '2026-01-01T00:00:00');
    await page.locator('.incident-form button[type="submit"]').click();
    await untilInView(page, 'must not be before from');
    expect(await page.inputValue('input[name="title"]')).toBe('Kept words');
    expect(await page.inputValue('input[name="to"]')).toMatch(/^2026-01-01T00:00/);
    await page.close();
  });
});

describe('each page', () => {
  let incident: string;
  beforeAll(async () => {
    const [began] = (await scene.console.ask('GET', '/api/v1/timeline?kinds=finding.began')).body.entries;
    const made = await scene.console.ask('POST', '/api/v1/incidents', {
      title: 'Mail stands',
      from: began.at,
    });
    incident = `/incidents/${made.body.id}`;
    await scene.console.ask('POST', '/api/v1/markers', { text: 'a note on it', about: began.id });
  });

  it.concurrent.each([
    ['timeline', () => '/timeline'],
    ['timeline without a match', () => '/timeline?search=nothing-like-this'],
    ['incidents', () => '/incidents'],
    ['new incident', () => '/incidents/new'],
    ['incident', () => incident],
  ])(
    '%s: axe finds nothing in light and dark, and it fits a phone and a thumb',
    async (name, path) => {
      for (const options of [WIDE, PHONE]) {
        const page = await scene.open(path(), options);
        await untilLive(page);
        await page.evaluate(
          "for (const details of document.querySelectorAll('main details')) details.open = true",
        );
        const look = options === PHONE ? 'phone' : 'light';
        await shoot(page, `${name.replaceAll(' ', '-')}-${look}`);
        expect(await axeFinds(page)).toEqual([]);
        const [scroll = 0, client = 0]: readonly number[] = await page.evaluate(
          '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
        );
        expect(scroll).toBeLessThanOrEqual(client);
        if (options === WIDE) await shoot(page, `${name.replaceAll(' ', '-')}-dark`);
        if (options === PHONE) expect(await smallTargets(page)).toEqual([]);
        await page.close();
      }
    },
    90_000,
  );
});

it('nothing on these pages has complained', () => {
  expect(scene.complaints().filter((line) => !line.includes('422'))).toEqual([]);
});

async function smallTargets(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const all = document.querySelectorAll(
      'main button, main select, main input:not([type="hidden"]), main .button, main .small-button, main summary, main .page-link, .top-nav a, label.check, label.activity-tick',
    );
    return [...all].filter((element) => {
      const box = (element.closest('label') ?? element).getBoundingClientRect();
      return box.width > 0 && (box.height < 43.5 || box.width < 43.5) && getComputedStyle(element).visibility !== 'hidden';
    }).map((element) => element.outerHTML.slice(0, 160));
  })()`);
}
