import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
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
Every page, wide, dark and at 390 px, of a running console or of a drill that is started for it (full-redis).`;

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
  const of = (name: string, path: string): Shown => ({ name, path });
  return [
    of('overview', '/'),
    of('queues', '/queues'),
    of('replays', '/replays'),
    of('workers', '/workers'),
    of('alerts', '/alerts'),
    of('channels', '/channels'),
    of('timeline', '/timeline'),
    of('incidents', '/incidents'),
    of('audit', '/audit'),
    of('redis', `/i/${instance}`),
    of('memory', `/i/${instance}/memory`),
    of('find', '/find?q=an'),
    of('docs', '/docs'),
    ...(queues[0] ? [of('queue', queue)] : []),
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

const { values } = parseArgs({
  options: {
    to: { type: 'string', default: 'screenshots' },
    url: { type: 'string' },
    drill: { type: 'string', default: 'full-redis' },
    'after-seconds': { type: 'string', default: '45' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) console.log(HELP);
else {
  await mkdir(values.to, { recursive: true });
  const drill = values.url === undefined ? await startDrill(values.drill) : null;
  // The incident is to be in full course.
  if (drill) await new Promise((resolve) => setTimeout(resolve, Number(values['after-seconds']) * 1000));
  const browser = await launchBrowser();
  try {
    const url = values.url ?? drill?.url ?? '';
    await shoot(browser, url, await pagesOf(url), values.to);
  } finally {
    await browser.close();
    await drill?.stop();
  }
}
