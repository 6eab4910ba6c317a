import { describe, expect, it } from 'vitest';
import { predict } from '../../server/forecast/predict.js';
import { planInput, typeLoad } from '../support/plan-input.js';
import { MB } from '../support/snapshot.js';

const measured = (departuresPerSecond: number) => ({
  departuresPerSecond,
  departuresRange: [departuresPerSecond * 0.97, departuresPerSecond * 1.03] as const,
});

describe('drain time', () => {
  it('a backlog drains at what slots do less what arrives, and the sentence says so with numbers', () => {
    const plan = predict(planInput(), {});
    expect(plan.throughputPerSecond).toBeCloseTo(100);
    expect(plan.drainSeconds).toBeCloseTo(200);
    expect(plan.bottleneck).toBe('workers');
    expect(plan.reason).toBe(
      '20 slots in 2 processes do 100/s at 200 ms a job, against 50/s that arrive: the 10,000 jobs that wait are gone in about 3 min 20 s.',
    );
  });

  it('what waits is served in its own mix, and what comes meanwhile in that of the arrivals', () => {
    const slow = typeLoad({ name: 'export', waiting: 1_000, arrivalsPerSecond: 0, runMs: 1_000 });
    const fast = typeLoad({ name: 'ping', waiting: 0, arrivalsPerSecond: 10, runMs: 100 });
    const plan = predict(planInput({ types: [slow, fast] }), {});
    // 50 s for 1,000 jobs at 20/s; then 500 that came, at 200 − 10 per second.
    expect(plan.drainSeconds).toBeCloseTo(50 + 500 / 190, 1);
  });

  it('workers that do two thirds of what their slots should are expected to go on so', () => {
    const plan = predict(planInput({ measured: measured(70) }), { concurrency: 40 });
    expect(plan.throughputPerSecond).toBeGreaterThan(135);
    expect(plan.throughputPerSecond).toBeLessThan(155);
    expect(plan.throughputRange[0]).toBeLessThan(140);
  });

  it('retries cost slots: half of the attempts failing makes three attempts out of 1.75', () => {
    const types = [typeLoad({ failureRatio: 0.5, attempts: 3, arrivalsPerSecond: 0 })];
    const plan = predict(planInput({ types }), {});
    expect(plan.throughputPerSecond).toBeCloseTo(100 / 1.75);
    expect(plan.warnings.join()).toContain('50% of the attempts of mail fail');
  });

  it('a queue that never drains says by how much it grows, and that is certain', () => {
    const plan = predict(planInput({ types: [typeLoad({ arrivalsPerSecond: 300 })] }), {});
    expect(plan.drainSeconds).toBeNull();
    expect(plan.drainRange).toEqual([null, null]);
    expect(plan.reason).toContain('grows by 200/s');
  });

  it('where it may never drain the range is open, with a warning', () => {
    const plan = predict(planInput({ types: [typeLoad({ arrivalsPerSecond: 98 })] }), {});
    expect(plan.drainSeconds).toBeCloseTo(5_000);
    expect(plan.drainRange[1]).toBeNull();
    expect(plan.warnings.join()).toContain('may never drain');
  });

  it('a queue without a backlog is limited by what arrives', () => {
    const plan = predict(planInput({ types: [typeLoad({ waiting: 0 })] }), {});
    expect(plan).toMatchObject({ bottleneck: 'arrivals', drainSeconds: 0, throughputPerSecond: 50 });
  });

  it('nothing drains without workers, while paused, or while paused by a global concurrency of 0', () => {
    expect(predict(planInput({ processes: 0, slots: 0 }), {})).toMatchObject({
      bottleneck: 'workers',
      drainSeconds: null,
    });
    expect(predict(planInput({ isPaused: true }), {})).toMatchObject({
      bottleneck: 'paused',
      drainSeconds: null,
    });
    expect(predict(planInput({ globalConcurrency: 0 }), {}).bottleneck).toBe('paused');
    expect(predict(planInput({ isPaused: true }), { pauseQueue: false }).drainSeconds).toBeCloseTo(200, -1);
  });
});

