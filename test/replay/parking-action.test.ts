import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, overfill, startRedis, usedBytes } from '../../drills/own-redis.js';
import { applyPolicy } from '../../server/replay/parking/run-policies.js';
import { type ActionBench, addBallast, lift, startBench } from '../support/action-bench.js';
import { type BothVersions, openBoth } from '../support/bullmq-queues.js';
import { pictureOf } from '../support/queue-picture.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let bench: ActionBench;
let queues: BothVersions;
const id = 'bull:mail';

beforeAll(async () => {
  redis = await startRedis();
  await addBallast(redis);
  bench = await startBench(redis, { queues: [id] });
  queues = openBoth(redis.port, 'mail');
  const add = (name: string, from: number) =>
    queues.v6.addBulk(
      Array.from({ length: 1_000 }, (_, i) => ({ name, data: { i: from + i, pad: 'x'.repeat(500) } })),
    );
  for (let from = 0; from < 4_000; from += 1_000) await add(from % 2_000 === 0 ? 'track' : 'bill', from);
  await bench.seen(id, (queue) => queue.counts.waiting === 4_000);
});
afterAll(async () => {
  await bench?.stop();
  await queues?.close();
  await redis?.stop();
});

it('an operator sees what parking a type frees, does it while Redis is full, and undoes it', async () => {
  const before = await pictureOf(redis.client, id);
  await overfill(redis);
  await bench.seen(id, () => bench.watch.snapshot('default')?.nodes[0]?.isFull === true);
  const args = { jobType: 'track' };
  const shown = await bench.pullOne('queue.park', { queues: [id], args, dryRun: true });
  expect(shown.preview).toMatchObject({ affected: { jobs: 2_000 }, isReversible: true });
  expect(await redis.client.llen(`${id}:wait`)).toBe(4_000);
  const done = await bench.pullOne('queue.park', { queues: [id], args });
  expect(done).toMatchObject({ status: 'applied', undo: { action: 'queue.unpark' } });
  expect(done.freedBytes).toBe(shown.preview?.predictedFreedBytes);
  expect(await redis.client.llen(`${id}:wait`)).toBe(2_000);
  await lift(redis);
  await bench.seen(id, () => bench.watch.snapshot('default')?.nodes[0]?.isFull === false);
  const unguarded = { ...done.undo?.args, guard: false };
  const undone = await bench.pullOne('queue.unpark', { queues: [id], args: unguarded });
  expect(undone.status).toBe('applied');
  expect((await pictureOf(redis.client, id)).jobs).toEqual(before.jobs);
  expect(bench.audit.records.map(({ action }) => action)).toEqual(['queue.park', 'queue.unpark']);
});

it('a viewer parks nothing', async () => {
  await expect(bench.pull('queue.park', { queues: [id] }, { role: 'viewer' })).rejects.toThrow(/operator/);
});

it('the policy parks the least important type above the high watermark; a dry run only says so', async () => {
  const used = await usedBytes(redis);
  await overfill(redis, 1 / 0.95);
  await bench.seen(
    id,
    (queue) =>
      (bench.watch.snapshot('default')?.nodes[0]?.usedRatio ?? 0) > 0.9 &&
      (queue.memory?.types.length ?? 0) > 1,
  );
  const told: string[] = [];
  const deps = {
    watch: bench.watch,
    parkings: bench.deps.parkings,
    recordEvent: ({ text }: { text: string }) => void told.push(text),
    now: Date.now,
  };
  const rules = [
    { queue: 'mail', jobType: 'track', priority: 1 },
    { queue: '*', jobType: 'bill', priority: 5 },
  ];
  const policy = {
    instance: 'default',
    highRatio: 0.9,
    lowRatio: 0.94 - 0.05,
    restorePerSecond: 1_000,
    rules,
  };
  await applyPolicy(deps, { ...policy, mode: 'dry-run' }, new Map());
  expect(told.join()).toMatch(/Would have: Parks up to [\d,]+ track jobs/);
  expect(await redis.client.llen(`${id}:wait`)).toBe(4_000);
  const acts = await applyPolicy(deps, { ...policy, mode: 'on' }, new Map());
  expect(acts[0]).toMatchObject({ kind: 'park', jobType: 'track' });
  const [parking] = await bench.deps.parkings.list({ limit: 1 });
  if (!parking) throw new Error('nothing was parked');
  expect(await bench.deps.parkings.settled(parking.id, 10_000)).toMatchObject({
    origin: 'policy',
    state: 'done',
  });
  await lift(redis);
  await redis.client.config('SET', 'maxmemory', String(used * 3));
  await until('the policy begins to bring them back', async () => {
    await applyPolicy(deps, { ...policy, mode: 'on' }, new Map());
    return (await bench.deps.parkings.list({ limit: 20 })).some(
      ({ phase, guard, restored }) => phase === 'restore' && guard && restored > 0,
    );
  });
  expect(told.join()).toMatch(/Brings [\d,]+ jobs back/);
});
