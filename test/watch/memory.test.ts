import type { Queue, Worker } from 'bullmq';
import { describe, expect } from 'vitest';
import type { NodeMemory, QueueMemory } from '../../server/model/memory.js';
import { heldBytes, settleHashes } from '../support/held-bytes.js';
import { it, type RedisWorld } from '../support/redis-test.js';
import { seededRandom } from '../support/seeded-random.js';
import { until } from '../support/until.js';
import { anInstance, watching } from '../support/watching.js';

/** Sizes over two orders of magnitude, each as likely as the other. */
async function addMixed(queue: Queue, jobs: number, random: () => number): Promise<void> {
  for (let from = 0; from < jobs; from += 1_000) {
    await queue.addBulk(
      Array.from({ length: Math.min(1_000, jobs - from) }, (_, i) => {
        const length = Math.round(100 * 100 ** random());
        return { name: (from + i) % 5 === 0 ? 'report' : 'track', data: { pad: 'x'.repeat(length) } };
      }),
    );
  }
}

/** A watcher of that Redis, and what it knows. */
function start({ redis, endLater }: RedisWorld, cpuBudgetRatio = 0.5) {
  const { watch } = watching(anInstance(redis.url, { cpuBudgetRatio }));
  endLater(() => watch.stop());
  return {
    memoryOf: (id: string): QueueMemory | null =>
      watch.snapshot('default')?.queues.find((queue) => queue.id === id)?.memory ?? null,
    nodeMemory: (): NodeMemory | null => watch.snapshot('default')?.nodes[0]?.memory ?? null,
  };
}

/** An error is two deviations: one that is said to be 5% is more than that once in twenty times. */
const WELL_KNOWN_RATIO = 0.037;

