import { describe, expect, it } from 'vitest';
import { benchOfFile } from '../support/action-bench.js';
import { openBoth } from '../support/bullmq-queues.js';
import { until } from '../support/until.js';

const NAMES = ['typed', 'own', 'faster', 'undo', 'hold', 'minute'];
/** Each test has a worker of its own, side by side: a limit is measured for ten seconds. */
const own = benchOfFile(NAMES);

const limitOf = (id: string) => own.redis.client.hmget(`${id}:meta`, 'max', 'duration');
const measuredOf = (auditId: string | null) =>
  until('the rate is measured', () => own.bench.audit.measurements.find((kept) => kept.id === auditId));

describe.concurrent('a limit means what was typed', () => {
  it.concurrent('in jobs per second, from the moment it is set, and the rate is measured afterwards', async () => {
    const id = await own.fill('typed', 8_000);
    const worker = await own.startWorker({
      version: 6,
      queue: 'typed',
      jobMs: 10,
      options: { concurrency: 4 },
    });
    await own.bench.seen(id, (queue) => (queue.rates?.departuresPerSecond ?? 0) > 100);
    // Per minute, but to hold from second to second.
    const outcome = await own.bench.pullOne('queue.rate-limit', {
      queues: [id],
      args: { max: 1200, durationMs: 60_000 },
    });
    expect(outcome.status).toBe('applied');
    expect(await limitOf(id)).toEqual(['20', '1000']);
    const before = worker.started.length;
    const measured = await measuredOf(outcome.auditId);
    expect(measured.isWarning).toBe(false);
    expect(measured.text).toMatch(/(1[5-9]|2[0-5])(\.\d)?\/s in the 10 s after/);
    const last = worker.started.at(-1);
    const first = worker.started[before];
    if (!first || !last) throw new Error('no job has started since');
    const perSecond = ((worker.started.length - before) * 1000) / (last.atMs - first.atMs);
    expect(perSecond).toBeGreaterThan(15);
    expect(perSecond).toBeLessThan(25);
  });

  it('and not a burst of a minute at once', async () => {
    const id = await own.fill('minute', 10);
    await own.bench.pullOne('queue.rate-limit', { queues: [id], args: { max: 100, durationMs: 60_000 } });
    expect(await limitOf(id)).toEqual(['1', '600']);
  });
});

it.concurrent('says that a worker counts in a window of its own, and which max would mean what was typed', async () => {
  const id = await own.fill('own', 1_000);
  const limiter = { max: 50, duration: 5_000 };
  await own.startWorker({
    version: 6,
    queue: 'own',
    options: { limiter, concurrency: 4 },
  });
  await own.bench.seen(id, (queue) => queue.observedLimiterMs > 3_000);
  const preview = await own.bench.pullOne('queue.rate-limit', {
    queues: [id],
    args: { max: 4 },
    dryRun: true,
  });
  expect(preview.preview?.warnings.map((warning) => warning.text).join()).toMatch(
    /windows of at least \d+ ms of their own/,
  );

  const outcome = await own.bench.pullOne('queue.rate-limit', { queues: [id], args: { max: 4 } });
  expect(outcome.status).toBe('applied');
  const measured = await measuredOf(outcome.auditId);
  expect(measured.isWarning).toBe(true);
  const [, means, meant] =
    /so the limit means (0\.\d+)\/s and not 4\/s; a max of (\d+) per 1000 ms/.exec(measured.text) ?? [];
  // Of the window, 5 s, it knows the longest rest that a look has met: the busier the machine, the less.
  const windowSeconds = 4 / Number(means);
  expect(windowSeconds, measured.text).toBeGreaterThan(4);
  expect(windowSeconds, measured.text).toBeLessThan(5.1);
  expect(Math.abs(Number(meant) - 4 * windowSeconds), measured.text).toBeLessThan(0.8);
});

it.concurrent('warns when a limit has made a queue faster, because it replaces a stricter one of the workers', async () => {
  const id = await own.fill('faster', 3_000);
  const limiter = { max: 5, duration: 1_000 };
  await own.startWorker({
    version: 5,
    queue: 'faster',
    options: { limiter, concurrency: 4 },
  });
  await own.bench.seen(
    id,
    (queue) => (queue.rates?.departuresPerSecond ?? 0) > 2 && (queue.rates?.windowMs ?? 0) > 3_000,
  );
  const outcome = await own.bench.pullOne('queue.rate-limit', { queues: [id], args: { max: 100 } });
  expect(outcome.preview?.warnings.map((warning) => warning.text).join()).toMatch(/speeds up/);
  const measured = await measuredOf(outcome.auditId);
  expect(measured).toMatchObject({ isWarning: true, text: expect.stringMatching(/made the queue faster/) });
});

it('undo restores the limit of the application exactly, not only its rate', async () => {
  const id = await own.fill('undo', 1);
  const queues = openBoth(own.redis.port, 'undo');
  await queues.v6.setGlobalRateLimit(100, 60_000);
  await queues.close();
  const outcome = await own.bench.pullOne('queue.rate-limit', { queues: [id], args: { max: 3 } });
  expect(await limitOf(id)).toEqual(['3', '1000']);
  await own.bench.pullOne('queue.rate-limit', { queues: [id], args: outcome.undo?.args ?? {} });
  expect(await limitOf(id)).toEqual(['100', '60000']);
  const removed = await own.bench.pullOne('queue.rate-limit', { queues: [id], args: { max: null } });
  expect(removed.status).toBe('applied');
  expect(await limitOf(id)).toEqual([null, null]);
});

it('begins a new window, but leaves a hold that the application has made itself', async () => {
  const id = await own.fill('hold', 1);
  await own.redis.client.set(`${id}:limiter`, '500', 'PX', 60_000);
  await own.bench.pullOne('queue.rate-limit', { queues: [id], args: { max: 10 } });
  expect(await own.redis.client.exists(`${id}:limiter`)).toBe(0);

  const queues = openBoth(own.redis.port, 'hold');
  await queues.v6.rateLimit(60_000);
  await queues.close();
  const outcome = await own.bench.pullOne('queue.rate-limit', { queues: [id], args: { max: 20 } });
  expect(outcome.summary).toMatch(/application itself holds the queue for 1 min/);
  expect(await own.redis.client.pttl(`${id}:limiter`)).toBeGreaterThan(50_000);
});

it.each([
  [{ max: 0 }, /max: .*at least 1.*queue\.pause/],
  [{ max: 1.5 }, /max: must be a whole number/],
  [{ max: '5' }, /max: /],
  [{ max: 5, durationMs: 0 }, /durationMs: must be at least 1/],
  [{ max: 5, period: 3 }, /period: is not an argument/],
  [{}, /max: /],
])('refuses %j and says what would be right', async (args, words) => {
  await own.fill('undo', 1);
  await expect(own.bench.pullOne('queue.rate-limit', { queues: ['bull:undo'], args })).rejects.toThrow(words);
});