describe('a client that batches 20 requests or 10 s', () => {
  const track = typeLoad({
    name: 'track',
    waiting: 100_000,
    arrivalsPerSecond: 0,
    runMs: 100,
    batch: { flushTimeoutMs: 10_000, batchSize: 20, batchSizeAtLeast: 5 },
  });
  const input = planInput({ types: [track], processes: 1, slots: 5, measured: measured(0.5) });

  it('5 slots wait for the flush timeout', () => {
    const plan = predict(input, {});
    expect(plan.bottleneck).toBe('batch-wait');
    expect(plan.throughputPerSecond).toBeCloseTo(0.5, 1);
    expect(plan.reason).toContain('Jobs wait up to 10 s for a batch of 20 to fill, with 5 slots');
  });

  it('19 slots a process still wait, 20 are a cliff: batches fill at once', () => {
    expect(predict(input, { concurrency: 19 }).throughputPerSecond).toBeLessThan(2.5);
    expect(predict(input, { concurrency: 20 }).throughputPerSecond).toBeGreaterThan(150);
  });

  it('what counts is slots in each process, not in all of them', () => {
    const plan = predict({ ...input, processes: 4, slots: 20, measured: measured(2) }, { concurrency: 60 });
    expect(plan.bottleneck).toBe('batch-wait');
  });

  it('200 slots drain 100,000 jobs in about a minute; measured, one live order did it in 27 s', () => {
    const plan = predict(input, { concurrency: 200 });
    expect(plan.drainSeconds).toBeGreaterThan(10);
    expect(plan.drainSeconds).toBeLessThan(70);
  });

  it('jobs of another type pass only until all slots wait for the batch', () => {
    const mail = typeLoad({ waiting: 100_000, arrivalsPerSecond: 0, runMs: 200 });
    const mixed = { ...input, types: [track, mail], measured: null };
    // Without batches 15 slots would do 100/s; each of them ends up held, after one other job on average.
    const starved = predict(mixed, { concurrency: 15 });
    expect(starved.bottleneck).toBe('batch-wait');
    expect(starved.throughputPerSecond).toBeCloseTo((2 * 15) / 10.1, 0);
    expect(predict(mixed, { concurrency: 40 }).throughputPerSecond).toBeGreaterThan(150);
  });

  it('with a batch size that is not known, the range reaches from batches that starve to batches that fill', () => {
    const unknown = { ...track, batch: { flushTimeoutMs: 10_000, batchSize: null, batchSizeAtLeast: 5 } };
    const plan = predict({ ...input, types: [unknown] }, { concurrency: 40 });
    expect(plan.throughputRange[0]).toBeLessThan(5);
    expect(plan.throughputRange[1]).toBeGreaterThan(300);
    // Common batches of more than the 5 that were seen to starve: 20 is the middle of them.
    expect(plan.throughputPerSecond).toBeCloseTo(400, -1);
    expect(plan.drainRange[1]).toBeGreaterThan(20_000);
    expect(plan.warnings.join()).toContain('batch size is not known (6 or more)');
    expect(predict({ ...input, types: [unknown] }, {}).throughputRange[1]).toBeLessThan(1);
  });

  it('jobs that leave far faster than starved slots can let them show that batches fill', () => {
    const unknown = { ...track, batch: { flushTimeoutMs: 10_000, batchSize: null, batchSizeAtLeast: 5 } };
    const plan = predict({ ...input, types: [unknown], measured: measured(48) }, {});
    expect(plan.bottleneck).toBe('workers');
    expect(plan.throughputPerSecond).toBeCloseTo(48, -1);
  });
});

