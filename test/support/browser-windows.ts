import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser } from '../../drills/browser.js';

/** What a page complained about: script errors, refused resources, broken policies. */
function collectComplaints(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  return complaints;
}

/** Windows that are used again: a new one takes a browser most of a second, on a machine that is busy longer. */
interface BrowserWindows {
  /** A page that knows of no other: no cookies, nothing stored. Closed, it is kept for whoever asks for its like. */
  page(options: BrowserContextOptions): Promise<Page>;
  /** What any page has complained about so far. */
  complaints(): readonly string[];
  close(): Promise<void>;
}

const WAITS_AT_MOST_MS = 40_000;

/** Of all files that this process runs, one after the other: it ends with the process. */
let launched: Promise<Browser> | null = null;

async function theBrowser(): Promise<Browser> {
  launched ??= launchBrowser();
  const browser = await launched;
  if (browser.isConnected()) return browser;
  launched = null;
  return theBrowser();
}

export async function openWindows(): Promise<BrowserWindows> {
  const browser = await theBrowser();
  const contexts: BrowserContext[] = [];
  const complaints: (readonly string[])[] = [];
  const idle = new Map<string, Page[]>();
  const open = async (options: BrowserContextOptions, whenClosed: Page[]): Promise<Page> => {
    const context = await browser.newContext(options);
    contexts.push(context);
    const page = await context.newPage();
    complaints.push(collectComplaints(page));
    page.close = async () => {
      await clean(page);
      whenClosed.push(page);
    };
    return page;
  };
  return {
    async page(options) {
      const like = JSON.stringify(options);
      const kept = idle.get(like) ?? [];
      idle.set(like, kept);
      const page = kept.pop() ?? (await open(options, kept));
      page.setDefaultTimeout(WAITS_AT_MOST_MS);
      await page.emulateMedia({ colorScheme: options.colorScheme ?? 'light' });
      return page;
    },
    complaints: () => complaints.flat(),
    close: async () => {
      await Promise.all(contexts.map((context) => context.close()));
    },
  };
}

async function clean(page: Page): Promise<void> {
  await page.context().setOffline(false);
  await page.context().clearCookies();
  await page.evaluate('localStorage.clear(), sessionStorage.clear()');
  // Ends its stream too. A picture of the same site: for any other the browser would start a process, and one more for
  // the next page.
  const calm = new URL('/static/favicon-calm.svg', page.url()).href;
  await page.goto(calm, { waitUntil: 'commit' });
}
