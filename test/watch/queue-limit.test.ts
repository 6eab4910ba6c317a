import { expect, it } from 'vitest';
import { consoleQueueLimit } from '../../server/findings/console-queue-limit.js';
import { DEFAULT_THRESHOLDS } from '../../server/findings/thresholds.js';
import { QueueLimit } from '../../server/watch/queue-limit.js';
import { aSnapshot, NOW_MS } from '../support/snapshot.js';

it('queues beyond the limit are known and counted, and one with workers takes the place of an idle one', () => {
  const watched = new Map<string, { isIdle: boolean }>([
    ['bull:busy', { isIdle: false }],
    ['bull:junk', { isIdle: true }],
  ]);
  const limit = new QueueLimit(watched, 2);
  expect(limit.admit('bull:more-junk', false)).toBe(false);
  expect(limit.has('bull:more-junk')).toBe(true);
  expect(limit.admit('bull:real', true)).toBe(true);
  watched.set('bull:real', { isIdle: false });
  expect([...watched.keys()]).toEqual(['bull:busy', 'bull:real']);
  expect(limit.has('bull:junk')).toBe(true);
  expect(limit.admit('bull:other', true)).toBe(false);
  expect(limit.beyond).toBe(3);
  watched.delete('bull:busy');
  expect(limit.takeWaiting()).toHaveLength(1);
  const discovery = { lastPassAtMs: NOW_MS, passDurationMs: 1, keys: 9, queuesBeyond: limit.beyond };
  const [found] = consoleQueueLimit.detect(aSnapshot({ discovery }), NOW_MS, DEFAULT_THRESHOLDS);
  expect(found?.title).toBe('3 queues are not watched');
});
