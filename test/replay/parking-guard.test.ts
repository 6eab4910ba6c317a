import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type OwnRedis, overfill, startRedis } from '../../drills/own-redis.js';
import { applyPolicy } from '../../server/replay/parking/run-policies.js';
import type { InstancePolicy } from '../../server/replay/spillway-policy.js';
import type { Watch } from '../../server/watch/watch.js';
import { type ActionBench, addBallast, startBench } from '../support/action-bench.js';
import { startWorker } from '../support/bullmq-process.js';
import { type BothVersions, openBoth } from '../support/bullmq-queues.js';
import { parkRequest } from '../support/parking-bench.js';
import { until } from '../support/until.js';

const id = 'bull:mail';
let redis: OwnRedis;
let bench: ActionBench;
let queues: BothVersions;
const workers: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  redis = await startRedis();
  await addBallast(redis);
  await overfill(redis, 3);
  queues = openBoth(redis.port, 'mail');
});
beforeEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  await queues.v6.obliterate({ force: true });
  await queues.v6.add('live', {}, { jobId: 'live' });
  await bench?.stop();
  bench = await startBench(redis, { queues: [id] });
  await bench.seen(id);
});
afterAll(async () => {
  await bench?.stop();
  await Promise.all(workers.map((worker) => worker.stop()));
  await queues?.close();
  await redis?.stop();
});

/** Parks as the policy would, of jobs that fail or not when they run. */
async function parked(jobs: number, data: object = {}) {
  for (let from = 0; from < jobs; from += 1_000)
    await queues.v6.addBulk(
      Array.from({ length: Math.min(1_000, jobs - from) }, () => ({ name: 'track', data })),
    );
  await bench.seen(id, ({ counts }) => counts.waiting >= jobs);
  const request = { ...parkRequest(id), origin: 'policy' as const, jobTypes: ['track'] };
  const { id: of } = await bench.deps.parkings.begin(request);
  expect(await bench.deps.parkings.settled(of, 20_000)).toMatchObject({ state: 'done', parked: jobs });
  await bench.seen(id, ({ counts }) => counts.waiting < jobs);
  return of;
}
const policy = {
  instance: 'default',
  mode: 'on' as const,
  highRatio: 0.9,
  lowRatio: 0.8,
  restorePerSecond: 2_000,
  rules: [{ queue: '*', jobType: 'track', priority: 1 }],
};
const look = (watch: Pick<Watch, 'snapshot'> = bench.watch, change: Partial<InstancePolicy> = {}) =>
  applyPolicy(
    { watch, parkings: bench.deps.parkings, recordEvent: () => undefined, now: Date.now },
    { ...policy, ...change },
    new Map(),
  );
const work = async (jobMs: number, concurrency: number) => {
  const worker = await startWorker({
    version: 6,
    port: redis.port,
    queue: 'mail',
    jobMs,
    options: { concurrency },
  });
  workers.push(worker);
  return worker;
};

it('where parking is switched off by configuration the policy parks nothing', async () => {
  await queues.v6.addBulk(Array.from({ length: 3_000 }, () => ({ name: 'track', data: {} })));
  // It only says what it would do, below what is used already.
  const pressed = { mode: 'dry-run', highRatio: 0.02, lowRatio: 0.01 } as const;
  await until('the policy would park', async () =>
    (await look(bench.watch, pressed)).some(({ kind }) => kind === 'park'),
  );
  const withoutParking: Pick<Watch, 'snapshot'> = {
    snapshot(instance) {
      const snapshot = bench.watch.snapshot(instance);
      return snapshot && { ...snapshot, permits: { isReadOnly: false, off: ['queue.park'] } };
    },
  };
  expect(await look(withoutParking, pressed)).toEqual([]);
});

it('the policy brings jobs back no faster than live jobs bear, and says why', async () => {
  const of = await parked(6_000);
  // 100 jobs a second, where the policy would bring 2,000.
  const worker = await work(50, 5);
  await until('the policy brings them back', async () => {
    await look();
    return (await bench.deps.parkings.get(of)).phase === 'restore';
  });
  const slowed = await until(
    'the guard slows it down for live jobs',
    async () => {
      const now = await bench.deps.parkings.get(of);
      return /would wait|nothing leaves/.test(now.paceReason ?? '') && (now.pacePerSecond ?? 0) < 2_000
        ? now
        : null;
    },
    { withinMs: 60_000 },
  );
  expect(slowed).toMatchObject({ guard: true, state: 'running', ratePerSecond: 2_000 });
  await until('it has rested', async () => (await bench.deps.parkings.get(of)).pacePerSecond !== 2_000);
  expect(worker.finished.length).toBeGreaterThan(0);
  expect((await bench.deps.parkings.get(of)).remaining).toBeGreaterThan(0);
  // Somebody switches the guard off, and the rest comes at once.
  await bench.deps.parkings.change(of, { guard: false, ratePerSecond: null });
  await until('all are back', async () => (await bench.deps.parkings.get(of)).remaining === 0, {
    withinMs: 60_000,
  });
}, 150_000);

it('a restore whose jobs only fail is paused by the guard, and the policy leaves it so', async () => {
  const of = await parked(2_000, { fail: 'broken' });
  await work(1, 5);
  await until('the policy brings them back', async () => {
    await look();
    return (await bench.deps.parkings.get(of)).phase === 'restore';
  });
  const paused = await until(
    'the guard pauses it',
    async () => {
      const now = await bench.deps.parkings.get(of);
      return now.state === 'paused' ? now : null;
    },
    { withinMs: 60_000 },
  );
  expect(paused.pausedBy).toBe('guard');
  expect(paused.because).toMatch(/Paused by auto-throttle: \d+ of the last \d+ restored jobs failed/);
  expect(paused.remaining).toBeGreaterThan(1_000);
  expect((await look()).map(({ kind }) => kind)).toEqual([]);
  expect((await bench.deps.parkings.get(of)).state).toBe('paused');
});

it('the action that brings jobs back is guarded unless somebody says otherwise', async () => {
  const of = await parked(1_000);
  // No worker at all: the first jobs go ahead, and nobody runs them.
  const guarded = await bench.pullOne('queue.unpark', { queues: [id], args: { parking: of }, dryRun: true });
  expect(JSON.stringify(guarded.preview)).toMatch(/Auto-throttle looks at the first of them/);
  await bench.deps.parkings.restore(of, { ratePerSecond: null, guard: true });
  await until('it waits for the first', async () =>
    /first 20 jobs/.test((await bench.deps.parkings.get(of)).paceReason ?? ''),
  );
  expect((await bench.deps.parkings.get(of)).restored).toBe(20);
  await bench.deps.parkings.change(of, { state: 'paused' });
  const plain = await bench.pullOne('queue.unpark', { queues: [id], args: { parking: of, guard: false } });
  expect(plain.status).toBe('applied');
  expect(await bench.deps.parkings.get(of)).toMatchObject({ guard: false, restored: 1_000, remaining: 0 });
});
