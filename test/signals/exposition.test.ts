import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderMetrics } from '../../server/routes/metrics.js';
import { SIGNALS } from '../../server/signals/index.js';
import { anySnapshot } from '../support/any-snapshot.js';
import { parseExposition } from '../support/exposition.js';
import { aNode, aQueue, aSnapshot, MB, NOW_MS, someRates } from '../support/snapshot.js';

const options = { nowMs: NOW_MS, maxQueues: 50 };

describe('/metrics', () => {
  test('every number of the watch has a name, and names follow Prometheus', () => {
    const names = SIGNALS.map((signal) => signal.name);
    expect(new Set(names).size).toBe(names.length);
    for (const signal of SIGNALS) {
      expect(signal.name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(signal.help).toMatch(/\.$/);
      expect(signal.name.endsWith('_total')).toBe(signal.kind === 'counter');
      if (signal.unit === 'bytes') expect(signal.name).toMatch(/_bytes$/);
      if (signal.unit === 'seconds') expect(signal.name).toMatch(/_seconds$/);
      if (signal.unit === 'ratio') expect(signal.name).toMatch(/_ratio$/);
    }
  });

  test('memory, queues and the console itself are there with their values', async () => {
    const snapshot = aSnapshot({
      nodes: [aNode({ countedBytes: 40 * MB })],
      queues: [
        aQueue({
          counts: { waiting: 12 },
          rates: someRates({ arrivalsPerSecond: 2.5 }),
          drainSeconds: Number.POSITIVE_INFINITY,
        }),
      ],
    });
    const { samples } = parseExposition(await renderMetrics([snapshot], options));
    const value = (name: string) => samples.find((sample) => sample.name === `spillway_${name}`)?.value;
    expect(value('redis_up')).toBe(1);
    expect(value('redis_counted_bytes')).toBe(40 * MB);
    expect(value('redis_limit_bytes')).toBe(100 * MB);
    expect(value('queue_waiting_jobs')).toBe(12);
    expect(value('queue_arrivals_per_second')).toBe(2.5);
    expect(value('queue_oldest_waiting_seconds')).toBe(60);
    expect(value('queue_drain_seconds')).toBe(Number.POSITIVE_INFINITY);
    expect(value('console_snapshot_age_seconds')).toBe(0);
    expect(value('console_redis_cpu_ratio')).toBe(0.002);
    expect(value('redis_full_in_seconds')).toBeUndefined();
  });

  test('labels come back as they were, whatever characters a queue is named with', async () => {
    await fc.assert(
      fc.asyncProperty(anySnapshot, async (snapshot) => {
        const { samples, types } = parseExposition(await renderMetrics([snapshot], options));
        const names = samples.map((sample) => sample.name);
        for (const name of names) expect(types.has(name)).toBe(true);
        const waiting = samples.filter((sample) => sample.name === 'spillway_queue_waiting_jobs');
        if (waiting.length === 0) return;
        expect(waiting.map((sample) => sample.labels.queue)).toEqual(
          snapshot.queues.map((queue) => queue.id),
        );
        expect(waiting.map((sample) => sample.value)).toEqual(
          snapshot.queues.map((queue) => queue.counts.waiting),
        );
      }),
    );
  });

  test('several instances share one HELP and one TYPE a metric', async () => {
    const text = await renderMetrics([aSnapshot(), aSnapshot({ instance: 'other' })], options);
    expect(text.match(/^# TYPE spillway_redis_used_bytes /gm)).toHaveLength(1);
    expect(text.match(/^spillway_redis_used_bytes\{/gm)).toHaveLength(2);
  });

  describe('with more queues than labels are allowed for', () => {
    const queues = [
      ...Array.from({ length: 30 }, (_, i) =>
        aQueue({
          name: `quiet${i}`,
          counts: { waiting: 1, active: 2 },
          oldestWaitingAtMs: NOW_MS - i * 1000,
          lastDepartureAtMs: NOW_MS,
        }),
      ),
      aQueue({ name: 'deep', counts: { waiting: 500 }, lastDepartureAtMs: NOW_MS }),
      aQueue({ name: 'orphan', counts: { waiting: 3 }, workers: 0 }),
    ];

    test('queues in trouble and deep ones keep their names, the rest is summed, and nothing is lost', async () => {
      const text = await renderMetrics([aSnapshot({ queues })], { nowMs: NOW_MS, maxQueues: 2 });
      const { samples } = parseExposition(text);
      const waiting = samples.filter((sample) => sample.name === 'spillway_queue_waiting_jobs');
      expect(waiting.map((sample) => [sample.labels.queue, sample.value])).toEqual([
        ['bull:orphan', 3],
        ['bull:deep', 500],
        ['other', 30],
      ]);
      expect(samples.find((sample) => sample.name === 'spillway_queues_folded')?.value).toBe(30);
      const oldest = samples.filter((sample) => sample.name === 'spillway_queue_oldest_waiting_seconds');
      expect(oldest.find((sample) => sample.labels.queue === 'other')?.value).toBe(29);
    });

    test('counters and settings, whose sum over a changing set means nothing, are not folded', async () => {
      const { samples } = parseExposition(
        await renderMetrics([aSnapshot({ queues })], { nowMs: NOW_MS, maxQueues: 2 }),
      );
      const added = samples.filter((sample) => sample.name === 'spillway_queue_added_jobs_total');
      expect(added.map((sample) => sample.labels.queue)).toEqual(['bull:orphan', 'bull:deep']);
    });
  });

  test('while the console is blind only that is exposed: old numbers are not reported as new', async () => {
    const blind = aSnapshot({
      queues: [aQueue({ counts: { waiting: 5 } })],
      link: { status: 'stale', lastReadAtMs: NOW_MS - 30_000 },
    });
    const { samples } = parseExposition(await renderMetrics([blind], options));
    expect(samples.find((sample) => sample.name === 'spillway_redis_up')?.value).toBe(0);
    expect(samples.find((sample) => sample.name === 'spillway_console_snapshot_age_seconds')?.value).toBe(30);
    expect(samples.filter((sample) => /used_bytes|waiting|backlog/.test(sample.name))).toEqual([]);
  });
});
