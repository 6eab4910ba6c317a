import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { expect, it } from 'vitest';
import { startRedis } from '../../drills/own-redis.js';
import { startWorker } from '../support/bullmq-process.js';
import { startConsole } from '../support/console.js';
import { addEnded } from '../support/failed-jobs.js';
import { seededRandom } from '../support/seeded-random.js';
import { until } from '../support/until.js';

const KILLS = 30;
const JOBS = 30_000;

it(`a console that is killed ${KILLS} times in the midst of a replay loses no job and runs none twice`, async () => {
  const redis = await startRedis();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'spillway-crash-'));
  const random = seededRandom(11).uniform;
  const queue = new Queue('mail', { connection: { port: redis.port } });
  await queue.waitUntilReady();
  const ids = Array.from({ length: JOBS }, (_, i) => `j${String(i).padStart(6, '0')}`);
  await addEnded(
    redis,
    'bull:mail',
    ids.map((id, i) => ({
      id,
      // Some fail again at once: they must not be taken a second time.
      attempts: 1,
      data: i % 7 === 0 ? { fail: 'still broken' } : {},
      finishedAtMs: 1_000_000 + Math.floor(i / 50),
    })),
  );
  const workers = await Promise.all(
    ([5, 6] as const).map((version) =>
      startWorker({ version, port: redis.port, queue: 'mail', jobMs: 1, options: { concurrency: 20 } }),
    ),
  );
  let console_ = await startConsole({ redisUrl: redis.url, dataDirectory });
  try {
    await until('the queue is seen', async () => {
      const { body } = await console_.ask('GET', '/api/v1/instances/default/queues');
      return body.queues.length === 1;
    });
    const begun = await console_.ask('POST', '/api/v1/replays', {
      queues: ['mail'],
      ratePerSecond: 1_500,
      batchSize: 200,
      guard: false,
      reason: 'crash test',
    });
    const { id } = begun.body;
    let unfinished = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const at = Date.now() + random() * 600;
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
      { withinMs: 60_000 },
    );
    const started = workers.flatMap((worker) => worker.started.map(({ jobId }) => jobId));
    expect(started).toHaveLength(JOBS);
    expect(new Set(started)).toEqual(new Set(ids));
    const again = Math.ceil(JOBS / 7);
    expect(last.account).toMatchObject({
      matched: JOBS,
      moved: JOBS,
      failedAgain: again,
      succeeded: JOBS - again,
      gone: 0,
      skipped: 0,
      remaining: 0,
    });
  } finally {
    await console_.stop();
    await Promise.all(workers.map((worker) => worker.stop()));
    await queue.close();
    await redis.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  }
}, 280_000);
