import { expect, it } from 'vitest';
import type { HistoryLog } from '../../../server/history/history-log.js';
import { readHistoryFacts } from '../../../server/routes/gather.js';
import { signalNamed } from '../../../server/signals/index.js';
import type { SeriesRef } from '../../../server/signals/signal.js';
import { NOW_MS } from '../../support/snapshot.js';

const RANGE = { fromMs: NOW_MS, toMs: NOW_MS + 50_000 };
const asked = new Set<string>();

/** A history in steps of ten seconds that holds these values. */
function historyOf(
  values: readonly (readonly [Partial<SeriesRef>, readonly (number | null)[]])[],
): HistoryLog {
  const series = values.map(([ref, of]) => ({
    ref: { signal: '', instance: 'default', node: null, queue: null, type: null, ...ref },
    of,
  }));
  return {
    problem: () => null,
    async series({ signal, instance }) {
      asked.add(signal);
      return series.map(({ ref }) => ref).filter((ref) => ref.signal === signal && ref.instance === instance);
    },
    async read({ series: ref }) {
      const mean = series.find((one) => one.ref === ref)?.of ?? [];
      return { stepMs: 10_000, atMs: mean.map((_, i) => NOW_MS + i * 10_000), mean, min: mean, max: mean };
    },
  };
}
const read = (history: HistoryLog, queues: readonly string[] = []) =>
  readHistoryFacts(history, RANGE, ['default'], queues, 20);

it('peaks come with their time, over every node and queue', async () => {
  const facts = await read(
    historyOf([
      [{ signal: 'backlog_jobs' }, [10, 500, 40]],
      [{ signal: 'redis_used_ratio', node: 'a' }, [0.5, 0.6, 0.7]],
      [{ signal: 'redis_used_ratio', node: 'b' }, [0.5, 1.1, 0.7]],
      [{ signal: 'queue_oldest_waiting_seconds', queue: 'bull:mail' }, [1, 90, null]],
    ]),
  );
  expect(facts).toMatchObject({
    stepMs: 10_000,
    gapRatio: 0,
    backlogJobs: { value: 500, atMs: NOW_MS + 10_000 },
    memoryRatio: { value: 1.1, atMs: NOW_MS + 10_000 },
    longestWaitSeconds: { value: 90, atMs: NOW_MS + 10_000 },
    refusedPerSecond: null,
    failedJobs: null,
  });
});

it('all that wait while the backlog is above the threshold is added up: 500 jobs for 10 s and 40 for another', async () => {
  const facts = await read(
    historyOf([
      [{ signal: 'backlog_jobs' }, [0, 500, 40]],
      [{ signal: 'queue_backlog_jobs', queue: 'bull:mail' }, [0, 500, 40]],
      [{ signal: 'queue_backlog_jobs', queue: 'bull:calm' }, [0, 19, 3]],
    ]),
  );
  expect(facts?.delayed).toEqual([{ queue: 'bull:mail', peakJobs: 500, waitedJobSeconds: 5_400 }]);
});

it('failures add up over rises; what was cleaned meanwhile does not take them back', async () => {
  const failed = [{ signal: 'queue_failed_jobs', queue: 'bull:mail' }, [5, 8, null, 2, 6]] as const;
  const facts = await read(historyOf([[{ signal: 'backlog_jobs' }, [1]], failed]));
  expect(facts?.failedJobs).toBe(3 + 4);
});

it('gaps are counted, and a range of gaps alone is no history', async () => {
  expect((await read(historyOf([[{ signal: 'backlog_jobs' }, [1, null, null, 1]]])))?.gapRatio).toBe(0.5);
  expect(await read(historyOf([[{ signal: 'backlog_jobs' }, [null, null]]]))).toBeNull();
  expect(await read(historyOf([]))).toBeNull();
});

it('only queues of the incident are read where it names some', async () => {
  const facts = await read(
    historyOf([
      [{ signal: 'backlog_jobs' }, [600]],
      [{ signal: 'queue_backlog_jobs', queue: 'bull:mail' }, [500]],
      [{ signal: 'queue_backlog_jobs', queue: 'bull:other' }, [600]],
    ]),
    ['bull:mail'],
  );
  expect(facts?.delayed.map(({ queue }) => queue)).toEqual(['bull:mail']);
});

it('every signal that is asked for is in the registry', () => {
  expect(asked.size).toBe(6);
  for (const signal of asked) expect(signalNamed(signal)?.name).toBe(signal);
});
