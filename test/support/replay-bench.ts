import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { expect } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type Answer, type RunningConsole, startConsole } from './console.js';
import { until } from './until.js';

/** A Redis and a console, with a queue for each test, whose failed jobs are replayed. */
export interface ReplayBench {
  readonly redis: OwnRedis;
  readonly console: RunningConsole;
  /** Opens the next queue that no test has used; its name, once the console sees it. */
  nextQueue(): Promise<string>;
  /** Begins a replay, of the last queue that was opened unless said otherwise. */
  begin(body?: object): Promise<Answer['body']>;
  /** Waits for its end. */
  isDone(replay: string): Promise<Answer['body']>;
  stop(): Promise<void>;
}

const QUEUES = 20;

export async function startReplayBench(): Promise<ReplayBench> {
  const redis = await startRedis();
  const directory = await mkdtemp(join(tmpdir(), 'spillway-replay-'));
  const config = join(directory, 'spillway.yaml');
  // Named, so that they need not be discovered: that takes some seconds. A --redis would take the place of the file.
  const queues = Array.from({ length: QUEUES }, (_, i) => `bull:mail-${i + 1}`);
  await writeFile(config, JSON.stringify({ instances: [{ name: 'default', url: redis.url, queues }] }));
  const console_ = await startConsole({ args: ['--config', config] });
  let count = 0;
  return {
    redis,
    console: console_,
    async nextQueue() {
      count += 1;
      const name = `mail-${count}`;
      const queue = new Queue(name, { connection: { port: redis.port } });
      await queue.add('live', {}, { jobId: 'live' });
      await queue.remove('live');
      await queue.close();
      await until(`the console sees ${name}`, async () => {
        const { body } = await console_.ask('GET', `/api/v1/instances/default/queues?search=${name}`);
        return body.queues.some(({ id }: { id: string }) => id === `bull:${name}`);
      });
      return name;
    },
    async begin(body = {}) {
      const answer = await console_.ask('POST', '/api/v1/replays', {
        queues: [`bull:mail-${count}`],
        ratePerSecond: 5_000,
        guard: false,
        reason: 'the fix is out',
        ...body,
      });
      expect(answer.status, answer.text).toBe(200);
      return answer.body;
    },
    isDone: (replay) =>
      until('the replay is done', async () => {
        const { body } = await console_.ask('GET', `/api/v1/replays/${replay}`);
        return body.state === 'done' ? body : null;
      }),
    async stop() {
      await console_.stop();
      await redis.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
