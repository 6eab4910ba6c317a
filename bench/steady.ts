import { Queue } from 'bullmq';
import { createApi } from '../drills/api.js';
import type { LayerWorkerPlan } from '../drills/children/layer-worker.js';
import { pause, waitFor } from '../drills/wait-for.js';
import { createWorld, portFrom } from '../drills/world.js';
import type { Row } from './row.js';

const MB = 1024 * 1024;

interface Load {
  readonly queue: string;
  readonly workers: number;
  readonly concurrency: number;
  readonly jobMs: number;
  /** Jobs at once, and how often. */
  readonly size: number;
  readonly everyMs: number;
}

/** Quick ones all the time, long ones, bursts with lulls, and a queue in which hardly anything happens. */
const LOADS: readonly Load[] = [
  { queue: 'quick', workers: 4, concurrency: 10, jobMs: 20, size: 10, everyMs: 100 },
  { queue: 'long', workers: 4, concurrency: 5, jobMs: 8_000, size: 1, everyMs: 700 },
  { queue: 'bursts', workers: 3, concurrency: 5, jobMs: 50, size: 250, everyMs: 20_000 },
  { queue: 'rare', workers: 2, concurrency: 2, jobMs: 300, size: 1, everyMs: 9_000 },
];

/** Healthy, noisy load for some minutes: every verdict but healthy, and every finding about a worker, is false. */
export async function steadyRow(minutes: number): Promise<Row> {
  const world = await createWorld({ maxmemoryBytes: 512 * MB, onAccident: (text) => console.error(text) });
  const timers: NodeJS.Timeout[] = [];
  const queues: Queue[] = [];
  const wrong = new Map<string, number>();
  let looked = 0;
  try {
    const api = createApi(await world.serveConsole(await portFrom(3000)));
    for (const load of LOADS) {
      for (let i = 0; i < load.workers; i++) {
        const { queue, concurrency, jobMs } = load;
        const name = `${queue}-${i}`;
        const plan: LayerWorkerPlan = { redisPort: world.redis.port, queue, name, concurrency, jobMs };
        await world.play('layer-worker', name, plan);
      }
      const queue = new Queue(load.queue, { connection: { host: '127.0.0.1', port: world.redis.port } });
      queues.push(queue);
      const add = () =>
        void queue.addBulk(
          Array.from({ length: load.size }, () => ({
            name: 'job',
            data: {},
            opts: { removeOnComplete: true },
          })),
        );
      timers.push(setInterval(add, load.everyMs));
    }
    const workers = LOADS.reduce((sum, load) => sum + load.workers, 0);
    await waitFor(async () => (await api.workers()).summary.withAgent === workers, 20_000);
    const untilMs = Date.now() + minutes * 60_000;
    while (Date.now() < untilMs) {
      for (const worker of (await api.workers()).workers) {
        looked += 1;
        const said = worker.outlier ? 'outlier' : worker.verdict;
        if (said !== 'healthy')
          wrong.set(`${worker.name} ${said}`, (wrong.get(`${worker.name} ${said}`) ?? 0) + 1);
      }
      for (const { code } of await api.findings())
        if (code.startsWith('worker.') || code.startsWith('queue.'))
          wrong.set(code, (wrong.get(code) ?? 0) + 1);
      await pause(500);
    }
  } finally {
    for (const timer of timers) clearInterval(timer);
    await Promise.all(queues.map((queue) => queue.close().catch(() => undefined)));
    await world.stop();
  }
  const told = [...wrong].map(([what, times]) => `${what} ${times} times`).join(', ');
  return {
    id: 'steady.false-verdicts',
    what: `false verdicts and findings in ${minutes} min of healthy mixed load, ${LOADS.length} queues, 13 workers, asked twice a second`,
    kind: 'cost',
    unit: 'false',
    value: [...wrong.values()].reduce((sum, times) => sum + times, 0),
    limit: 0,
    detail: `${looked} verdicts${told && `: ${told}`}`,
  };
}
