import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { expect, test } from 'vitest';
import { MB, type OwnRedis, startRedis, usedBytes } from '../../drills/own-redis.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

/**
 * A Redis that fills, with real producers, and the first remedy of its finding pressed once by the API: then writes are to pass
 * for the next ten minutes. These are played as what ten minutes of the growth bring that was measured before.
 */
interface World {
  readonly what: string;
  /** MB of completed and failed jobs that are kept, and of jobs that wait, by type. */
  readonly completed?: number;
  readonly failed?: number;
  readonly waiting: Readonly<Record<string, number>>;
  /** As at a provider: the console's user may not CONFIG SET. */
  readonly isManaged?: boolean;
  /** The console's disk has no place for parked jobs. */
  readonly hasNoDisk?: boolean;
  readonly finding?: 'redis.full' | 'redis.filling';
  /** What the first remedy does. */
  readonly does: readonly string[];
}

const LIMIT_MB = 96;
const JOB_BYTES = 10_000;
const PER_SECOND = 12;
/** Ten minutes of it, at most: a bound for the test, far above what the producers bring. */
const MAX_PLAYED_BYTES = 60 * MB;

const WORLDS: readonly World[] = [
  {
    what: 'a full Redis whose limit may be raised',
    ...{ completed: 14, failed: 10, waiting: { track: 66 } },
    does: ['redis.raise-maxmemory'],
  },
  {
    what: 'a full Redis that permits no CONFIG SET',
    ...{ completed: 18, waiting: { track: 17.5, mail: 15, sms: 15, push: 15, web: 8 }, isManaged: true },
    does: ['queue.clean-finished', 'queue.park'],
  },
  {
    what: 'a full Redis in which there is nothing to trim or clean',
    waiting: { track: 50, mail: 40 },
    does: ['redis.raise-maxmemory'],
  },
  {
    what: 'a full Redis in which one queue is everything, without CONFIG SET',
    ...{ waiting: { track: 92 }, isManaged: true },
    does: ['queue.park'],
  },
  {
    what: 'a full Redis whose console can park nothing, without CONFIG SET',
    ...{ completed: 17, failed: 28, waiting: { track: 46 }, isManaged: true, hasNoDisk: true },
    does: ['queue.clean-finished', 'queue.clean-finished'],
  },
  {
    what: 'a Redis that fills',
    ...{ completed: 12, waiting: { track: 70 }, finding: 'redis.filling' },
    does: ['redis.raise-maxmemory'],
  },
];

const pad = (bytes: number): string => 'x'.repeat(bytes);
const SMALL = { pad: pad(JOB_BYTES / 4) };
const SAMPLE = 300;

/** Goes on with `step` until Redis holds so much more. */
async function fill(redis: OwnRedis, bytes: number, step: () => Promise<unknown>): Promise<void> {
  const upTo = (await usedBytes(redis)) + bytes;
  while ((await usedBytes(redis)) < upTo) await step();
}

/** Finished jobs as BullMQ leaves them. */
async function keepFinished(redis: OwnRedis, state: 'completed' | 'failed', bytes: number): Promise<void> {
  let made = 0;
  await fill(redis, bytes, async () => {
    const pipeline = redis.client.pipeline();
    for (const end = made + 50; made < end; made += 1) {
      const id = `${state}-${made}`;
      pipeline.hset(`bull:work:${id}`, 'name', 'done', 'data', pad(JOB_BYTES), 'finishedOn', made + 1);
      pipeline.zadd(`bull:work:${state}`, made + 1, id);
    }
    await pipeline.exec();
  });
}

function addJobs(queue: Queue, name: string, jobs: number): Promise<unknown> {
  return queue.addBulk(Array.from({ length: jobs }, () => ({ name, data: { pad: pad(JOB_BYTES) } })));
}

async function consoleOf(world: World, redis: OwnRedis, directory: string): Promise<RunningConsole> {
  const user = world.isManaged ? 'spillway:secret@' : '';
  if (world.isManaged)
    await redis.client.call(
      ...(['ACL', 'SETUSER', 'spillway', 'on', '>secret', '~*', '&*', '+@all', '-config|set'] as const),
    );
  const config = join(directory, 'spillway.yaml');
  const parking = world.hasNoDisk ? `parking:\n  maxBytes: ${MB}\n` : '';
  await writeFile(
    config,
    `instances:\n  - name: default\n    url: redis://${user}127.0.0.1:${redis.port}\n    pollIntervalMs: 500\n${parking}`,
  );
  return startConsole({ args: ['--config', config] });
}

