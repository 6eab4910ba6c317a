import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AttachedPlan, type AttachedProcess, startAttached } from '../support/attached-process.js';
import { PHONE, type Scene, startScene, WIDE } from '../support/scene.js';
import { until } from '../support/until.js';

let scene: Scene;
const processes: AttachedProcess[] = [];

beforeAll(async () => {
  // Names that are there before the console need not be waited for until they are found.
  scene = await startScene({
    fill: ({ queue }) => Promise.all(['mail', 'reports'].map((name) => queue(name).waitUntilReady())),
  });
});
afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.stop()));
});
afterAll(async () => {
  await scene.stop();
});

async function workers(
  ...plans: readonly Partial<AttachedPlan['workers'][number]>[]
): Promise<AttachedProcess> {
  const made = await startAttached({
    port: scene.redis.port,
    workers: plans.map((plan) => ({ queue: 'mail', concurrency: 5, jobMs: 50, attach: {}, ...plan })),
  });
  processes.push(made);
  const queue = scene.queue(plans[0]?.queue ?? 'mail');
  await queue.add('welcome', {});
  await until('the console hears them', async () => {
    const { body } = await scene.console.ask('GET', '/api/v1/instances/default/workers');
    const queues = await scene.console.ask('GET', '/api/v1/instances/default/queues');
    return (
      queues.body.queues.some(({ name }: { name: string }) => name === queue.name) &&
      made.ids.every((id) => id === null || body.workers.some((worker: { id: string }) => worker.id === id))
    );
  });
  return made;
}

const QUEUE = '/i/default/q/bull%3Amail?tab=workers';

describe('the workers on a queue’s page', () => {
  it('get a new concurrency by keyboard alone, and the worker’s own answer is shown', async () => {
    const process = await workers({ attach: { name: 'mailer' } });
    const page = await scene.open(QUEUE, WIDE);
    const edit = page.getByRole('link', { name: /Change how many jobs mailer@.* runs at once, now 5/ });
    await edit.waitFor();
    await edit.focus();
    await page.keyboard.press('Enter');
    const field = page.getByLabel('Jobs at once');
    await field.waitFor();
    await field.fill('12');
    await page.getByText('12', { exact: true }).first().waitFor();
    await page.getByLabel('Reason').fill('catch up');
    await page.keyboard.press('Enter');
    await page.getByText('in force, 12 slots').waitFor();
    expect((await process.state()).workers[0]?.concurrency).toBe(12);
    await page.getByRole('button', { name: 'Done' }).click();
    await page
      .getByText(/Concurrency 12 by local since .*: catch up/)
      .first()
      .waitFor();
    expect(scene.complaints()).toEqual([]);
    await page.close();
  });

  it('are taken out of the pool and put back, each step said before and after', async () => {
    const process = await workers({ attach: { name: 'second' } });
    const page = await scene.open(QUEUE, WIDE);
    await page.getByRole('link', { name: /^Pause second@/ }).click();
    await page.getByText(/takes no more jobs, and finishes what it has in hand/).waitFor();
    await page.getByLabel('Reason').fill('slow');
    await page.getByRole('button', { name: /^Take one worker out of the pool/ }).click();
    await page.getByText('done and read back').waitFor();
    expect((await process.state()).workers[0]?.isPaused).toBe(true);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('link', { name: /^Resume second@/ }).click();
    await page.getByLabel('Reason').fill('fixed');
    await page.getByRole('button', { name: /^Put one worker back/ }).click();
    await page.getByText('done and read back').waitFor();
    await until('it runs', async () => (await process.state()).workers[0]?.isPaused === false);
    await page.close();
  });

  it('keep the focus of somebody who is about to act while their numbers change', async () => {
    await workers({ attach: { name: 'third' } });
    const page = await scene.open(QUEUE, WIDE);
    const pause = page.getByRole('link', { name: /^Pause third@/ });
    await pause.focus();
    // Enough that the page has the time to show it, however busy the machine.
    const queue = scene.queue('mail');
    await queue.addBulk(Array.from({ length: 10_000 }, () => ({ name: 'welcome', data: {} })));
    await page
      .getByRole('row', { name: /third@/ })
      .getByText(/saturated|5 of 5/)
      .first()
      .waitFor();
    expect(await pause.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
    await queue.drain();
    await page.close();
  });
});

describe('the fleet page', () => {
  it('says in words which worker crashed and which has no agent, and how to attach one', async () => {
    const gone = await workers({ queue: 'reports', attach: { name: 'reporter' } });
    await workers({ queue: 'reports', attach: null, options: { name: 'plain' } });
    const page = await scene.open('/workers', WIDE);
    gone.signal('SIGKILL');
    const row = page.getByRole('row', { name: /reporter@/ });
    await row.getByText('crashed').waitFor();
    await page.getByRole('row', { name: /plain/ }).getByText('no agent').first().waitFor();
    await page.getByText('attach(worker)').waitFor();
    await page.getByRole('link', { name: 'status' }).click();
    await page.locator('.worker-group').getByText('crashed', { exact: true }).waitFor();
    await page
      .getByRole('link', { name: /^reporter@/ })
      .first()
      .click();
    await page.getByText(/No heartbeat since/).waitFor();
    await page.getByText(/reporter@.* of reports sends no heartbeat and is not connected/).waitFor();
    await page.close();
  });

  it('leads by a name, or by Ctrl-K, to a page of the worker: its jobs, what is set for it, what can be done', async () => {
    const process = await workers({ attach: { name: 'clerk' }, jobMs: 60_000 });
    const page = await scene.open('/', WIDE);
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder(/Queue, job type, worker/).fill('clerk@');
    await page
      .locator('#found')
      .getByRole('link', { name: /^clerk@/ })
      .click();
    await page.getByRole('heading', { level: 1, name: /^clerk@/ }).waitFor();
    await page.getByRole('link', { name: /^Concurrency clerk@/ }).click();
    await page.getByLabel('Jobs at once').fill('7');
    await page.getByLabel('Reason').fill('look');
    await page.keyboard.press('Enter');
    await page.getByText('in force, 7 slots').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    // The page follows by itself.
    await page.getByText(/Concurrency 7 by local since/).waitFor();
    await page.getByText('1 of 7, configured 5').waitFor();
    await page.getByRole('img', { name: /^Slots of clerk@.*: 7 in all; 6 idle; 1 busy/ }).waitFor();
    await page.getByRole('link', { name: /^Reset to code clerk@/ }).waitFor();
    await page.getByText(/^kill \d+$/).waitFor();
    await page.locator('.job-table tbody th a').first().click();
    await page.getByRole('heading', { level: 1, name: /welcome/ }).waitFor();
    expect((await process.state()).workers[0]?.concurrency).toBe(7);
    expect(scene.complaints()).toEqual([]);
    await page.close();
  });

  it('shows hostile names as text, and fits a phone', async () => {
    await workers({ attach: { name: '<img src=x onerror=alert(1)>', labels: { '<b>': '"\'><script>' } } });
    for (const [path, view] of [
      ['/workers', PHONE],
      [QUEUE, PHONE],
      ['/workers', WIDE],
      [QUEUE, WIDE],
    ] as const) {
      const page = await scene.open(path, view);
      await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();
      if (view === PHONE)
        expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(390);
      await page.close();
    }
    expect(scene.complaints()).toEqual([]);
  });
});
