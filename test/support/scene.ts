import { Queue } from 'bullmq';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type OwnRedis, type OwnRedisOptions, startRedis } from '../../drills/own-redis.js';
import { collectComplaints, launchBrowser } from './browser.js';
import { type RunningConsole, startConsole } from './console.js';
import { until } from './until.js';

/** A Redis of our own, the console on it as users run it, and a real browser. */
export interface Scene {
  readonly redis: OwnRedis;
  readonly console: RunningConsole;
  /** A queue, as the application would open it. */
  queue(name: string, prefix?: string): Queue;
  /** A page, open and in touch with the console. */
  open(path: string, options?: OpenOptions): Promise<Page>;
  /** What any page has complained about so far: script errors, broken policies. */
  complaints(): readonly string[];
  stop(): Promise<void>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** Signs in first. */
  readonly token?: string;
}

export const WIDE = { viewport: { width: 1440, height: 900 } } as const;
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

export async function startScene(
  options: { readonly redis?: OwnRedisOptions; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Scene> {
  const redis = await startRedis(options.redis ?? { maxmemoryBytes: 256 * 1024 * 1024 });
  const started: { browser?: Browser; console?: RunningConsole } = {};
  const queues: Queue[] = [];
  const complaints: (readonly string[])[] = [];
  try {
    started.console = await startConsole({
      redisUrl: redis.url,
      ...(options.env ? { env: options.env } : {}),
    });
    started.browser = await launchBrowser();
  } catch (error) {
    await started.console?.stop();
    await redis.stop();
    throw error;
  }
  const { browser, console } = { browser: started.browser, console: started.console };
  return {
    redis,
    console,
    queue(name, prefix = 'bull') {
      const queue = new Queue(name, {
        connection: { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null },
        prefix,
      });
      queue.on('error', () => undefined);
      queues.push(queue);
      return queue;
    },
    async open(path, { token, ...context } = {}) {
      const page = await (await browser.newContext({ ...WIDE, ...context })).newPage();
      page.setDefaultTimeout(20_000);
      complaints.push(collectComplaints(page));
      if (token !== undefined) {
        await page.goto(`${console.url}/sign-in`);
        await page.fill('#token', token);
        await page.click('button[type="submit"]');
        await page.waitForURL(`${console.url}/`);
      }
      await page.goto(`${console.url}${path}`);
      return page;
    },
    complaints: () => complaints.flat(),
    async stop() {
      await browser.close();
      await console.stop();
      await Promise.allSettled(queues.map((queue) => queue.close()));
      await redis.stop();
    },
  };
}

/** Waits until the page is streamed to. */
export async function untilLive(page: Page): Promise<void> {
  await page.waitForSelector('[data-live-state="live"]', { timeout: 20_000 });
}

/** Waits until the console has found a queue. */
export async function untilSeen(scene: Scene, queueId: string): Promise<void> {
  const path = `/api/v1/instances/default/queues/${encodeURIComponent(queueId)}`;
  await until(
    `the console sees ${queueId}`,
    async () => (await scene.console.ask('GET', path)).status === 200,
    { withinMs: 20_000, everyMs: 100 },
  );
}
