import { hostname } from 'node:os';
import { Queue } from 'bullmq';
import { Api } from '../drills/api.js';
import type { JobData } from '../drills/children/worker.js';
import { SHORT_LOCKS } from '../drills/overloaded-layer-world.js';
import { MB } from '../drills/own-redis.js';
import { sleep, waitFor } from '../drills/wait-for.js';
import { type Player, startWorld, type World } from '../drills/world.js';
import { cost, type Row } from './row.js';
import { during } from './world.js';

/** Applications on a good day: whatever the console finds wrong with them is false. */

const LOOK_EVERY_MS = 500;
const DEPLOY_PAUSE_MS = 5_000;

interface Load {
  readonly queue: string;
  readonly type: string;
  readonly runMs: number;
  /** Jobs at once, and how often; each gap differs from this by up to `jitterRatio` of it. */
  readonly size: number;
  readonly everyMs: number;
  readonly jitterRatio?: number;
  readonly failRatio?: number;
  readonly isBatched?: boolean;
  readonly keeps?: number;
}

/** What a healthy application does all day. */
const EVERYDAY_LOADS: readonly Load[] = [
  { queue: 'mail', type: 'welcome', runMs: 40, size: 3, everyMs: 300, jitterRatio: 0.5, failRatio: 0.02 },
  { queue: 'mail', type: 'digest', runMs: 400, size: 1, everyMs: 1_500, jitterRatio: 0.9 },
  { queue: 'mail', type: 'receipt', runMs: 60, size: 1, everyMs: 4_000, jitterRatio: 0.9 },
  { queue: 'bursts', type: 'resize', runMs: 50, size: 250, everyMs: 20_000 },
  { queue: 'long', type: 'export', runMs: 4_000, size: 1, everyMs: 1_500, jitterRatio: 0.5 },
  { queue: 'cron', type: 'each-5-s', runMs: 20, size: 1, everyMs: 5_000 },
  { queue: 'cron', type: 'each-15-s', runMs: 300, size: 1, everyMs: 15_000 },
  { queue: 'cron', type: 'now-and-then', runMs: 100, size: 1, everyMs: 9_000, jitterRatio: 0.9 },
  { queue: 'track', type: 'page-view', runMs: 0, size: 1, everyMs: 700, jitterRatio: 0.9, isBatched: true },
  { queue: 'webhooks', type: 'call', runMs: 150, size: 4, everyMs: 500, failRatio: 0.02, keeps: 500 },
  { queue: 'webhooks', type: 'retry', runMs: 250, size: 1, everyMs: 7_000, jitterRatio: 0.9, keeps: 500 },
  { queue: 'imports', type: 'row', runMs: 30, size: 120, everyMs: 15_000, keeps: 200 },
];

/** Two processes that work on several queues each, and two without the agent: queues, and slots of each. */
const APPLICATION = [
  ...['app-1', 'app-2'].map((name) => ({
    name,
    isBare: false,
    slots: { mail: 8, bursts: 5, long: 8, cron: 3, track: 30 },
  })),
  ...['bare-1', 'bare-2'].map((name) => ({ name, isBare: true, slots: { webhooks: 6, imports: 4 } })),
];

/** Quick ones all the time, long ones, bursts with lulls, and a queue in which hardly anything happens. */
const STEADY_LOADS: readonly (Load & { readonly workers: number; readonly concurrency: number })[] = [
  { queue: 'quick', type: 'job', workers: 4, concurrency: 10, runMs: 20, size: 10, everyMs: 100 },
  { queue: 'long', type: 'job', workers: 4, concurrency: 5, runMs: 8_000, size: 1, everyMs: 700 },
  { queue: 'bursts', type: 'job', workers: 3, concurrency: 5, runMs: 50, size: 250, everyMs: 20_000 },
  { queue: 'rare', type: 'job', workers: 2, concurrency: 2, runMs: 300, size: 1, everyMs: 9_000 },
];

/** Healthy, noisy load for some minutes: every verdict but healthy, and every finding about a worker, is false. */
export async function steadyRow(minutes: number): Promise<Row> {
  const alarms = new Alarms();
  let looked = 0;
  await inWorld(STEADY_LOADS, async ({ world, api, begin }) => {
    for (const { queue, workers, concurrency, runMs } of STEADY_LOADS)
      for (let i = 0; i < workers; i++) {
        const name = `${queue}-${i}`;
        const work = { queue, name, concurrency, options: SHORT_LOCKS, runMs };
        await world.work(name, { labels: { layer: queue, host: hostname() }, works: [work] });
      }
    await begin(STEADY_LOADS.reduce((sum, { workers }) => sum + workers, 0));
    await lookFor(minutes, async () => {
      for (const { name, outlier, verdict } of (await api.workers()).workers) {
        looked += 1;
        if (outlier || verdict !== 'healthy') alarms.add(`${name} ${outlier ? 'outlier' : verdict}`);
      }
      for (const { code } of await api.findings())
        if (code.startsWith('worker.') || code.startsWith('queue.')) alarms.add(code);
    });
  });
  return cost(
    'steady.false-verdicts',
    `false verdicts and findings in ${minutes} min of healthy mixed load, ${STEADY_LOADS.length} queues, 13 workers, asked twice a second`,
    'false',
    alarms.times,
    { limit: 0, detail: [`${looked} verdicts`, ...alarms.inWords()].join(', ') },
  );
}

