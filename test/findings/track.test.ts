import { expect, test } from 'vitest';
import { detectFindings } from '../../server/findings/index.js';
import { trackFindings } from '../../server/findings/track.js';
import type { CurrentFinding, Finding } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS, findingKey } from '../../server/model/finding.js';
import { aJobType } from '../support/job-types.js';
import { aFullNode, aQueue, aSnapshot, NOW_MS } from '../support/snapshot.js';

const paused = (count: number): readonly CurrentFinding[] =>
  detectFindings(
    aSnapshot({
      queues: Array.from({ length: count }, (_, i) =>
        aQueue({ name: `q${i}`, flow: 'paused', counts: { waiting: 50 } }),
      ),
    }),
    NOW_MS,
    DEFAULT_THRESHOLDS,
  );

test('a trouble keeps the time it began at, and one that came back starts anew', () => {
  const first = trackFindings([], paused(1), 1000);
  const second = trackFindings(first, paused(1), 2000);
  expect(second.map((finding) => finding.sinceMs)).toEqual([1000]);
  const gone = trackFindings(second, [], 3000);
  expect(trackFindings(gone, paused(1), 4000).map((finding) => finding.sinceMs)).toEqual([4000]);
});

test('troubles that begin to be shown as one keep their start, and keep it when told apart again', () => {
  const ten = trackFindings([], paused(10), 1000);
  const merged = trackFindings(ten, paused(11), 2000);
  expect(merged).toHaveLength(1);
  expect(merged[0]?.sinceMs).toBe(1000);
  const apart = trackFindings(merged, paused(9), 3000);
  expect(new Set(apart.map((finding) => finding.sinceMs))).toEqual(new Set([1000]));
});

test('job types of many queues that begin to be shown as one keep their start, each job type its own', () => {
  const absent = { lastCompletedAtMs: NOW_MS - 90_000, usualGapMs: 3_000, longestGapMs: 8_000 };
  const missing = (count: number) =>
    detectFindings(
      aSnapshot({
        queues: Array.from({ length: Math.ceil(count / 2) }, (_, i) =>
          aQueue({
            name: `q${i}`,
            lastDepartureAtMs: NOW_MS,
            types: ['a', 'b']
              .slice(0, Math.min(2, count - 2 * i))
              .map((name) => aJobType({ name, absent, source: 'finished' })),
          }),
        ),
      }),
      NOW_MS,
      DEFAULT_THRESHOLDS,
    );
  const first = trackFindings([], missing(1), 1000);
  const ten = trackFindings(first, missing(10), 2000);
  expect(ten.map(({ sinceMs }) => sinceMs).filter((sinceMs) => sinceMs === 1000)).toHaveLength(1);
  const merged = trackFindings(ten, missing(12), 3000);
  expect(merged).toMatchObject([
    { queue: null, sinceMs: 1000, headline: '12 job types: stopped arriving', queues: { length: 6 } },
  ]);
  expect(merged[0]).not.toHaveProperty('jobType');
  const apart = trackFindings(merged, missing(4), 4000);
  expect(apart.map(({ sinceMs }) => sinceMs)).toEqual([1000, 1000, 1000, 1000]);
});

test('a short blackout does not reset the clock of what was wrong before it', () => {
  const full = aSnapshot({ nodes: [aFullNode()] });
  const blind = aSnapshot({ nodes: [aFullNode()], link: { status: 'stale', lastReadAtMs: NOW_MS - 9000 } });
  const before = trackFindings([], detectFindings(full, NOW_MS, DEFAULT_THRESHOLDS), 1000);
  const during = trackFindings(before, detectFindings(blind, NOW_MS, DEFAULT_THRESHOLDS), 2000);
  const after = trackFindings(during, detectFindings(full, NOW_MS, DEFAULT_THRESHOLDS), 3000);
  expect(during.map((finding) => finding.code)).toEqual(['console.stale', 'redis.full']);
  expect(after).toMatchObject([{ code: 'redis.full', severity: 'critical', sinceMs: 1000 }]);
});

test('the worst stands first whatever order findings come in', () => {
  const found = detectFindings(
    aSnapshot({
      nodes: [aFullNode()],
      queues: [
        aQueue({ name: 'a', flow: 'paused', counts: { waiting: 900 } }),
        aQueue({ name: 'b', workers: 0, counts: { waiting: 30 } }),
      ],
    }),
    NOW_MS,
    DEFAULT_THRESHOLDS,
  );
  const ranked = trackFindings([], [...found].reverse(), 0);
  expect(ranked.map((finding) => finding.code)).toEqual([
    'redis.full',
    'queue.paused-with-backlog',
    'queue.no-workers',
  ]);
});

test('a queue that is growing and then overloaded is in one trouble since one moment', () => {
  const now = (code: string, atMs: number, before: readonly Finding[]) => {
    const [finding] = paused(1);
    if (!finding) throw new Error('no finding');
    return trackFindings(before, [{ ...finding, code, key: findingKey({ ...finding, code }) }], atMs);
  };
  const growing = now('queue.growing', 1000, []);
  const overloaded = now('queue.overloaded', 2000, growing);
  expect(now('queue.growing', 3000, overloaded)[0]?.sinceMs).toBe(1000);
  // Another trouble of the same queue is another one.
  expect(now('queue.capped', 4000, overloaded)[0]?.sinceMs).toBe(4000);
});
