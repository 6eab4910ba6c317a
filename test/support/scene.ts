import { Queue } from 'bullmq';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { type OwnRedis, type OwnRedisOptions, startRedis } from '../../drills/own-redis.js';
import { openWindows } from './browser-windows.js';
import { type RunningConsole, startConsole } from './console.js';
import { until } from './until.js';

/** A Redis of our own, the console on it as users run it, and a real browser. */
export interface Scene {
  readonly redis: OwnRedis;
  readonly console: RunningConsole;
  /** A queue, as the application would open it. */
  queue(name: string, prefix?: string): Queue;
  /** A page, open and in touch with the console. To be closed when it has been looked at: another test gets its window. */
  open(path: string, options?: OpenOptions): Promise<Page>;
  /** What any page has complained about so far: script errors, broken policies. */
  complaints(): readonly string[];
  stop(): Promise<void>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** Signs in first. */
  readonly token?: string;
}

interface SceneOptions {
  readonly redis?: OwnRedisOptions;
  readonly env?: Readonly<Record<string, string>>;
  /** What Redis holds when the console comes: queues that are there then need not be waited for until they are found. */
  readonly fill?: (empty: Pick<Scene, 'redis' | 'queue'>) => Promise<unknown>;
}

export const WIDE = { viewport: { width: 1440, height: 900 } } as const;
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

export async function startScene({ redis: limits, env, fill }: SceneOptions = {}): Promise<Scene> {
  // Gone with whatever else has been started, should one of them not start.
  const stops: (() => Promise<unknown>)[] = [];
  const queues: Queue[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.splice(0).map((end) => end()));
  };
  const started = <T>(thing: T, end: (thing: T) => Promise<unknown>): T => {
    stops.push(() => end(thing));
    return thing;
  };
  const startFilled = async () => {
    const redis = await startRedis(limits ?? { maxmemoryBytes: 256 * 1024 * 1024 });
    const queue = (name: string, prefix = 'bull'): Queue => {
      const opened = new Queue(name, {
        connection: { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null },
        prefix,
      });
      opened.on('error', () => undefined);
      queues.push(opened);
      return opened;
    };
    const scene: { console?: RunningConsole } = {};
    started(redis, async () => {
      await scene.console?.stop();
      await Promise.allSettled(queues.map((one) => one.close()));
      await redis.stop();
    });
    await fill?.({ redis, queue });
    scene.console = await startConsole({ redisUrl: redis.url, ...(env ? { env } : {}) });
    return { redis, queue, console: scene.console };
  };
  const [filled, windows] = await Promise.allSettled([
    startFilled(),
    openWindows().then((opened) => started(opened, () => opened.close())),
  ]);
  if (filled.status === 'rejected' || windows.status === 'rejected') {
    await stop();
    throw filled.status === 'rejected' ? filled.reason : (windows as PromiseRejectedResult).reason;
  }
  const { redis, queue, console } = filled.value;
  return {
    redis,
    console,
    queue,
    async open(path, { token, ...context } = {}) {
      const page = await windows.value.page({ ...WIDE, ...context });
      if (token !== undefined) {
        await page.goto(`${console.url}/sign-in`);
        await page.fill('#token', token);
        await page.click('button[type="submit"]');
        await page.waitForURL(`${console.url}/`);
      }
      await page.goto(`${console.url}${path}`);
      return page;
    },
    complaints: () => windows.value.complaints(),
    stop,
  };
}

/** Waits until the page is streamed to. */
export async function untilLive(page: Page): Promise<void> {
  await page.waitForSelector('[data-live-state="live"]');
}

/** Waits until the console has found a queue. */
export async function untilSeen(scene: Scene, queueId: string): Promise<void> {
  const path = `/api/v1/instances/default/queues/${encodeURIComponent(queueId)}`;
  await until(
    `the console sees ${queueId}`,
    async () => (await scene.console.ask('GET', path)).status === 200,
    { everyMs: 100 },
  );
}
