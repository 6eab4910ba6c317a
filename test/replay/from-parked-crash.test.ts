import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { expect, it } from 'vitest';
import { startRedis } from '../../drills/own-redis.js';
import { startWorker } from '../support/bullmq-process.js';
import { startConsole } from '../support/console.js';
import { seededRandom } from '../support/seeded-random.js';
import { until } from '../support/until.js';

const KILLS = 7;
const JOBS = 5_000;
/** A machine that others use may take its time. */
const SLOWLY = { withinMs: 60_000 };

it(`a console that is killed ${KILLS} times while it replays what is parked loses no job and runs none twice`, async () => {
  const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] });
  const dataDirectory = await mkdtemp(join(tmpdir(), 'spillway-crash-'));
  const random = seededRandom(23).uniform;
  const queue = new Queue('mail', { connection: { port: redis.port } });
  const ids = Array.from({ length: JOBS }, (_, i) => `j${String(i).padStart(5, '0')}`);
  for (let from = 0; from < JOBS; from += 1_000)
    await queue.addBulk(
      ids.slice(from, from + 1_000).map((jobId, i) => ({
        name: 'send',
        data: { i: from + i },
        // Some leave no trace: then only the receipts tell what the killed console had done.
        opts: { jobId, removeOnComplete: i % 2 === 0 },
      })),
    );
  let console_ = await startConsole({ redisUrl: redis.url, dataDirectory });
  const workers: Awaited<ReturnType<typeof startWorker>>[] = [];
  try {
    await until(
      'the queue is seen',
      async () => {
        const { body } = await console_.ask('GET', '/api/v1/instances/default/queues');
        return body.queues.length === 1;
      },
      SLOWLY,
    );
    const parked = await console_.ask('POST', '/api/v1/parkings', {
      instance: 'default',
      queue: 'mail',
      reason: 'crash test',
    });
    const parking = parked.body.parking.id;
    await until(
      'all are parked',
      async () => {
        const { body } = await console_.ask('GET', `/api/v1/parkings/${parking}`);
        return body.state === 'done' && body.remaining === JOBS;
      },
      SLOWLY,
    );
    expect(await redis.client.llen('bull:mail:wait')).toBe(0);
    workers.push(
      ...(await Promise.all(
        ([5, 6] as const).map((version) =>
          startWorker({ version, port: redis.port, queue: 'mail', jobMs: 1, options: { concurrency: 20 } }),
        ),
      )),
    );
    const { id } = (
      await console_.ask('POST', '/api/v1/replays', {
        queues: ['mail'],
        from: 'parked',
        ratePerSecond: 1_000,
        batchSize: 300,
        guard: false,
        reason: 'crash test',
      })
    ).body;
    let unfinished = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const at = Date.now() + 100 + random() * 500;
      await until('a random moment has come', () => Date.now() >= at, { everyMs: 1 });
      await console_.signal('SIGKILL');
      console_ = await startConsole({ redisUrl: redis.url, dataDirectory });
      const { body } = await console_.ask('GET', `/api/v1/replays/${id}`);
      if (body.state === 'running') unfinished += 1;
      expect(body.account.matched).toBe(body.account.moved + body.account.skipped + body.account.remaining);
    }
    // Most kills hit it while it was at work, else this test would show nothing.
    expect(unfinished).toBeGreaterThan(KILLS / 2);
    const last = await until(
      'all have ended',
      async () => {
        const { body } = await console_.ask('GET', `/api/v1/replays/${id}`);
        return body.state === 'done' && body.account.toRun === 0 ? body : null;
      },
      { withinMs: 90_000 },
    );
    expect(last.account).toMatchObject({
      matched: JOBS,
      moved: JOBS,
      skipped: 0,
      remaining: 0,
      failedAgain: 0,
    });
    const started = workers.flatMap((worker) => worker.started.map(({ jobId }) => jobId));
    expect(started).toHaveLength(JOBS);
    expect(new Set(started)).toEqual(new Set(ids));
    const { body: after } = await console_.ask('GET', `/api/v1/parkings/${parking}`);
    expect(after).toMatchObject({ parked: JOBS, restored: JOBS, existed: 0, fellBack: 0, remaining: 0 });
  } finally {
    await console_.stop();
    await Promise.all(workers.map((worker) => worker.stop()));
    await queue.close();
    await redis.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  }
}, 280_000);
