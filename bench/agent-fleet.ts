import { hostname } from 'node:os';
import { type Job, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Agent } from '../agent/agent.js';
import { AttachedWorker } from '../agent/attached-worker.js';
import { Containment } from '../agent/contain.js';
import { attach } from '../agent/index.js';
import { checkOptions } from '../agent/options.js';
import { isRedisShape } from '../agent/redis-shape.js';

/** A process of workers under measurement. Started by fork with its plan as JSON; answers by IPC. */
export interface FleetPlan {
  readonly port: number;
  readonly queue: string;
  readonly workers: number;
  readonly concurrency: number;
  /** `none`; `shared`: as an application attaches; `apart`: an agent with connections of its own for each worker, as if each were a process. */
  readonly agent: 'none' | 'shared' | 'apart';
}

export type FleetAsks = { readonly ask: 'count' } | { readonly ask: 'await'; readonly running: number };
/** `done`: jobs completed so far. `atMs`: when each worker came to run that many at once; null: not yet. */
export interface FleetSays {
  readonly done: number;
  readonly atMs: readonly (number | null)[];
}

const plan = JSON.parse(process.argv[2] ?? '{}') as FleetPlan;
let done = 0;
let wanted = Number.POSITIVE_INFINITY;
const running: number[] = Array.from({ length: plan.workers }, () => 0);
let reachedAtMs: (number | null)[] = running.map(() => null);

const workers = running.map((_, i) => {
  const worker = new Worker(plan.queue, (job: Job) => work(i, job.data as { ms?: number }), {
    connection: { host: '127.0.0.1', port: plan.port, maxRetriesPerRequest: null },
    concurrency: plan.concurrency,
  });
  worker.on('error', () => undefined);
  return worker;
});

async function work(i: number, { ms = 0 }: { ms?: number }): Promise<void> {
  running[i] = (running[i] ?? 0) + 1;
  if (running[i] >= wanted) reachedAtMs[i] ??= Date.now();
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  running[i] -= 1;
  done += 1;
}

await Promise.all(workers.map((worker) => worker.waitUntilReady()));
for (const [i, worker] of workers.entries()) {
  if (plan.agent === 'shared') attach(worker, { name: `worker-${process.pid}-${i}` });
  if (plan.agent === 'apart') attachApart(worker);
}

/** What attach does, with an agent that it shares with no other worker of this process. */
function attachApart(worker: Worker): void {
  const client: unknown = new Redis({ host: '127.0.0.1', port: plan.port, lazyConnect: true });
  if (!isRedisShape(client)) throw new Error('ioredis has changed its shape');
  const report = (problem: string): void => console.error(problem);
  const { checked } = checkOptions({}, undefined, report);
  const agent = new Agent(client);
  const events = { onBlocked: () => agent.blocked(), onClosed: () => undefined };
  agent.add(new AttachedWorker(worker, checked, hostname(), new Containment(report), events));
}

process.on('message', (asked: FleetAsks) => {
  if (asked.ask === 'await') {
    wanted = asked.running;
    reachedAtMs = running.map((now) => (now >= wanted ? Date.now() : null));
  }
  process.send?.({ done, atMs: reachedAtMs } satisfies FleetSays);
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
