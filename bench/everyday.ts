import { Queue } from 'bullmq';
import { type Api, type ApiFinding, createApi } from '../drills/api.js';
import type { EverydayJob, EverydayWorkerPlan } from '../drills/children/everyday-worker.js';
import { pause, waitFor } from '../drills/wait-for.js';
import { createWorld, type Player, portFrom } from '../drills/world.js';
import type { Row } from './row.js';

const MB = 1024 * 1024;
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
const LOADS: readonly Load[] = [
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

/** Two processes that work on several queues each, and two without the agent. */
const WORKERS: readonly Omit<EverydayWorkerPlan, 'redisPort'>[] = [
  ...['app-1', 'app-2'].map((name) => ({
    name,
    hasAgent: true,
    queues: [
      { queue: 'mail', concurrency: 8 },
      { queue: 'bursts', concurrency: 5 },
      { queue: 'long', concurrency: 8 },
      { queue: 'cron', concurrency: 3 },
      { queue: 'track', concurrency: 30 },
    ],
  })),
  ...['bare-1', 'bare-2'].map((name) => ({
    name,
    hasAgent: false,
    queues: [
      { queue: 'webhooks', concurrency: 6 },
      { queue: 'imports', concurrency: 4 },
    ],
  })),
];

/** What is wrongly said of a healthy application: each code and queue with how often, and the sentence. */
export interface FalseAlarm {
  readonly what: string;
  readonly times: number;
  readonly firstAfterSeconds: number;
  readonly finding: ApiFinding;
}

/** An application on a good day, watched for some minutes: every finding of severity warning or critical is false. */
export async function watchEveryday(
  minutes: number,
): Promise<{ readonly looks: number; readonly alarms: readonly FalseAlarm[] }> {
  const world = await createWorld({ maxmemoryBytes: 512 * MB, onAccident: (text) => console.error(text) });
  const stopped = new AbortController();
  const queues = new Map<string, Queue>();
  try {
    const api = createApi(await world.serveConsole(await portFrom(3000)));
    const start = (plan: (typeof WORKERS)[number]): Promise<Player> =>
      world.play('everyday-worker', plan.name, { ...plan, redisPort: world.redis.port });
    const players: Player[] = [];
    for (const plan of WORKERS) players.push(await start(plan));
    for (const { queue } of LOADS) {
      if (queues.has(queue)) continue;
      const opened = new Queue(queue, { connection: { host: '127.0.0.1', port: world.redis.port } });
      opened.on('error', () => undefined);
      queues.set(queue, opened);
    }
    for (const load of LOADS) produce(load, queues.get(load.queue), stopped.signal);
    const attached = WORKERS.filter(({ hasAgent }) => hasAgent).reduce(
      (sum, plan) => sum + plan.queues.length,
      0,
    );
    await waitFor(async () => (await api.workers()).summary.withAgent === attached, 20_000);
    const durationMs = minutes * 60_000;
    const happenings = happen(
      durationMs,
      stopped.signal,
      async () => {
        await Promise.all(players.map((player) => player.stop()));
        await pause(DEPLOY_PAUSE_MS);
        await Promise.all(WORKERS.map(start));
      },
      async () => {
        const data: EverydayJob = { runMs: 60 };
        const job = { name: 'old-rows', data, opts: { removeOnComplete: true } };
        await queues.get('imports')?.addBulk(Array.from({ length: 800 }, () => job));
      },
    );
    const seen = await lookOn(api, durationMs);
    await happenings;
    return seen;
  } finally {
    stopped.abort();
    await Promise.all([...queues.values()].map((queue) => queue.close().catch(() => undefined)));
    await world.stop();
  }
}

/** An import at a third of the time, a deploy at two thirds: both belong to a good day. */
async function happen(
  durationMs: number,
  stopped: AbortSignal,
  deploy: () => Promise<void>,
  importOnce: () => Promise<void>,
): Promise<void> {
  for (const one of [importOnce, deploy]) {
    await pause(durationMs / 3);
    if (stopped.aborted) return;
    await one();
  }
}

function produce(load: Load, queue: Queue | undefined, stopped: AbortSignal): void {
  const { type, runMs, size, everyMs, jitterRatio = 0, failRatio = 0, keeps } = load;
  let made = 0;
  const add = (): void => {
    if (stopped.aborted) return;
    const jobs = Array.from({ length: size }, () => {
      made += 1;
      const data: EverydayJob = {
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

async function lookOn(api: Api, durationMs: number) {
  const alarms = new Map<string, { times: number; firstAfterSeconds: number; finding: ApiFinding }>();
  const fromMs = Date.now();
  let looks = 0;
  while (Date.now() - fromMs < durationMs) {
    looks += 1;
    for (const finding of await api.findings()) {
      if (finding.severity === 'info') continue;
      const known = alarms.get(finding.key);
      if (known) known.times += 1;
      else
        alarms.set(finding.key, {
          times: 1,
          firstAfterSeconds: Math.round((Date.now() - fromMs) / 1000),
          finding,
        });
    }
    await pause(LOOK_EVERY_MS);
  }
  return { looks, alarms: [...alarms].map(([what, alarm]) => ({ what, ...alarm })) };
}

/** The same as a line of the report. */
export async function everydayRow(minutes: number): Promise<Row> {
  const { looks, alarms } = await watchEveryday(minutes);
  for (const { what, times, firstAfterSeconds, finding } of alarms)
    console.error(`${what}, ${times} times, first after ${firstAfterSeconds} s: ${finding.sentence}`);
  return {
    id: 'everyday.false-alarms',
    what: `false alarms in ${minutes} min of a healthy application: ${LOADS.length} job types, several queues a process, bursts, cron, batches, 2% failures`,
    kind: 'cost',
    unit: 'false',
    value: alarms.length,
    limit: 0,
    detail: [`${looks} looks`, ...alarms.map(({ what }) => what)].join(', '),
  };
}
