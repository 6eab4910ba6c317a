import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderMetrics } from '../../server/routes/metrics.js';
import { anySnapshot } from '../support/any-snapshot.js';
import { parseExposition } from '../support/exposition.js';
import { aJobType, exactly, someRuns } from '../support/job-types.js';
import { aQueue, aSnapshot, NOW_MS } from '../support/snapshot.js';

const named = (samples: ReturnType<typeof parseExposition>['samples'], name: string) =>
  samples.filter((sample) => sample.name === `spillway_${name}`);

describe('/metrics of job types', () => {
  it('reports what waits, what ends, how long runs take and what is held, with base units', async () => {
    const type = aJobType({
      waiting: exactly(30),
      completedPerSecond: 2.5,
      failedPerSecond: 0.5,
      run: someRuns({ p50Ms: 200, p95Ms: 1_500, p99Ms: 10_100 }),
      memoryBytes: 4_096,
      slowThresholdMs: 1_000,
    });
    const snapshot = aSnapshot({ queues: [aQueue({ types: [type] })] });
    const { samples } = parseExposition(await renderMetrics([snapshot], { nowMs: NOW_MS, maxQueues: 10 }));
    const told = samples.filter(({ labels }) => labels.type === 'digest');
    expect(told.every(({ labels }) => labels.queue === 'bull:emails' && labels.redis === 'default')).toBe(
      true,
    );
    expect(
      Object.fromEntries(told.map(({ name, value }) => [name.replace('spillway_job_type_', ''), value])),
    ).toEqual({
      waiting_jobs: 30,
      silent_seconds: 0,
      completed_per_second: 2.5,
      failed_per_second: 0.5,
      run_p50_seconds: 0.2,
      run_p95_seconds: 1.5,
      run_p99_seconds: 10.1,
      slow_threshold_seconds: 1,
      memory_bytes: 4_096,
    });
  });

  it('has series of those with most work over all queues, and says how many it leaves out', async () => {
    const queues = ['a', 'b'].map((name, q) =>
      aQueue({
        name,
        types: Array.from({ length: 60 }, (_, i) =>
          aJobType({ name: `t${i}`, waiting: exactly(i), run: someRuns({ meanMs: q === 0 ? 1 : 1_000 }) }),
        ),
      }),
    );
    const { samples } = parseExposition(
      await renderMetrics([aSnapshot({ queues })], { nowMs: NOW_MS, maxQueues: 1, maxJobTypes: 3 }),
    );
    expect(named(samples, 'job_type_waiting_jobs').map(({ labels }) => [labels.queue, labels.type])).toEqual([
      ['bull:b', 't59'],
      ['bull:b', 't58'],
      ['bull:b', 't57'],
    ]);
    expect(named(samples, 'job_types_untold').map(({ value }) => value)).toEqual([117]);
    const all = parseExposition(
      await renderMetrics([aSnapshot({ queues })], { nowMs: NOW_MS, maxQueues: 1 }),
    );
    expect(named(all.samples, 'job_type_waiting_jobs')).toHaveLength(100);
  });

  it('keeps every name a job can have, and never exposes more than it says', async () => {
    await fc.assert(
      fc.asyncProperty(anySnapshot, async (snapshot) => {
        const options = { nowMs: NOW_MS, maxQueues: 50, maxJobTypes: 20 };
        const { samples } = parseExposition(await renderMetrics([snapshot], options));
        const waiting = named(samples, 'job_type_waiting_jobs');
        expect(waiting.length).toBeLessThanOrEqual(20);
        for (const { labels } of waiting)
          expect(
            snapshot.queues.some(
              ({ id, types }) => id === labels.queue && types.some(({ name }) => name === labels.type),
            ),
          ).toBe(true);
      }),
    );
  });
});
