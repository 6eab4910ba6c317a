import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { planBasisOf } from '../../server/forecast/plan-basis.js';
import { predict } from '../../server/forecast/predict.js';
import type { QueueState, Snapshot } from '../../server/model/snapshot.js';
import type { WorkerState } from '../../server/model/worker.js';
import { anySnapshot } from '../support/any-snapshot.js';
import { aWorker, type WorkerOver } from '../support/fleet.js';
import { aBatchWait, aType, runsOf } from '../support/job-types.js';
import {
  aFullNode,
  aNode,
  aQueue,
  aSnapshot,
  MB,
  NOW_MS,
  someMemory,
  someRates,
  someType,
} from '../support/snapshot.js';

/** A thousand jobs wait, 10 arrive and 25 leave a second; sampled, and measured for a minute. */
function backlog(over: Parameters<typeof aQueue>[0] = {}): QueueState {
  return aQueue({
    counts: { waiting: 1000, active: 10 },
    rates: someRates({ arrivalsPerSecond: 10, departuresPerSecond: 25, growthPerSecond: -15 }),
    types: [
      aType({ name: 'track', waits: 90, arrivalsPerSecond: 4, run: runsOf(400) }),
      aType({ name: 'mail', waits: 10, arrivalsPerSecond: 1, run: runsOf(100) }),
    ],
    memory: someMemory({
      backlogBytes: 2 * MB,
      types: [someType({ type: 'track', backlogBytes: 909_000, unfinished: 909, bytesPerJob: 5000 })],
    }),
    ...over,
  });
}

function worker(id: string, over: WorkerOver = {}): WorkerState {
  return aWorker({ id, ...over, agent: over.agent === null ? null : { agentId: id, ...over.agent } });
}

function basis(queue: QueueState, over: Parameters<typeof aSnapshot>[0] = {}) {
  const made = planBasisOf(
    aSnapshot({ queues: [queue], workers: [worker('a'), worker('b')], ...over }),
    queue.id,
  );
  if (!made) throw new Error('no such queue');
  return made;
}

