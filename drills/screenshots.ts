import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { packagePath } from '../server/process/package-path.js';
import { launchBrowser } from './browser.js';

/** How each page is looked at: by its part of the file's name. */
const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  wide: { viewport: { width: 1440, height: 900 } },
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};
const READY_WITHIN_MS = 60_000;

const HELP = `npm run screenshots -- [--to DIRECTORY] [--url URL | --drill NAME]
Every page, wide, dark and at 390 px, of a running console or of a drill that is started for it (full-redis).
With --film FILE instead: how the first button resolves the incident, as an animated WebP.`;

interface Shown {
  readonly name: string;
  readonly path: string;
}

/** The pages of a console: those that are always there, and those of its first queue, worker, job and incident. */
async function pagesOf(url: string): Promise<readonly Shown[]> {
  const get = async (path: string): Promise<ReturnType<typeof JSON.parse>> =>
    (await fetch(`${url}/api/v1${path}`)).json();
  const { instances } = await get('/overview');
  const instance = encodeURIComponent(instances[0].name);
  const { queues } = await get(`/instances/${instance}/queues?sort=trouble&limit=1`);
  const queue = `/i/${instance}/q/${encodeURIComponent(queues[0]?.id ?? '')}`;
  const { jobs = [] } = queues[0]
    ? await get(`/instances/${instance}/queues/${encodeURIComponent(queues[0].id)}/jobs?limit=1`)
    : {};
  const { workers } = await get(`/instances/${instance}/workers?limit=1`);
  const { jobTypes: types = [] } = queues[0]
    ? await get(`/instances/${instance}/queues/${encodeURIComponent(queues[0].id)}`)
    : {};
  const { replays } = await get('/replays');
  const of = (name: string, path: string): Shown => ({ name, path });
  return [
    of('overview', '/'),
    of('queues', '/queues'),
    of('replays', '/replays'),
    of('workers', '/workers'),
    of('alerts', '/alerts'),
    of('alert-rules', '/alerts/rules'),
    of('channels', '/channels'),
    of('timeline', '/timeline'),
    of('incidents', '/incidents'),
    of('audit', '/audit'),
    of('redis', `/i/${instance}`),
    of('memory', `/i/${instance}/memory`),
    of('find', '/find?q=an'),
    of('docs', '/docs'),
    of('docs-api', '/docs/api'),
    of('sessions', '/sessions'),
    of('sign-in', '/sign-in'),
    of('not-found', '/no-such-page'),
    ...(replays[0] ? [of('replay', `/replays/${encodeURIComponent(replays[0].id)}`)] : []),
    ...(queues[0]
      ? [
          of('queue', queue),
          ...['types', 'workers', 'memory', 'settings'].map((tab) =>
            of(`queue-${tab}`, `${queue}?tab=${tab}`),
          ),
        ]
      : []),
    ...(types[0] ? [of('job-type', `${queue}/t/${encodeURIComponent(types[0].name)}`)] : []),
    ...(workers[0] ? [of('worker', `/i/${instance}/w/${encodeURIComponent(workers[0].id)}`)] : []),
    ...(jobs[0] ? [of('job', `${queue}/jobs/${encodeURIComponent(jobs[0].id)}`)] : []),
    ...(queues[0]
      ? [
          of(
            'action',
            `/action?action=queue.concurrency&instance=${instance}&queues=${encodeURIComponent(queues[0].id)}`,
          ),
        ]
      : []),
  ];
}

async function shoot(
  browser: Browser,
  url: string,
  pages: readonly Shown[],
  directory: string,
): Promise<void> {
  for (const [look, options] of Object.entries(LOOKS)) {
    const context = await browser.newContext(options);
    for (const { name, path } of pages) {
      const page: Page = await context.newPage();
      await page.goto(`${url}${path}`, { waitUntil: 'load' });
      // What is sent live has come once before the picture is taken.
      await page.waitForSelector('[data-live-state="live"]', { timeout: 5_000 }).catch(() => undefined);
      const file = join(directory, `${name}-${look}.png`);
      await page.screenshot({ path: file, fullPage: true });
      console.log(file);
      await page.close();
    }
    await context.close();
  }
}

/** Starts a drill and gives its console's address once it is printed. Stopped by the second value. */
async function startDrill(
  name: string,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [packagePath('dist/drills/drill.js'), name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    await gone;
  };
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} printed no address`)), READY_WITHIN_MS);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
    child.once('exit', () => reject(new Error(`${name} ended: ${output}`)));
  });
  return { url, stop };
}

const FILM_VIEW = { viewport: { width: 1200, height: 800 } };
const FRAME_MS = 1_800;
/** After the button was pressed: as long as a backlog takes to leave, and no longer. */
const MAX_FRAMES_AFTER = 12;

/** An incident from the first look to its end, by the first button alone, as a picture that moves. */
async function film(browser: Browser, url: string, file: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-film-'));
  const frames: string[] = [];
  const context = await browser.newContext(FILM_VIEW);
  const page = await context.newPage();
  const frame = async (): Promise<void> => {
    const path = join(directory, `${String(frames.length).padStart(3, '0')}.png`);
    await page.screenshot({ path });
    frames.push(path);
  };
  try {
    await page.goto(url);
    await page.waitForSelector('#verdict.state-critical:has-text("full")', { timeout: 120_000 });
    await frame();
    await page.screenshot({ path: packagePath('docs/pictures/overview.png') });
    await page.click('.finding .remedy-button >> nth=0');
    await page.waitForSelector('#action-preview');
    await frame();
    await page.click('#action-form button[type="submit"]');
    await page.waitForSelector('[data-outcome]', { timeout: 60_000 });
    await frame();
    for (let i = 0; i < MAX_FRAMES_AFTER; i += 1) {
      await page.waitForTimeout(2_000);
      await frame();
      if ((await page.locator('#verdict.state-critical').count()) === 0) break;
    }
    const still = frames.flatMap((path) => ['-d', String(FRAME_MS), path]);
    await promisify(execFile)(process.env.IMG2WEBP_BIN ?? 'img2webp', [
      '-lossy',
      '-q',
      '70',
      ...still,
      '-o',
      file,
    ]);
    console.log(file);
  } finally {
    await context.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: {
    to: { type: 'string', default: 'screenshots' },
    url: { type: 'string' },
    drill: { type: 'string', default: 'full-redis' },
    film: { type: 'string' },
    'after-seconds': { type: 'string', default: '45' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) console.log(HELP);
else {
  if (values.film === undefined) await mkdir(values.to, { recursive: true });
  const drill = values.url === undefined ? await startDrill(values.drill) : null;
  // The incident is to be in full course.
  if (drill && values.film === undefined)
    await new Promise((resolve) => setTimeout(resolve, Number(values['after-seconds']) * 1000));
  const browser = await launchBrowser();
  try {
    const url = values.url ?? drill?.url ?? '';
    if (values.film === undefined) await shoot(browser, url, await pagesOf(url), values.to);
    else await film(browser, url, values.film);
  } finally {
    await browser.close();
    await drill?.stop();
  }
}
