import { expect, it } from 'vitest';
import type { DataLoss, QueueState } from '../../server/model/snapshot.js';
import type { QueueReading } from '../../server/redis/queue-reading.js';
import { DataLossWatch, LOSS_SHOWN_MS } from '../../server/watch/data-loss.js';
import { aQueue, NOW_MS } from '../support/snapshot.js';

const QUEUES = ['mail', 'web', 'sms', 'push'].map((name) =>
  aQueue({ name, addedTotal: 100, counts: { waiting: 20, failed: 3 } }),
);
function read(queue: QueueState, over: Partial<QueueReading> = {}): QueueReading {
  const { completed, failed, ...counts } = queue.counts;
  return {
    ...{
      id: queue.id,
      exists: true,
      isPartial: false,
      counts,
      delayedDue: 0,
      finished: { completed, failed },
    },
    ...{
      eventsLength: null,
      addedTotal: queue.addedTotal,
      meta: null,
      hasLimiter: false,
      alsoFound: null,
      limiterTtlMs: null,
    },
    ...{ headJobIds: [], age: null, ...over },
  };
}
const GONE = { exists: false, addedTotal: 0 };

it('a failover to a replica that has all loses nothing; to one that is behind, what it had not got', () => {
  const watch = new DataLossWatch(null);
  watch.suspect('A failover', NOW_MS);
  for (const queue of QUEUES) watch.note(queue, read(queue, { addedTotal: 105 }), 4, NOW_MS);
  expect(watch.current(NOW_MS)).toBeNull();
  watch.suspect('A failover', NOW_MS);
  for (const [i, queue] of QUEUES.entries())
    watch.note(
      queue,
      read(queue, i === 1 ? { addedTotal: 98, counts: { ...queue.counts, waiting: 18 } } : {}),
      4,
      NOW_MS,
    );
  expect(watch.current(NOW_MS)?.queues).toEqual([{ id: 'bull:web', jobsBefore: 23, jobsNow: 21 }]);
  expect(watch.takeNews(4, NOW_MS)?.text).toBe(
    'A failover, and 1 of 4 queues came back empty, older or not at all: at least 2 jobs missing (bull:web 2)',
  );
  expect(watch.takeNews(4, NOW_MS)).toBeNull();
});

it('without a cause that shows, one queue that is gone is an obliterate, and most of them at once are a loss', () => {
  const watch = new DataLossWatch(null);
  const gone = (i: number, seconds: number): DataLoss | null => {
    const queue = QUEUES[i] as QueueState;
    watch.note(queue, read(queue, GONE), 4, NOW_MS + seconds * 1000);
    return watch.current(NOW_MS + seconds * 1000);
  };
  expect(gone(0, 0)).toBeNull();
  expect(gone(1, 60)).toBeNull();
  expect(gone(2, 61)).toBeNull();
  expect(
    gone(3, 62)
      ?.queues.map(({ id }) => id)
      .sort(),
  ).toEqual(['bull:push', 'bull:sms', 'bull:web']);
});

it('a console that restarts goes on to tell a loss of before, for a day in all', () => {
  const before = { atMs: NOW_MS, text: 'Redis was flushed', queues: [] };
  const watch = new DataLossWatch(before);
  expect(watch.current(NOW_MS + LOSS_SHOWN_MS)).toEqual(before);
  expect(watch.takeNews(4, NOW_MS + 60_000)).toBeNull();
  expect(watch.current(NOW_MS + LOSS_SHOWN_MS + 1)).toBeNull();
});