describe('what is known of a queue', () => {
  it('is taken as it is where every worker has the agent, and nothing is assumed', () => {
    const { input, assumed } = basis(backlog());
    expect(input).toMatchObject({ slots: 20, processes: 2, isPaused: false, rateLimit: null });
    expect(input.measured?.departuresPerSecond).toBe(25);
    expect(assumed).toEqual([]);
  });

  it('scales samples of job types to the jobs that are there', () => {
    const [track, mail] = basis(backlog()).input.types;
    expect(track).toMatchObject({ name: 'track', waiting: 900, arrivalsPerSecond: 8, runMs: 400 });
    expect(mail).toMatchObject({ name: 'mail', waiting: 100, arrivalsPerSecond: 2, runMs: 100 });
    // What waits of a type, and not the mean of all its jobs, of which some are done and hold results.
    expect(track?.bytesPerJob).toBe(1000);
  });

  it('says that slots are assumed where no worker has the agent', () => {
    const { input, assumed } = basis(backlog({ workers: 2 }), { workers: [] });
    expect(input).toMatchObject({ slots: 10, processes: 2 });
    expect(assumed.join()).toContain('No worker has the agent: 10 slots are assumed for them');
  });

  it('takes the time of a job from what runs and leaves where no run was seen', () => {
    const { input } = basis(backlog({ types: [], workers: 2 }), { workers: [] });
    expect(input.types).toHaveLength(1);
    expect(input.types[0]).toMatchObject({ waiting: 1000, arrivalsPerSecond: 10, runMs: 400 });
  });

  it('says that run times are not known where nothing has ended yet', () => {
    const { assumed } = basis(backlog({ types: [], rates: null }), { workers: [] });
    expect(assumed.join()).toContain('Run times are not known yet');
  });

  it('does not count on workers that crashed, hang, are paused or closing', () => {
    const paused = worker('p', { agent: { paused: 'order' } });
    const closing = worker('c', { agent: { isClosing: true } });
    const gone = worker('g', { isConnected: false });
    const { input } = basis(backlog(), { workers: [worker('a'), paused, closing, gone] });
    expect(input).toMatchObject({ slots: 10, processes: 1 });
  });

  it('forecasts nothing with a measurement that was taken partly under other settings', () => {
    const order = {
      scope: '*',
      setting: 'concurrency',
      value: 10,
      by: 'x',
      reason: 'x',
      untilMs: null,
      orderId: 'o',
    };
    const queue = backlog({ overrides: [{ ...order, setting: 'concurrency', atMs: NOW_MS - 10_000 }] });
    // What the agents finished in the last seconds, all of it after the order.
    expect(basis(queue).input.measured?.departuresPerSecond).toBe(10);
    expect(basis(queue, { workers: [] }).input.measured).toBeNull();
  });

  it('forecasts nothing with what left while workers were there that have crashed since', () => {
    const crash = { agentId: 'c', lastBeatAtMs: NOW_MS - 12_000, running: 10 };
    const crashed = worker('c', { isConnected: false, lastSeenAtMs: NOW_MS - 12_000, agent: crash });
    const { input } = basis(backlog(), { workers: [worker('a'), worker('b'), crashed] });
    expect(input.slots).toBe(20);
    // 25 left a second over 30 s; the two that are left finish 5 each.
    expect(input.measured?.departuresPerSecond).toBe(10);
  });

  it('counts on what comes now after a burst, and on the mean where the difference is chance', () => {
    const burst = (perSecond: number) =>
      basis(
        backlog({
          rates: {
            ...someRates({ arrivalsPerSecond: 3_000, departuresPerSecond: 25 }),
            recentArrivals: { perSecond, windowMs: 5_000 },
          },
        }),
      ).input.types.reduce((sum, type) => sum + type.arrivalsPerSecond, 0);
    expect(burst(0)).toBe(0);
    expect(burst(9_000)).toBeCloseTo(9_000);
    expect(burst(2_900)).toBeCloseTo(3_000);
  });

  it('knows a pause from what it will be resumed with', () => {
    const pause = { formerConcurrency: 6, atMs: NOW_MS - 90_000, actor: 'x' };
    const { input } = basis(backlog({ flow: 'paused-by-spillway', concurrency: 0, pause }));
    expect(input).toMatchObject({ isPaused: true, globalConcurrency: 6 });
    expect(predict(input, {}).bottleneck).toBe('paused');
    expect(predict(input, { pauseQueue: false }).bottleneck).toBe('global-concurrency');
  });

  it('counts a rate limit in the windows of the workers, where they have their own', () => {
    const limited = worker('a', {
      agent: { limiter: { deployed: null, now: { max: 5, durationMs: 2000 } } },
    });
    const queue = backlog({ rateLimit: { max: 100, durationMs: 1000 } });
    expect(basis(queue, { workers: [limited] }).input.rateLimit).toEqual({ max: 100, durationMs: 2000 });
    expect(basis(backlog(), { workers: [limited] }).input.rateLimit).toEqual({ max: 5, durationMs: 2000 });
  });

  it('sees that runs wait for a batch, and not that they are slow', () => {
    const track = aType({ waits: 1000, run: runsOf(10_000), batchWait: aBatchWait() });
    const queue = backlog({
      types: [track],
      rates: someRates({ arrivalsPerSecond: 0, departuresPerSecond: 2 }),
    });
    const { input } = basis(queue);
    expect(input.types[0]?.batch).toEqual({ flushTimeoutMs: 9_900, batchSize: 20, batchSizeAtLeast: 6 });
    expect(predict(input, {}).bottleneck).toBe('batch-wait');
    const raised = predict(input, { concurrency: 80 });
    expect(raised.throughputPerSecond).toBeGreaterThan(50);
  });

  it('reports how often failing jobs are tried from attempts per job that leaves', () => {
    const failing = aType({ waits: 10, run: runsOf(100), completedPerSecond: 20, failedPerSecond: 20 });
    // Half of 40 attempts fail and 22 jobs leave, 20 done and few for good: 1 + ½ + ¼ + … ≈ 1.8.
    const { input } = basis(backlog({ types: [failing], rates: someRates({ departuresPerSecond: 22 }) }));
    expect(input.types[0]).toMatchObject({ failureRatio: 0.5, attempts: 3 });
  });

  it('keeps in mind what done jobs leave in Redis, unless as many are removed as come', () => {
    const memory = someMemory({ backlogBytes: MB, completedBytes: 4 * MB });
    const all = backlog({ memory, counts: { waiting: 1000, completed: 4096 }, addedTotal: 5096 });
    expect(basis(all).input.types[0]?.keepsBytesWhenDone).toBe(1024);
    const some = backlog({ memory, counts: { waiting: 1000, completed: 4096 }, addedTotal: 500_000 });
    expect(basis(some).input.types[0]?.keepsBytesWhenDone).toBe(0);
  });

  it('finds the event loops saturated when most of them are late', () => {
    // Of one that does not say what CPU it uses, too.
    const late = { agent: { loopDelayP99Ms: 400, delay: null } };
    const { input } = basis(backlog(), { workers: [worker('a', late), worker('b', late)] });
    const more = predict(input, { concurrency: 400 });
    expect(more.bottleneck).toBe('event-loop');
    expect(more.throughputPerSecond).toBeLessThan(30);
  });

  it('does not take for saturated those that are late because their host has no CPU to spare', () => {
    const late = (cpuRatio: number) => ({
      agent: { loopDelayP99Ms: 400, delay: { heldUpRatio: 0.6, cpuRatio } },
    });
    const more = (cpuRatio: number) => {
      const workers = [worker('a', late(cpuRatio)), worker('b', late(cpuRatio))];
      return predict(basis(backlog(), { workers }).input, { concurrency: 400 }).bottleneck;
    };
    expect(more(0.05)).not.toBe('event-loop');
    expect(more(0.9)).toBe('event-loop');
  });

  it('holds a full Redis for full, and one that evicts for one that refuses nothing', () => {
    const full = basis(backlog(), { nodes: [aFullNode()] }).input;
    expect(predict(full, { concurrency: 400 }).bottleneck).toBe('full');
    const evicting = aNode({ countedBytes: 110 * MB, maxBytes: 100 * MB, policy: 'allkeys-lru' });
    expect(basis(backlog(), { nodes: [evicting] }).input.memory?.limitBytes).toBeNull();
  });

  it('has no queue that there is not', () => {
    expect(planBasisOf(aSnapshot(), 'bull:none')).toBeNull();
  });
});