describe('limits are named', () => {
  it('a rate limit below what slots do', () => {
    const plan = predict(planInput(), { rateLimit: { max: 60, durationMs: 1000 } });
    expect(plan).toMatchObject({ bottleneck: 'rate-limit', throughputPerSecond: 60 });
    expect(plan.reason).toContain('60 per second');
  });

  it('a rate limit counts attempts, so retries use it up', () => {
    const types = [typeLoad({ failureRatio: 0.5, attempts: 2, arrivalsPerSecond: 0 })];
    const plan = predict(planInput({ types }), { rateLimit: { max: 30, durationMs: 1000 } });
    expect(plan.throughputPerSecond).toBeCloseTo(20);
  });

  it('a global concurrency below the slots of the workers', () => {
    const plan = predict(planInput(), { globalConcurrency: 15 });
    expect(plan).toMatchObject({ bottleneck: 'global-concurrency', throughputPerSecond: 75 });
  });

  it('the one core of Redis: 50 µs a job at half a core leaves room for less than twice as much', () => {
    const types = [typeLoad({ runMs: 2, waiting: 1_000_000, arrivalsPerSecond: 0 })];
    const input = planInput({
      types,
      processes: 20,
      slots: 20,
      measured: measured(10_000),
      redisCpuRatio: 0.5,
    });
    const plan = predict(input, { concurrency: 2_000 });
    expect(plan.bottleneck).toBe('redis');
    expect(plan.throughputPerSecond).toBeCloseTo(19_000, -2);
  });

  it('event loops that are busy: more slots in the same processes bring little', () => {
    const input = planInput({ measured: measured(95), loopUtilisation: 0.9 });
    const plan = predict(input, { concurrency: 200 });
    expect(plan.bottleneck).toBe('event-loop');
    expect(plan.throughputPerSecond).toBeLessThan(110);
    // Seen at little load, the ceiling is far away and not well known.
    const calm = predict({ ...input, loopUtilisation: 0.2 }, { concurrency: 2_000 });
    expect(calm.bottleneck).toBe('event-loop');
    expect(calm.throughputRange[0]).toBeLessThan(calm.throughputPerSecond / 2);
  });
});

describe('memory', () => {
  const memory = { countedBytes: 90 * MB, limitBytes: 100 * MB, otherGrowthBytesPerSecond: 0 };

  it('a backlog that drains gives its memory back, about 40 points to twice the drain time', () => {
    const { memory: points, drainSeconds, fullInSeconds } = predict(planInput({ memory }), {});
    expect(points).toHaveLength(41);
    expect(points[40]?.atSeconds).toBeCloseTo(2 * (drainSeconds ?? 0));
    expect(points[40]?.bytes).toBeCloseTo(90 * MB - 10_000 * 1_000, -4);
    expect(fullInSeconds).toBeNull();
  });

  it('a backlog that grows fills Redis: when, and no further than the limit', () => {
    const types = [typeLoad({ arrivalsPerSecond: 300 })];
    const plan = predict(planInput({ types, memory }), {});
    expect(plan.fullInSeconds).toBeCloseTo((10 * MB) / (200 * 1_000), 0);
    expect(Math.max(...plan.memory.map(({ highBytes }) => highBytes))).toBeLessThanOrEqual(100 * MB);
    expect(plan.warnings.join()).toContain('full in');
  });

  it('jobs that are retained give nothing back, so a drain can fill Redis', () => {
    const types = [typeLoad({ arrivalsPerSecond: 50, keepsBytesWhenDone: 1_000, waiting: 30_000 })];
    const plan = predict(planInput({ types, memory }), {});
    expect(plan.drainSeconds).toBeCloseTo(600);
    expect(plan.fullInSeconds).toBeCloseTo((10 * MB) / 50_000, 0);
    expect(plan.warnings.join()).toContain('before the backlog is gone');
  });

  it('over the limit only busy slots go on: a raise changes nothing and is warned of', () => {
    const full = { ...memory, countedBytes: 180 * MB };
    const input = planInput({ memory: full, measured: measured(30) });
    const plan = predict(input, { concurrency: 100 });
    expect(plan).toMatchObject({ bottleneck: 'full', throughputPerSecond: 30, fullInSeconds: 0 });
    expect(plan.whileFull).toContain('Make room first');
    expect(predict(input, { concurrency: 4 }).whileFull).toContain('fewer slots');
    expect(predict({ ...input, measured: null }, {}).drainSeconds).toBeNull();
  });

  it('room that is made lets all slots go on', () => {
    const full = { ...memory, countedBytes: 101 * MB };
    const input = planInput({ memory: full, measured: measured(5) });
    for (const change of [{ freedBytes: 5 * MB }, { addedLimitBytes: 5 * MB }]) {
      expect(predict(input, change)).toMatchObject({ bottleneck: 'workers', throughputPerSecond: 100 });
    }
  });

  it('busy slots that drain a full Redis make the room themselves', () => {
    const types = [typeLoad({ arrivalsPerSecond: 0 })];
    const full = { ...memory, countedBytes: 100 * MB + 100_000 };
    const plan = predict(planInput({ types, memory: full, measured: measured(10) }), {});
    // 100 jobs at 10/s, the other 9,900 at 100/s.
    expect(plan.drainSeconds).toBeCloseTo(10 + 99, 0);
  });
});
