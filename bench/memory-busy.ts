import { Queue, Worker } from 'bullmq';

/** Queues with real workers and a steady load, started by fork with the port of Redis. Half of them keep finished jobs. */
const QUEUES = 20;
const EVERY_MS = 500;
/** Jobs in each queue each time: 400 a second in all. */
const JOBS = 10;
const TYPES = 5;

const connection = { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null };
const queues = Array.from({ length: QUEUES }, (_, i) => new Queue(`busy-${i}`, { connection }));
for (const queue of queues) {
  const worker = new Worker(
    queue.name,
    async (job) => {
      await new Promise((resolve) => setTimeout(resolve, 20 + (Number(job.id) % 50)));
      if (Number(job.id) % 40 === 0) throw new Error('ETIMEDOUT');
      return { ok: true };
    },
    { connection, concurrency: 5 },
  );
  worker.on('error', (error) => console.error(error.message));
}
setInterval(() => {
  queues.forEach((queue, i) => {
    const keep = i % 2 === 0 ? true : { count: 500 };
    const jobs = Array.from({ length: JOBS }, (_, n) => ({
      name: `type-${n % TYPES}`,
      data: { pad: 'x'.repeat(200) },
      opts: { removeOnComplete: keep, removeOnFail: keep },
    }));
    queue.addBulk(jobs).catch((error: unknown) => console.error(String(error)));
  });
}, EVERY_MS);
process.on('disconnect', () => process.exit(0));
