import { type Job, Worker } from 'bullmq';
import { describe, expect } from 'vitest';
import { attach } from '../../agent/index.js';
import type { JobTypeState } from '../../server/model/job-type.js';
import { median } from '../../server/model/theil-sen.js';
import { it, type RedisWorld } from '../support/redis-test.js';
import { until } from '../support/until.js';
import { anInstance, watching } from '../support/watching.js';

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What a watcher of that Redis knows of job types, and workers of its queues. */
function begin({ redis, endLater }: RedisWorld) {
  const { watch } = watching(anInstance(redis.url));
  endLater(() => watch.stop());
  const queueOf = (id: string) => watch.snapshot('default')?.queues.find((queue) => queue.id === id);
  const typesOf = (id: string): readonly JobTypeState[] => queueOf(id)?.types ?? [];
  return {
    typesOf,
    waits: (id: string): number => queueOf(id)?.counts.waiting ?? 0,
    aWorker(
      name: string,
      run: (job: Job) => Promise<unknown>,
      options: { concurrency?: number; withAgent?: boolean; removes?: boolean } = {},
      onCompleted: (job: Job) => void = () => undefined,
    ): void {
      const worker = new Worker(name, run, {
        connection: { port: redis.port },
        concurrency: options.concurrency ?? 5,
        ...(options.removes ? { removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } } : {}),
      });
      worker.on('error', () => undefined);
      worker.on('completed', onCompleted);
      const attached = options.withAgent ? attach(worker) : null;
      endLater(async () => {
        await attached?.detach();
        await worker.close(true);
      });
    },
    untilType: (
      id: string,
      name: string,
      what: string,
      is: (type: JobTypeState) => boolean,
      withinMs = 45_000,
    ): Promise<JobTypeState> =>
      until(`${name}: ${what}`, () => typesOf(id).find((type) => type.name === name && is(type)) ?? null, {
        withinMs,
      }),
  };
}

/** A client that gathers `size` requests or waits `ms`, as analytics SDKs do. */
function batching(size: number, ms: number): () => Promise<void> {
  let waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | null = null;
  const flush = (): void => {
    if (timer) clearTimeout(timer);
    timer = null;
    for (const done of waiting.splice(0)) done();
    waiting = [];
  };
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length >= size) flush();
      else timer ??= setTimeout(flush, ms);
    });
}

describe.concurrent('job types', () => {
  for (const [source, options] of [
    ['agent', { withAgent: true }],
    ['finished', {}],
    ['events', { removes: true }],
  ] as const) {
    it(`reports run times, rates and what waits of each type, by ${source}`, async ({ world }) => {
      const { aQueue, endLater } = world;
      const { aWorker, untilType } = begin(world);
      const queue = aQueue('mixed');
      // The truth on a machine that may be busy: for the agent from around the processor, else by the times that Redis holds.
      const took = new Map<string, number[]>([
        ['slow', []],
        ['quick', []],
      ]);
      aWorker(
        'mixed',
        async ({ name }) => {
          const fromMs = performance.now();
          await wait(name === 'slow' ? 400 : 20);
          if (source === 'agent') took.get(name)?.push(performance.now() - fromMs);
        },
        { concurrency: 6, ...options },
        ({ name, processedOn = 0, finishedOn = 0 }) => {
          if (source !== 'agent') took.get(name)?.push(finishedOn - processedOn);
        },
      );
      const usualMs = (name: string): number => median(took.get(name) ?? []);
      let isOver = false;
      const feed = (async () => {
        while (!isOver) {
          await queue.addBulk([
            { name: 'slow', data: {} },
            ...Array.from({ length: 9 }, () => ({ name: 'quick', data: {} })),
          ]);
          await wait(150);
        }
      })();
      endLater(async () => {
        isOver = true;
        await feed;
      });
      const slow = await untilType('bull:mixed', 'slow', 'its runs', (type) => (type.run?.count ?? 0) >= 8);
      const quick = await untilType(
        'bull:mixed',
        'quick',
        'its runs',
        (type) => (type.run?.count ?? 0) >= 30,
      );
      expect(slow.source).toBe(source);
      expect(slow.run?.p50Ms).toBeGreaterThan(380);
      expect(slow.run?.p50Ms).toBeLessThan(1.15 * usualMs('slow') + 20);
      expect(quick.run?.p50Ms).toBeLessThan(2 * usualMs('quick') + 60);
      const ratio = (quick.completedPerSecond ?? 0) / (slow.completedPerSecond ?? 1);
      expect(ratio).toBeGreaterThan(3);
      expect(ratio).toBeLessThan(30);
      expect(slow.effectiveConcurrency).toBeGreaterThan(0.5);
    });
  }

  it('estimates how many of each type wait, with a range that holds the truth', async ({ world }) => {
    const { aQueue } = world;
    const { waits, untilType } = begin(world);
    const queue = aQueue('backlog');
    for (let i = 0; i < 10; i++)
      await queue.addBulk(
        Array.from({ length: 1_000 }, (_, j) => ({
          name: j % 10 === 0 ? 'rare' : 'usual',
          data: { pad: 'x'.repeat(j) },
        })),
      );
    const rare = await untilType('bull:backlog', 'rare', 'a narrow range', (type) => {
      const { waiting } = type;
      // What is read while jobs are still added is the truth of that moment.
      const isAll = waits('bull:backlog') === 10_000;
      return isAll && waiting !== null && waiting.value > 0 && waiting.high - waiting.low < 600;
    });
    const { low, high } = rare.waiting ?? { low: Number.NaN, high: Number.NaN };
    // The range holds 19 of 20 samples: one of twice its width holds all but one of some ten thousand.
    expect(low - (high - low) / 2).toBeLessThanOrEqual(1_000);
    expect(high + (high - low) / 2).toBeGreaterThanOrEqual(1_000);
    expect(rare.shareOfBacklog).toBeGreaterThan(0.04);
    expect(rare.shareOfBacklog).toBeLessThan(0.16);
  });

  it('notices a type that completed regularly and stopped', async ({ world }) => {
    const { aQueue, endLater } = world;
    const { aWorker, typesOf, untilType } = begin(world);
    const queue = aQueue('timers');
    aWorker('timers', () => wait(5));
    let isOver = false;
    let withFlush = true;
    const feed = (async () => {
      while (!isOver) {
        await queue.add('probe', {});
        if (withFlush) await queue.add('flush', {});
        await wait(200);
      }
    })();
    endLater(async () => {
      isOver = true;
      await feed;
    });
    await untilType('bull:timers', 'flush', 'its habit', (type) => (type.run?.count ?? 0) >= 25);
    withFlush = false;
    const flush = await untilType('bull:timers', 'flush', 'missing', (type) => type.absent !== null, 20_000);
    expect(flush.absent?.usualGapMs).toBeLessThan(1_500);
    expect(typesOf('bull:timers').find(({ name }) => name === 'probe')?.absent).toBeNull();
  });
});

