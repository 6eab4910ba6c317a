import { expect, it } from 'vitest';
import { benchOfFile } from '../support/action-bench.js';
import { openBoth } from '../support/bullmq-queues.js';
import { until } from '../support/until.js';

const NAMES = ['held-5', 'held-6', 'legacy', 'mixed', 'kept', 'app', 'delayed', 'zero', 'ignored'];
const own = benchOfFile(NAMES);
const state = (id: string, field: string): Promise<string | null> =>
  own.redis.client.hget(`${id}:meta`, field);

// Each on a queue of its own, side by side: a pause is measured for ten seconds.
it.concurrent.each([5, 6] as const)(
  'with workers of BullMQ %s no job starts once the pause has returned, and idle ones take jobs within half a second of the resume',
  async (version) => {
    const queue = `held-${version}`;
    const id = await own.fill(queue, 3_000);
    const worker = await own.startWorker({ version, queue, jobMs: 4, options: { concurrency: 8 } });
    await until('jobs run', () => worker.finished.length > 50);
    const outcome = await own.bench.pullOne('queue.pause', { queues: [id] });
    expect(outcome.status).toBe('applied');
    await until(
      'running jobs have finished',
      async () => (await own.redis.client.llen(`${id}:active`)) === 0,
    );
    const left = await own.redis.client.llen(`${id}:wait`);
    expect(left).toBeGreaterThan(500);
    const measured = await until('the pause is measured', () =>
      own.bench.audit.measurements.find((kept) => kept.id === outcome.auditId),
    );
    expect(measured).toMatchObject({ isWarning: false, text: expect.stringMatching(/No job has started/) });
    expect(await own.redis.client.llen(`${id}:wait`)).toBe(left);
    expect(worker.started.length).toBe(3_000 - left);

    const before = worker.started.length;
    const resumedAtMs = Date.now();
    const resumed = await own.bench.pullOne('queue.resume', { queues: [id] });
    expect(resumed).toMatchObject({ status: 'applied', undo: { action: 'queue.pause' } });
    const first = await until('a job has started', () => worker.started[before], { everyMs: 5 });
    expect(first.atMs - resumedAtMs).toBeLessThan(500);
    await until('all are done', () => worker.finished.length === 3_000);
    expect(new Set(worker.finished).size).toBe(3_000);
  },
);

it.concurrent('a pause that workers ignore brings a warning within seconds', async () => {
  const id = await own.fill('ignored', 5);
  const outcome = await own.bench.pullOne('queue.pause', { queues: [id] });
  await own.bench.seen(id, (queue) => queue.flow === 'paused-by-spillway');
  // What a worker of a BullMQ that knows no global concurrency does when it takes a job.
  await own.redis.client.rpoplpush(`${id}:wait`, `${id}:active`);
  const measured = await until('the pause is measured', () =>
    own.bench.audit.measurements.find((kept) => kept.id === outcome.auditId),
  );
  expect(measured).toMatchObject({ isWarning: true, text: expect.stringMatching(/does not hold: 1 of/) });
});

it('a queue of 15,000 jobs that BullMQ 5 has paused resumes with none lost and all in order', async () => {
  const id = 'bull:legacy';
  const queues = openBoth(own.redis.port, 'legacy');
  const add = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({ name: 'work', data: {}, opts: { jobId: `j${from + i}` } }));
  await queues.v5.addBulk(add(0, 15_000));
  await queues.v5.pause();
  // Added by a service that runs BullMQ 6 already: these wait beside the paused list, and must not be laid over.
  await queues.v6.addBulk(add(15_000, 8_000));
  const seen = await own.bench.seen(
    id,
    (queue) => queue.flow === 'paused' && queue.counts.waiting === 23_000,
  );
  expect(seen.counts.legacyPaused).toBe(15_000);

  const preview = await own.bench.pullOne('queue.resume', { queues: [id], dryRun: true });
  expect(preview.preview?.effects.join()).toMatch(/15,000 of them lie in BullMQ 5’s paused list/);
  const outcome = await own.bench.pullOne('queue.resume', { queues: [id] });
  expect(outcome.status).toBe('applied');

  const waiting = await own.redis.client.lrange(`${id}:wait`, 0, -1);
  expect(waiting.reverse()).toEqual(Array.from({ length: 23_000 }, (_, i) => `j${i}`));
  expect(await own.redis.client.exists(`${id}:paused`)).toBe(0);
  expect(await state(id, 'paused')).toBeNull();
  await queues.close();
});

