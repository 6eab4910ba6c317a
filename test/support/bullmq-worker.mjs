// A worker of BullMQ 5 or 6 in a process of its own, as an application would run it. Started by bullmq-process.ts.
// Says each job that it starts and finishes on stdout, a JSON line each; ends when stdin does.
import { createRequire } from 'node:module';

const { version, port, queue, prefix, options, jobMs, jitterMs, batch } = JSON.parse(process.argv[2]);
// By import, file by file, it takes twice the CPU.
const { Worker } = createRequire(import.meta.url)(version === 5 ? 'bullmq-v5' : 'bullmq');

// A client that batches is one for the whole process, as an application would have it.
const client = batch
  ? (await import('../../dist/drills/children/services.js')).createBatchingClient(batch)
  : null;

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const worker = new Worker(
  queue,
  async (job) => {
    say({
      kind: 'start',
      jobId: job.id,
      name: job.name,
      atMs: Date.now(),
      takenAtMs: job.processedOn,
      stalls: job.stalledCounter,
    });
    const ms = (job.data?.ms ?? jobMs) + (jitterMs ?? 0) * (2 * Math.random() - 1);
    await (client ? client.send(job.data) : new Promise((resolve) => setTimeout(resolve, ms)));
    if (job.data?.fail) throw new Error(job.data.fail);
    return { ok: true };
  },
  {
    connection: { port, host: '127.0.0.1', maxRetriesPerRequest: null },
    ...(prefix ? { prefix } : {}),
    ...options,
  },
);
worker.on('error', () => say({ kind: 'error' }));
worker.on('completed', (job) => say({ kind: 'done', jobId: job.id }));
worker.on('failed', (job) => say({ kind: 'failed', jobId: job?.id }));
await worker.waitUntilReady();
say({ kind: 'ready' });
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