describe.concurrent('where the memory is', () => {
  it('knows what each queue with 1% of memory or more holds to within 5%, with sizes over two orders of magnitude', async ({
    world,
  }) => {
    const { redis, aQueue } = world;
    const random = seededRandom(7).uniform;
    const sizes = [12_000, 4_000, 1_500, 400];
    for (const [i, jobs] of sizes.entries()) await addMixed(aQueue(`mixed-${i}`), jobs, random);
    for (const [i] of sizes.entries()) await settleHashes(redis, `bull:mixed-${i}`);
    const { memoryOf } = start(world, 0.05);
    for (const [i] of sizes.entries()) {
      const truth = await heldBytes(redis, `bull:mixed-${i}`);
      const seen = await until(
        `mixed-${i} is known well`,
        () => {
          const memory = memoryOf(`bull:mixed-${i}`);
          return memory && memory.totalBytes > 0 && memory.errorBytes < WELL_KNOWN_RATIO * memory.totalBytes
            ? memory
            : null;
        },
        { withinMs: 60_000 },
      );
      expect(Math.abs(seen.totalBytes - truth.all) / truth.all).toBeLessThan(0.05);
      for (const type of seen.types) {
        const held = truth.byType.get(type.type) ?? 0;
        // The range is one for 95 of 100 cases: twice of it is one that a test may hold it to.
        expect(Math.abs(type.bytes - held)).toBeLessThanOrEqual(2 * type.errorBytes + 0.001 * held);
      }
    }
  });

  it('says of a queue that is worked off what it holds by now, and not what it held at its last sample', async ({
    world,
  }) => {
    const { redis, aQueue } = world;
    await addMixed(aQueue('leaves'), 300, seededRandom(5).uniform);
    const { memoryOf } = start(world);
    const before = await until('all of its jobs were looked at', () => {
      const seen = memoryOf('bull:leaves');
      return seen && seen.sampledJobs >= 300 ? seen : null;
    });
    await redis.client.ltrim('bull:leaves:wait', 0, 29);
    const after = await until(
      'its jobs are seen to have left',
      () => {
        const seen = memoryOf('bull:leaves');
        return seen && seen.totalBytes < before.totalBytes / 2 ? seen : null;
      },
      { withinMs: 10_000 },
    );
    expect(after.totalBytes).toBeLessThan(before.totalBytes * 0.3);
    expect(after.types.reduce((sum, { unfinished }) => sum + unfinished, 0)).toBe(30);
  });

  it('keeps payload, options, stack traces, return values and logs apart', async ({ world }) => {
    const { redis, aQueue, endLater } = world;
    const queue = aQueue('kinds');
    await queue.addBulk(
      Array.from({ length: 300 }, (_, i) => ({ name: 'work', data: { pad: 'x'.repeat(2_000), i } })),
    );
    const { Worker } = await import('bullmq');
    const worker: Worker = new Worker(
      'kinds',
      async (job) => {
        if (job.data.i % 2 === 0) throw new Error('y'.repeat(1_000));
        await job.log('z'.repeat(500));
        return 'r'.repeat(3_000);
      },
      { connection: { port: redis.port }, concurrency: 20 },
    );
    endLater(() => worker.close());
    await until('all have run', async () => (await queue.getJobCountByTypes('completed', 'failed')) === 300);
    const { memoryOf } = start(world);
    const memory = await until('both states are known', () => {
      const seen = memoryOf('bull:kinds');
      return seen && seen.completedBytes > 0 && seen.failedBytes > 0 && seen.eventsBytes > 0 ? seen : null;
    });
    const bytes = (kind: string): number => memory.kinds.find((entry) => entry.kind === kind)?.bytes ?? 0;
    expect(bytes('payload')).toBeGreaterThan(300 * 2_000);
    expect(bytes('payload')).toBeLessThan(300 * 2_800);
    expect(bytes('return-values')).toBeGreaterThan(150 * 3_000);
    expect(bytes('return-values')).toBeLessThan(150 * 4_000);
    expect(bytes('stack-traces')).toBeGreaterThan(150 * 1_000);
    expect(bytes('logs')).toBeGreaterThan(150 * 500);
    expect(memory.kinds.reduce((sum, kind) => sum + kind.bytes, 0)).toBe(memory.totalBytes);
  });

  it('finds the large key that is no queue’s, and the many small ones', async ({ world }) => {
    const { redis, aQueue } = world;
    await addMixed(aQueue('mail'), 2_000, seededRandom(3).uniform);
    await redis.client.call('SETRANGE', 'report:cache:83123', '20000000', 'x');
    await redis.client.mset(
      Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`session:${i}`, 'x'.repeat(400)])),
    );
    const { nodeMemory } = start(world);
    const memory = await until('foreign keys are known', () => {
      const seen = nodeMemory();
      return seen?.foreign &&
        seen.queues.bytes > 0 &&
        seen.queuesToSample === 0 &&
        seen.foreign.largest.length > 0 &&
        seen.foreign.errorBytes < 500_000 &&
        // What connections hold comes and goes.
        Math.abs(seen.unattributedBytes) < seen.usedBytes * 0.1
        ? seen
        : null;
    });
    expect(memory.foreign?.largest[0]?.key).toBe('report:cache:…');
    expect(memory.foreign?.bytes ?? 0).toBeGreaterThan(20_000_000);
    const small = (memory.foreign?.bytes ?? 0) - (memory.foreign?.largest[0]?.bytes ?? 0);
    expect(Math.abs(small - 3_000 * 480)).toBeLessThan(3_000 * 480 * 0.5);
  });

  it('does not take jobs for keys of no queue because their queue was found later', async ({ world }) => {
    const { redis, aQueue } = world;
    await redis.client.set('session:1', 'x'.repeat(400));
    const { memoryOf, nodeMemory } = start(world);
    await until('keys were drawn', () => (nodeMemory()?.foreign?.keys ?? 0) > 0, { withinMs: 15_000 });
    await addMixed(aQueue('late'), 4_000, seededRandom(5).uniform);
    const memory = await until('the late queue is sampled', () =>
      memoryOf('bull:late') && nodeMemory()?.queuesToSample === 0 ? nodeMemory() : null,
    );
    // One key among thousands: the draws may stand for a few more, but not for those of the queue.
    expect(memory.foreign?.bytes ?? 0).toBeLessThan(0.1 * memory.queues.bytes);
  });
});