it('jobs that BullMQ 5 adds while BullMQ 6 has paused the queue come back too', async () => {
  const id = 'bull:mixed';
  const queues = openBoth(own.redis.port, 'mixed');
  await queues.v6.pause();
  await queues.v6.add('six', {}, { jobId: 'six' });
  await queues.v5.add('five', {}, { jobId: 'five' });
  await own.bench.seen(id, (queue) => queue.counts.waiting === 2);
  await own.bench.pullOne('queue.resume', { queues: [id] });
  expect((await own.redis.client.lrange(`${id}:wait`, 0, -1)).sort()).toEqual(['five', 'six']);
  expect(await queues.v5.isPaused()).toBe(false);
  await queues.close();
});

it('a pause keeps the former concurrency, which can be changed meanwhile, and its undo restores it exactly', async () => {
  const id = 'bull:kept';
  const queues = openBoth(own.redis.port, 'kept');
  await queues.v6.setGlobalConcurrency(4);
  await queues.v6.add('work', {});
  await own.bench.seen(id, (queue) => queue.concurrency === 4);
  const paused = await own.bench.pullOne('queue.pause', { queues: [id] });
  expect(paused.fields).toContainEqual({ label: 'global concurrency', before: '4', after: '0' });

  const changed = await own.bench.pullOne('queue.concurrency', { queues: [id], args: { value: 9 } });
  expect(changed).toMatchObject({ status: 'applied', undo: { args: { value: 4 } } });
  expect(changed.preview?.summary).toMatch(/stays paused/);
  expect(await state(id, 'concurrency')).toBe('0');
  await own.bench.pullOne('queue.concurrency', { queues: [id], args: changed.undo?.args ?? {} });

  const undo = paused.undo;
  expect(undo).toMatchObject({ action: 'queue.resume', queues: [id] });
  const back = await own.bench.pullOne(undo?.action ?? '', { queues: undo?.queues ?? [], args: undo?.args });
  expect(back.status).toBe('applied');
  expect(await state(id, 'concurrency')).toBe('4');
  expect(await state(id, 'spillway.pause')).toBeNull();
  await queues.close();
});

it('a concurrency that the application sets over a pause stays when the pause is taken back', async () => {
  const id = 'bull:app';
  const queues = openBoth(own.redis.port, 'app');
  await queues.v6.add('work', {});
  await own.bench.seen(id);
  await own.bench.pullOne('queue.pause', { queues: [id] });
  await queues.v6.setGlobalConcurrency(3);
  await own.bench.seen(id, (queue) => queue.isPauseOverridden);
  await own.bench.pullOne('queue.resume', { queues: [id] });
  expect(await state(id, 'concurrency')).toBe('3');
  expect(await state(id, 'spillway.pause')).toBeNull();
  await queues.close();
});

it('setting a concurrency of 0 is refused with the way to pause, and resume says when 0 was there before', async () => {
  const id = 'bull:zero';
  const queues = openBoth(own.redis.port, 'zero');
  await queues.v6.setGlobalConcurrency(0);
  await queues.v6.add('work', {});
  await own.bench.seen(id, (queue) => queue.concurrency === 0);
  const zero = own.bench.pullOne('queue.concurrency', { queues: [id], args: { value: 0 } });
  await expect(zero).rejects.toThrow(/value: .*queue\.pause/);
  await own.bench.pullOne('queue.pause', { queues: [id] });
  const outcome = await own.bench.pullOne('queue.resume', { queues: [id] });
  expect(outcome.preview?.warnings.map((warning) => warning.text).join()).toMatch(/itself had set/);
  expect(await state(id, 'concurrency')).toBe('0');
  await queues.close();
});

it('a job that would be lost by the resume of BullMQ 5 is not put back into its paused queue', async () => {
  const id = 'bull:delayed';
  const queues = openBoth(own.redis.port, 'delayed');
  await queues.v5.add('later', {}, { delay: 3_600_000, jobId: 'later' });
  await queues.v5.add('now', {}, { jobId: 'now' });
  await queues.v5.pause();
  await own.bench.seen(id, (queue) => queue.flow === 'paused');
  const refused = await own.bench.pullOne('job.promote', { queues: [id], jobId: 'later' });
  expect(refused).toMatchObject({
    status: 'refused',
    summary: expect.stringMatching(/resume the queue first/),
  });
  await own.bench.pullOne('queue.resume', { queues: [id] });
  const promoted = await own.bench.pullOne('job.promote', { queues: [id], jobId: 'later' });
  expect(promoted.status).toBe('applied');
  await queues.close();
});