/** Bytes that a producer's job takes, with its part of lists and events. */
async function bytesOfJob(redis: OwnRedis, queue: Queue): Promise<number> {
  const before = await usedBytes(redis);
  for (let i = 0; i < SAMPLE; i += 1) await queue.add('tick', SMALL);
  return ((await usedBytes(redis)) - before) / SAMPLE;
}

/** A producer that adds so many jobs a second, as long as it is wanted. */
function produce(queue: Queue) {
  let [accepted, refused] = [0, 0];
  const timer = setInterval(() => {
    queue.add('tick', SMALL).then(
      () => {
        accepted += 1;
      },
      () => {
        refused += 1;
      },
    );
  }, 1000 / PER_SECOND);
  return {
    counts: () => ({ accepted, refused }),
    stop: () => clearInterval(timer),
  };
}

async function play(world: World): Promise<void> {
  const code = world.finding ?? 'redis.full';
  const directory = await mkdtemp(join(tmpdir(), 'spillway-first-'));
  const redis = await startRedis({ maxmemoryBytes: LIMIT_MB * MB });
  const queue = new Queue('work', { connection: { port: redis.port } });
  queue.on('error', () => undefined);
  let console: RunningConsole | null = null;
  let producer: ReturnType<typeof produce> | null = null;
  try {
    await queue.waitUntilReady();
    const jobBytes = await bytesOfJob(redis, queue);
    await keepFinished(redis, 'completed', (world.completed ?? 0) * MB);
    await keepFinished(redis, 'failed', (world.failed ?? 0) * MB);
    for (const [name, megabytes] of Object.entries(world.waiting))
      await fill(redis, megabytes * MB, () => addJobs(queue, name, 50));
    console = await consoleOf(world, redis, directory);
    const { ask } = console;
    // Near the limit, so that it is full when the growth has been seen for some seconds.
    const room = code === 'redis.full' ? 0.9 * MB : 4 * MB;
    await fill(redis, LIMIT_MB * MB - room - (await usedBytes(redis)), () =>
      // The console's own looks take some of the last megabyte for a moment.
      addJobs(queue, 'tick', 10).catch(() => undefined),
    );
    const fromMs = Date.now();
    producer = produce(queue);
    const { counts } = producer;
    if (code === 'redis.full') await until('it is full', () => counts().refused > 3, { withinMs: 90_000 });
    else await until('it has grown for a while', () => Date.now() - fromMs > 15_000, { withinMs: 20_000 });
    // As many as came: a busy machine's timers are late.
    const perSecond = ((counts().accepted + counts().refused) * 1000) / (Date.now() - fromMs);
    const growth = perSecond * jobBytes;
    const remedy = await until(
      `${code} and a first remedy that is enough`,
      async () => {
        const { body } = await ask('GET', '/api/v1/findings');
        const found = body.findings.find((one: { code: string }) => one.code === code);
        const [first] = found?.remedies ?? [];
        return first?.suffices === true ? first : null;
      },
      { withinMs: 30_000, everyMs: 250 },
    );
    const steps: readonly { action: string }[] = remedy.args.steps ?? [remedy];
    expect(steps.map(({ action }) => action)).toEqual(world.does);
    const { action, queues, workers, args } = remedy;
    const answer = await ask('POST', `/api/v1/actions/${action}`, {
      ...{ instance: 'default', queues, args, reason: 'make room' },
      ...(workers.length > 0 ? { workers } : {}),
    });
    expect([answer.status, answer.body.outcomes[0].summary]).toEqual([200, expect.any(String)]);
    expect(answer.body.outcomes[0].aim).toMatchObject({ isReached: true });
    const { refused } = counts();
    const bytes = Math.min(MAX_PLAYED_BYTES, growth * 600);
    expect(bytes).toBeGreaterThan(5 * MB);
    // Ten minutes of it; each add is to be accepted.
    await fill(redis, bytes, () => addJobs(queue, 'tick', 50));
    await queue.add('tick', {});
    expect(counts().refused).toBe(refused);
    await until('it is called full no more', async () => {
      const { body } = await ask('GET', '/api/v1/findings');
      return !body.findings.some((one: { code: string }) => one.code === 'redis.full');
    });
  } finally {
    producer?.stop();
    await console?.stop();
    await queue.close();
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

test.concurrent.each(WORLDS)('the first button is enough for $what', (world) => play(world), 180_000);