/** An application on a good day, with an import at a third of the time and a deploy at two thirds: every finding of severity warning or critical is false. */
export async function everydayRow(minutes: number): Promise<Row> {
  const alarms = new Alarms();
  let looks = 0;
  await inWorld(EVERYDAY_LOADS, async ({ world, api, queues, begin, isOver }) => {
    const start = ({ name, isBare, slots }: (typeof APPLICATION)[number]): Promise<Player> =>
      world.work(name, {
        isBare,
        labels: { host: hostname() },
        batch: { size: 20, waitMs: 2_000 },
        // Longer than any job takes: a deploy that cuts jobs off is a crash.
        closeWithinMs: 5_500,
        works: Object.entries(slots).map(([queue, concurrency]) => ({
          queue,
          name: `${name}-${queue}`,
          concurrency,
        })),
      });
    const players: Player[] = [];
    for (const plan of APPLICATION) players.push(await start(plan));
    await begin(
      APPLICATION.reduce((sum, plan) => sum + (plan.isBare ? 0 : Object.keys(plan.slots).length), 0),
    );
    const day = (async () => {
      await sleep((minutes * 60_000) / 3);
      if (isOver()) return;
      const job = { name: 'old-rows', data: { runMs: 60 }, opts: { removeOnComplete: true } };
      await queues.get('imports')?.addBulk(Array.from({ length: 800 }, () => job));
      await sleep((minutes * 60_000) / 3);
      if (isOver()) return;
      await Promise.all(players.map((player) => player.stop()));
      await sleep(DEPLOY_PAUSE_MS);
      await Promise.all(APPLICATION.map(start));
    })();
    await lookFor(minutes, async () => {
      looks += 1;
      for (const { severity, key, headline, cause } of await api.findings())
        if (severity !== 'info') alarms.add(key, `${headline}: ${cause}`);
    });
    await day;
  });
  return cost(
    'everyday.false-alarms',
    `false alarms in ${minutes} min of a healthy application: ${EVERYDAY_LOADS.length} job types, several queues a process, bursts, cron, batches, 2% failures`,
    'false',
    alarms.kinds,
    { limit: 0, detail: [`${looks} looks`, ...alarms.inWords()].join(', ') },
  );
}

/** What is wrongly said of a healthy application, each with how often; the first of each is printed at once. */
class Alarms {
  readonly #times = new Map<string, number>();

  add(what: string, sentence = ''): void {
    if (!this.#times.has(what)) console.error(`${new Date().toISOString()} ${what}: ${sentence}`);
    this.#times.set(what, (this.#times.get(what) ?? 0) + 1);
  }

  get kinds(): number {
    return this.#times.size;
  }

  get times(): number {
    return [...this.#times.values()].reduce((sum, times) => sum + times, 0);
  }

  inWords(): readonly string[] {
    return [...this.#times].map(([what, times]) => `${what} ${times} times`);
  }
}

interface Scene {
  readonly world: World;
  readonly api: Api;
  readonly queues: ReadonlyMap<string, Queue>;
  /** Begins the load, and waits until the console hears so many agents. */
  readonly begin: (agents: number) => Promise<void>;
  readonly isOver: () => boolean;
}

/** A world with a console, whose queues are given this load when its workers are there. */
async function inWorld(loads: readonly Load[], use: (scene: Scene) => Promise<void>): Promise<void> {
  const onAccident = (text: string): void => console.error(text);
  await during(startWorld(512 * MB, false, onAccident), async (world) => {
    const api = new Api(await world.serveConsole(3000));
    const connection = { host: '127.0.0.1', port: world.redis.port };
    const names = new Set(loads.map(({ queue }) => queue));
    const queues = new Map([...names].map((name) => [name, new Queue(name, { connection })]));
    for (const queue of queues.values()) queue.on('error', () => undefined);
    const over = new AbortController();
    const begin = async (agents: number): Promise<void> => {
      for (const load of loads) produce(load, queues.get(load.queue), over.signal);
      await waitFor(async () => (await api.workers()).summary.withAgent === agents, 20_000);
    };
    try {
      await use({ world, api, queues, begin, isOver: () => over.signal.aborted });
    } finally {
      over.abort();
      await Promise.all([...queues.values()].map((queue) => queue.close().catch(() => undefined)));
    }
  });
}

async function lookFor(minutes: number, look: () => Promise<void>): Promise<void> {
  const untilMs = Date.now() + minutes * 60_000;
  while (Date.now() < untilMs) {
    await look();
    await sleep(LOOK_EVERY_MS);
  }
}

function produce(load: Load, queue: Queue | undefined, over: AbortSignal): void {
  const { type, runMs, size, everyMs, jitterRatio = 0, failRatio = 0, keeps } = load;
  let made = 0;
  const add = (): void => {
    if (over.aborted) return;
    const jobs = Array.from({ length: size }, () => {
      made += 1;
      const data: JobData = {
        runMs,
        // Constant, as of a service that is away for a moment now and then.
        fails: failRatio > 0 && made % Math.round(1 / failRatio) === 0,
        isBatched: load.isBatched ?? false,
      };
      const removeOnComplete = keeps === undefined ? true : { count: keeps };
      return { name: type, data, opts: { removeOnComplete, removeOnFail: { count: 200 } } };
    });
    void queue?.addBulk(jobs).catch(() => undefined);
    setTimeout(add, everyMs * (1 + jitterRatio * (2 * Math.random() - 1))).unref();
  };
  add();
}
