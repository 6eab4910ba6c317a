import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { anInstance, watching } from '../test/support/watching.js';

/** What runs beside the process that measures, each by itself: `node processes.js <which> …`, started by `startChild`. */
const PROCESSES: Readonly<Record<string, (...args: string[]) => Promise<void> | void>> = {
  'bull-board': serveBullBoard,
  busy: keepBusy,
  watch: watchRedis,
};

/** The peer, over the queues `queue-0` and on. */
async function serveBullBoard(redisPort: string, httpPort: string, queueCount: string): Promise<void> {
  const { createBullBoard } = await import('@bull-board/api');
  const { BullMQAdapter } = await import('@bull-board/api/bullMQAdapter');
  const { HonoAdapter } = await import('@bull-board/hono');
  const { serve } = await import('@hono/node-server');
  const { serveStatic } = await import('@hono/node-server/serve-static');
  const { Hono } = await import('hono');
  const connection = new Redis(Number(redisPort), '127.0.0.1', { maxRetriesPerRequest: null });
  const queues = Array.from(
    { length: Number(queueCount) },
    (_, i) => new BullMQAdapter(new Queue(`queue-${i}`, { connection, skipMetasUpdate: true })),
  );
  const adapter = new HonoAdapter(serveStatic);
  createBullBoard({ queues, serverAdapter: adapter });
  adapter.setBasePath('/board');
  const app = new Hono().route('/board', adapter.registerPlugin());
  serve({ fetch: app.fetch, port: Number(httpPort), hostname: '127.0.0.1' }, () => process.send?.('ready'));
}

/** 20 queues with real workers and a steady load of 400 jobs a second in all; half of them keep finished jobs. */
function keepBusy(redisPort: string): void {
  const connection = { host: '127.0.0.1', port: Number(redisPort), maxRetriesPerRequest: null };
  const queues = Array.from({ length: 20 }, (_, i) => new Queue(`busy-${i}`, { connection }));
  for (const { name } of queues) {
    const work = async ({ id }: { readonly id?: string }) => {
      await new Promise((resolve) => setTimeout(resolve, 20 + (Number(id) % 50)));
      if (Number(id) % 40 === 0) throw new Error('ETIMEDOUT');
      return { ok: true };
    };
    const worker = new Worker(name, work, { connection, concurrency: 5 });
    worker.on('error', (error) => console.error(error.message));
  }
  setInterval(() => {
    queues.forEach((queue, i) => {
      const keep = i % 2 === 0 ? true : { count: 500 };
      const jobs = Array.from({ length: 10 }, (_, n) => ({
        name: `type-${n % 5}`,
        data: { pad: 'x'.repeat(200) },
        opts: { removeOnComplete: keep, removeOnFail: keep },
      }));
      queue.addBulk(jobs).catch((error: unknown) => console.error(String(error)));
    });
  }, 500);
}

/** What `watch` reports at each tick. */
export interface WatchSays {
  /** Since the watch was started. */
  readonly atMs: number;
  readonly queuesToSample: number | null;
  /** Id and bytes of each queue that was sampled. */
  readonly queues: readonly (readonly [string, number])[];
  /** What the console takes its own cost for, 0..1 of a core. */
  readonly ownCpuRatio: number;
}

/** The console's watch of one Redis, without the console. */
function watchRedis(redisUrl: string): void {
  const startedAtMs = Date.now();
  const { watch } = watching(anInstance(redisUrl, { pollIntervalMs: 1_000, cpuBudgetRatio: 0.01 }));
  watch.onTick(() => {
    const snapshot = watch.snapshot('default');
    if (!snapshot) return;
    process.send?.({
      atMs: Date.now() - startedAtMs,
      queuesToSample: snapshot.nodes[0]?.memory?.queuesToSample ?? null,
      queues: snapshot.queues.flatMap(({ id, memory }) => (memory ? [[id, memory.totalBytes] as const] : [])),
      ownCpuRatio: snapshot.poll.ownCpuRatio,
    } satisfies WatchSays);
  });
}

process.on('disconnect', () => process.exit(0));
const [which = '', ...args] = process.argv.slice(2);
await PROCESSES[which]?.(...args);
