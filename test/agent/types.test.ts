import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { createBunRedisClient, createIORedisClient, type Worker as Worker6 } from 'bullmq';
import type { Worker as Worker5 } from 'bullmq-v5';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-v5';
import { describe, expect, it, vi } from 'vitest';
import { type AttachableWorker, attach } from '../../agent/index.js';
import { isRedisShape } from '../../agent/redis-shape.js';
import { AGENT_VERSION } from '../../agent/version.js';
import { packagePath } from '../../server/process/package-path.js';

/** Compiled, not run: a worker of either version fits without a cast. */
const takesBoth: readonly [(worker: Worker5) => AttachableWorker, (worker: Worker6) => AttachableWorker] = [
  (worker) => worker,
  (worker) => worker,
];

it('the agent takes workers of BullMQ 5 and 6 as they are', () => {
  expect(takesBoth).toHaveLength(2);
  expect(attach).toBeTypeOf('function');
});

it('the agent says the version of the package that it came with', () => {
  const { version } = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as { version: string };
  expect(AGENT_VERSION).toBe(version);
});

/** Bun's own client, as far as BullMQ's adapter asks it anything without a command. */
const bunClient = {
  connected: false,
  connect: () => new Promise(() => undefined),
  close: () => undefined,
} as never;

describe('a client that is not ioredis', () => {
  it('is not taken for ioredis, whatever adapter of BullMQ is around it', () => {
    const lazy = { lazyConnect: true };
    for (const client of [new Redis(lazy), new Redis5(lazy), createIORedisClient(new Redis(lazy) as never)])
      expect(isRedisShape(client)).toBe(true);
    for (const client of [createBunRedisClient(bunClient), new EventEmitter(), null, 'redis'])
      expect(isRedisShape(client)).toBe(false);
  });
});

describe('attach', () => {
  const workerLike = (over: object): AttachableWorker =>
    Object.assign(new EventEmitter(), {
      name: 'mail',
      opts: {},
      concurrency: 1,
      pause: () => Promise.resolve(),
      resume: () => undefined,
      isPaused: () => false,
      isRunning: () => true,
      ...over,
    });

  it.each([
    ['a queue in PostgreSQL', () => ({ schema: 'bullmq' }), /PostgreSQL/],
    [
      'a client of its own',
      () => ({ client: Promise.resolve(new EventEmitter()) }),
      /a client that the agent does not know/,
    ],
    ['a client that never came', () => ({ client: Promise.reject(new Error('no way')) }), /no way/],
  ])('tells of %s in one line, and leaves nothing on the worker', async (_name, backend, line) => {
    const problems: string[] = [];
    const worker = workerLike({ backend: backend() });
    attach(worker, { onProblem: (problem) => problems.push(problem) });
    await vi.waitFor(() => expect(problems).toEqual([expect.stringMatching(line)]));
    expect((worker as unknown as EventEmitter).eventNames()).toEqual([]);
  });

  it('never throws, whatever it is given', async () => {
    const problems: string[] = [];
    const onProblem = (problem: string): void => void problems.push(problem);
    const throwing = new Proxy({} as AttachableWorker, {
      get: () => {
        throw new Error('do not look');
      },
    });
    for (const worker of [throwing, null, undefined, {}, workerLike({ opts: null })])
      await attach(worker as AttachableWorker, { onProblem }).detach();
    await attach(workerLike({}), { onProblem, labels: { a: Object.create(null) as string } }).detach();
    expect(problems.length).toBeGreaterThanOrEqual(6);
  });
});