// By itself: it is about moments.
describe('job types', () => {
  it('names the flush timeout of a client that batches, with the agent and without it', async ({ world }) => {
    const { aQueue } = world;
    const { aWorker, untilType } = begin(world);
    for (const [name, options] of [
      ['told', { withAgent: true }],
      ['seen', {}],
    ] as const) {
      await aQueue(name).addBulk(Array.from({ length: 400 }, () => ({ name: 'track', data: {} })));
      const send = batching(20, 1_000);
      aWorker(name, send, { concurrency: 5, ...options });
      const track = await untilType(
        `bull:${name}`,
        'track',
        'its flush timeout',
        (type) => type.batchWait !== null,
      );
      expect(track.batchWait?.flushTimeoutMs).toBeGreaterThan(900);
      expect(track.batchWait?.flushTimeoutMs).toBeLessThan(1_200);
      expect(track.batchWait?.isStarved).toBe(true);
    }
  });

  it('reports when a type began to fail, with the new error, to the second', async ({ world }) => {
    const { aQueue, endLater } = world;
    const { aWorker, typesOf, untilType } = begin(world);
    const queue = aQueue('monitors');
    let isBroken = false;
    aWorker('monitors', async (job) => {
      await wait(10);
      if (isBroken && job.name === 'match') throw new Error('cache entry has the wrong type\nsecond line');
    });
    let isOver = false;
    const feed = (async () => {
      while (!isOver) {
        await queue.addBulk(['match', 'http', 'http'].map((name) => ({ name, data: {} })));
        await wait(50);
      }
    })();
    endLater(async () => {
      isOver = true;
      await feed;
    });
    await untilType('bull:monitors', 'match', 'healthy runs', (type) => (type.run?.count ?? 0) >= 40);
    expect(typesOf('bull:monitors').every(({ failing }) => failing === null)).toBe(true);
    const brokenAtMs = Date.now();
    isBroken = true;
    const match = await untilType('bull:monitors', 'match', 'its rise', (type) => type.failing !== null);
    expect(Math.abs((match.failing?.firstFailureAtMs ?? 0) - brokenAtMs)).toBeLessThan(1_000);
    expect(match.failing?.error).toBe('cache entry has the wrong type');
    expect(match.failing?.isNewError).toBe(true);
    expect(typesOf('bull:monitors').find(({ name }) => name === 'http')?.failing).toBeNull();
  });
});
