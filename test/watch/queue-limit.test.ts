import { expect, it } from 'vitest';
import { consoleQueueLimit } from '../../server/findings/console-rules.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import { MAX_QUEUE_ID_CHARS } from '../../server/redis/queue-keys.js';
import { QueueLimit } from '../../server/watch/queue-limit.js';
import { aSnapshot, NOW_MS } from '../support/snapshot.js';

it('queues beyond the limit are known and counted, and one with workers takes the place of an idle one', () => {
  const watched = new Map<string, { isIdle: boolean }>([
    ['bull:busy', { isIdle: false }],
    ['bull:junk', { isIdle: true }],
  ]);
  const limit = new QueueLimit(watched, 2, () => NOW_MS);
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
  expect(found?.headline).toBe('3 queues are not watched');
});

it('queues with too long names are refused whatever the room, known again, and forgotten once nobody meets them', () => {
  let nowMs = NOW_MS;
  const limit = new QueueLimit(new Map<string, { isIdle: boolean }>(), 20_000, () => nowMs);
  const long = `bull:${'x'.repeat(2_000_000)}`;
  expect(limit.admit(long, true)).toBe(false);
  expect(limit.admit(`bull:${'y'.repeat(MAX_QUEUE_ID_CHARS)}`, false)).toBe(false);
  expect(limit.admit(`bull:${'z'.repeat(MAX_QUEUE_ID_CHARS - 5)}`, false)).toBe(true);
  expect([limit.has(long), limit.has(`${long}x`)]).toEqual([true, false]);
  expect(limit.takeWaiting()).toEqual([]);
  expect(limit.longNames).toEqual({ queues: 2, example: `bull:${'x'.repeat(55)}` });
  const discovery = { lastPassAtMs: NOW_MS, passDurationMs: 1, keys: 9, longNames: limit.longNames };
  const [found] = consoleQueueLimit.detect(aSnapshot({ discovery }), NOW_MS, DEFAULT_THRESHOLDS);
  expect(found?.headline).toBe('2 queue names are too long to be watched');
  nowMs += 20 * 60_000;
  expect(limit.has(long)).toBe(true);
  nowMs += 20 * 60_000;
  expect(limit.longNames?.queues).toBe(1);
});
