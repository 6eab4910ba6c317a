import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type BatchWaitInput, judgeBatchWait } from '../../server/watch/batch-wait/verdict.js';
import { startWorker, type WorkerOptions, type WorkerProcess } from '../support/bullmq-process.js';
import { until } from '../support/until.js';

const WAIT_MS = 1_500;
const SLOTS = 5;
const BATCH = { size: 20, waitMs: WAIT_MS };

let redis: OwnRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** Two worker processes of `slots` with a backlog; what Redis holds of the jobs once `count` have completed. */
async function finishedRuns(
  queue: string,
  work: Pick<WorkerOptions, 'jobMs' | 'jitterMs' | 'batch'>,
  count: number,
  slots = SLOTS,
): Promise<BatchWaitInput> {
  const names = ['worker-a', 'worker-b'];
  const jobs = new Queue(queue, {
    connection: { host: '127.0.0.1', port: redis.port },
    skipMetasUpdate: true,
  });
  const workers: WorkerProcess[] = [];
  try {
    await jobs.addBulk(Array.from({ length: 400 }, (_, i) => ({ name: 'track', data: { i } })));
    workers.push(
      ...(await Promise.all(
        names.map((name) =>
          startWorker({
            version: 6,
            port: redis.port,
            queue,
            ...work,
            options: { name, concurrency: slots },
          }),
        ),
      )),
    );
    await until(`${count} jobs completed`, async () => (await jobs.getCompletedCount()) >= count);
    const completed = await jobs.getCompleted(0, -1);
    return {
      runs: completed.map((job) => ({
        startedAtMs: job.processedOn ?? Number.NaN,
        endedAtMs: job.finishedOn ?? Number.NaN,
        failed: false,
        process: job.processedBy ?? null,
      })),
      slotsByProcess: new Map(names.map((name) => [name, slots])),
      isRateLimited: false,
      skippedRuns: 0,
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await jobs.close();
  }
}

// Each on a queue of its own, side by side.
describe.concurrent('real workers whose jobs', () => {
  it('wait for a client that batches are found out within a few batches', async () => {
    const found = judgeBatchWait(await finishedRuns('batching', { batch: BATCH }, 40));
    console.info('real batching workers', JSON.stringify(found));
    expect(found?.flushTimeoutMs).toBeGreaterThan(WAIT_MS * 0.95);
    expect(found?.flushTimeoutMs).toBeLessThan(WAIT_MS * 1.1);
    expect(found).toMatchObject({ batchSize: null, batchSizeAtLeast: SLOTS + 1, isStarved: true });
    expect(found?.evidence).toMatchObject({ processes: 2, medianBurstSize: SLOTS });
  });

  it('sleep for about as long are not taken for it', async () => {
    const input = await finishedRuns('sleeping', { jobMs: WAIT_MS, jitterMs: 60 }, 40);
    expect(input.runs.length).toBeGreaterThanOrEqual(40);
    expect(judgeBatchWait(input)).toBeNull();
  });

  it('fill their batches, having slots enough, do not wait', async () => {
    const input = await finishedRuns('filling', { batch: BATCH }, 400, BATCH.size);
    expect(judgeBatchWait(input)).toBeNull();
  });
});