const anyRun = fc.option(
  fc.double({ min: 0, max: 1e7, noNaN: true }).chain((ms) => fc.nat(5000).map((count) => runsOf(ms, count))),
);
const anyRate = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }));
const anyJobType = fc
  .record({
    name: fc.constantFrom('a', 'b', '(other)'),
    waits: fc.nat(1_000_000),
    run: anyRun,
    arrivalsPerSecond: anyRate,
    completedPerSecond: anyRate,
    failedPerSecond: anyRate,
    bytesPerJob: anyRate,
    batchWait: fc.option(
      fc
        .record({
          flushTimeoutMs: fc.nat(100_000),
          batchSize: fc.option(fc.nat(500)),
          isStarved: fc.boolean(),
        })
        .map(aBatchWait),
    ),
  })
  .map(aType);
const anyWorkers = (queueId: string) =>
  fc.array(
    fc
      .record({ slots: fc.nat(1000), running: fc.nat(1000), late: fc.nat(1000), has: fc.boolean() })
      .map((of) =>
        worker(`w${of.slots}`, {
          queueId,
          agent: of.has
            ? { concurrency: { deployed: 1, now: of.slots }, running: of.running, loopDelayP99Ms: of.late }
            : null,
        }),
      ),
    { maxLength: 4 },
  );
/** Any Snapshot, with job types and workers in its first queue. */
const anyInhabited: fc.Arbitrary<Snapshot> = anySnapshot.chain((snapshot) =>
  fc
    .record({
      types: fc.array(anyJobType, { maxLength: 3 }),
      workers: anyWorkers(snapshot.queues[0]?.id ?? ''),
    })
    .map(({ types, workers }) => ({
      ...snapshot,
      workers,
      queues: snapshot.queues.map((queue, i) => (i === 0 ? { ...queue, types } : queue)),
    })),
);

it('a rate that is left over from a subtraction is none, and its forecast has a range', () => {
  const rates = someRates({ arrivalsPerSecond: 10, departuresPerSecond: 1.5e-305 });
  const { input } = basis(backlog({ rates }));
  expect(input.measured?.departuresPerSecond).toBe(0);
  expect(predict(input, {}).throughputRange.every(Number.isFinite)).toBe(true);
});

test('whatever a Redis looks like, no number of what is known of it is NaN, infinite or below 0', () => {
  fc.assert(
    fc.property(anyInhabited, (snapshot) => {
      for (const { id, backlog: waits } of snapshot.queues) {
        const made = planBasisOf(snapshot, id);
        if (!made) throw new Error('a queue is not found');
        const { otherGrowthBytesPerSecond = 0, ...memory } = made.input.memory ?? {};
        expect(Number.isFinite(otherGrowthBytesPerSecond)).toBe(true);
        expect(
          wrongNumbers({ ...made.input, memory }, (value) => Number.isFinite(value) && value >= 0),
        ).toEqual([]);
        const waiting = made.input.types.reduce((sum, type) => sum + type.waiting, 0);
        expect(waiting).toBeCloseTo(waits, 3);
        for (const change of [{}, { concurrency: 100 }, { pauseQueue: false, rateLimit: null }])
          expect(wrongNumbers(predict(made.input, change), Number.isFinite)).toEqual([]);
        for (const text of made.assumed) expect(text).not.toMatch(/NaN|undefined|Infinity|null/);
      }
    }),
    { numRuns: 200 },
  );
});

/** Where numbers stand that are not as they should be. */
function wrongNumbers(value: unknown, isRight: (value: number) => boolean, path = ''): readonly string[] {
  if (typeof value === 'number') return isRight(value) ? [] : [`${path} ${value}`];
  return typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, one]) => wrongNumbers(one, isRight, `${path}.${key}`))
    : [];
}
