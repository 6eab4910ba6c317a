import fc from 'fast-check';
import { expect, test } from 'vitest';
import { detectFindings, FINDING_RULES } from '../../server/findings/index.js';
import { mainWork } from '../../server/findings/queue-evidence.js';
import { compareFindings } from '../../server/findings/track.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import { queueVerdict } from '../../server/model/queue-verdict.js';
import { freshnessOf } from '../../server/model/sight.js';
import type { Snapshot } from '../../server/model/snapshot.js';
import { anySnapshot } from '../support/any-snapshot.js';
import { aType, someRuns } from '../support/job-types.js';
import { aQueue, NOW_MS } from '../support/snapshot.js';

const find = (snapshot: Snapshot) => detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS);

/** The names in a snapshot may hold anything; what the rules add may not. */
const SPOILT = /NaN|undefined|Infinity|null|∞|\[object/;

test('whatever a Redis looks like, findings are made and every word of them can be read', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      for (const finding of find(snapshot)) {
        const texts = [
          finding.headline,
          ...[finding.cause, finding.effect, finding.action, finding.detail ?? ''],
          ...finding.evidence.map((evidence) => `${evidence.label} ${evidence.value}`),
          ...finding.remedies.flatMap((remedy) => [remedy.label, remedy.effect]),
          ...(finding.explains ?? []).map(({ headline }) => headline),
        ];
        expect(texts.filter((text) => SPOILT.test(text))).toEqual([]);
        // Nothing that breaks a line, a terminal or a table gets through from a queue's name.
        expect(texts.filter((text) => /[\p{Cc}\p{Cs}]/u.test(text))).toEqual([]);
        expect(JSON.parse(JSON.stringify(finding))).toEqual(finding);
      }
    }),
    { numRuns: 150 },
  );
});

test('ranking is a total order, and the result is sorted by it with unique keys', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const found = find(snapshot);
      expect(new Set(found.map((finding) => finding.key)).size).toBe(found.length);
      const pairs = found.flatMap((a, i) => found.map((b, j) => ({ a, b, is: Math.sign(i - j) })));
      expect(pairs.filter(({ a, b, is }) => Math.sign(compareFindings(a, b)) !== is)).toEqual([]);
    }),
  );
});

test('what is not live is never critical, except for being blind, and offers no action', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      if (freshnessOf(snapshot, NOW_MS).isLive) return;
      for (const finding of find(snapshot)) {
        const isAboutSight = finding.code === 'console.stale' || finding.code === 'redis.unreachable';
        if (!isAboutSight) expect(finding.severity).toBe('info');
        expect(finding.remedies).toEqual([]);
      }
    }),
  );
});

test('while a Redis is full, no remedy adds work; where an action is forbidden, no remedy pulls it', () => {
  const adding = new Set([
    'queue.resume',
    'queue.concurrency',
    'queue.rate-limit',
    'job.retry',
    'job.promote',
  ]);
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const actions = find(snapshot).flatMap((finding) => finding.remedies.map((remedy) => remedy.action));
      if (snapshot.nodes.some((node) => node.isFull))
        expect(actions.filter((action) => adding.has(action))).toEqual([]);
      const { capabilities } = snapshot;
      if (capabilities?.canSetConfig === false) expect(actions).not.toContain('redis.raise-maxmemory');
      if (capabilities?.canWrite === false)
        expect(actions.filter((action) => action.startsWith('queue.'))).toEqual([]);
    }),
  );
});

test('while a Redis is full, more slots come only after room', () => {
  const room = new Set(['redis.raise-maxmemory', 'queue.trim-events', 'queue.clean-finished']);
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      if (!snapshot.nodes.some((node) => node.isFull)) return;
      for (const { remedies } of find(snapshot)) {
        const scaling = remedies.findIndex(({ action }) => action === 'workers.concurrency');
        const making = remedies.findIndex(({ action }) => room.has(action));
        if (scaling >= 0) expect(making >= 0 && making < scaling).toBe(true);
      }
    }),
  );
});

test('however many queues and types are in trouble, a rule names ten of them and the rest together', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const counts = new Map<string, number>();
      for (const { code } of find(snapshot)) counts.set(code, (counts.get(code) ?? 0) + 1);
      for (const [code, count] of counts) expect(count, code).toBeLessThanOrEqual(10 + snapshot.nodes.length);
    }),
  );
});

test('the same troubles have the same keys, in whatever order job types come', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const keys = (one: Snapshot) =>
        find(one)
          .map(({ key }) => key)
          .toSorted();
      const shuffled: Snapshot = {
        ...snapshot,
        queues: snapshot.queues.map((queue) => ({ ...queue, types: queue.types.toReversed() })),
      };
      expect(keys(shuffled)).toEqual(keys(snapshot));
    }),
  );
});

test('of job types that are as much of the work, a growing queue names the same in whatever order they come', () => {
  const slow = { code: 'drain', shareOfWork: 0.5 } as const;
  const types = ['a', 'b'].map((name) => aType({ name, slow, run: someRuns() }));
  const names = [types, types.toReversed()].map(
    (inOrder) => mainWork(aQueue({ types: inOrder })).accountsFor[0]?.jobType,
  );
  expect(names).toEqual(['a', 'a']);
});

test('each queue has at most one finding about its flow, and a verdict that is of the ladder', () => {
  const flow = FINDING_RULES.map((rule) => rule.code).filter(
    (code) => code.startsWith('queue.') && code !== 'queue.noisy-neighbour',
  );
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const found = FINDING_RULES.filter((rule) => flow.includes(rule.code)).flatMap((rule) =>
        rule.detect(snapshot, NOW_MS, DEFAULT_THRESHOLDS).map((finding) => finding.queue),
      );
      expect(new Set(found).size).toBe(found.length);
      for (const queue of snapshot.queues) {
        expect(queueVerdict(queue, snapshot, NOW_MS, DEFAULT_THRESHOLDS)).toMatch(/^[a-z-]+$/);
      }
    }),
  );
});
