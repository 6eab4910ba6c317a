import fc from 'fast-check';
import { expect, test } from 'vitest';
import { detectFindings, FINDING_RULES } from '../../server/findings/index.js';
import { DEFAULT_THRESHOLDS } from '../../server/findings/thresholds.js';
import { compareFindings } from '../../server/findings/track.js';
import { queueVerdict } from '../../server/findings/verdict.js';
import { sightOf } from '../../server/model/sight.js';
import type { Snapshot } from '../../server/watch/snapshot.js';
import { anySnapshot } from '../support/any-snapshot.js';
import { NOW_MS } from '../support/snapshot.js';

const find = (snapshot: Snapshot) => detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS);

/** The names in a snapshot may hold anything; what the rules add may not. */
const SPOILT = /NaN|undefined|Infinity|null|∞|\[object/;

test('whatever a Redis looks like, findings are made and every word of them can be read', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      for (const finding of find(snapshot)) {
        const texts = [
          finding.title,
          finding.sentence,
          ...finding.evidence.map((evidence) => `${evidence.label} ${evidence.value}`),
          ...finding.remedies.flatMap((remedy) => [remedy.label, remedy.effect]),
        ];
        for (const text of texts) expect(text).not.toMatch(SPOILT);
        // Nothing that breaks a line, a terminal or a table gets through from a queue's name.
        for (const text of texts) expect(text).not.toMatch(/[\p{Cc}\p{Cs}]/u);
        expect(JSON.parse(JSON.stringify(finding))).toEqual(finding);
      }
    }),
    { numRuns: 300 },
  );
});

test('ranking is a total order, and the result is sorted by it with unique keys', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const found = find(snapshot);
      expect(new Set(found.map((finding) => finding.key)).size).toBe(found.length);
      for (const [i, a] of found.entries()) {
        for (const [j, b] of found.entries()) {
          expect(Math.sign(compareFindings(a, b))).toBe(Math.sign(i - j));
        }
      }
    }),
  );
});

test('what is not live is never critical, except for being blind, and offers no lever', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      if (sightOf(snapshot, NOW_MS).isLive) return;
      for (const finding of find(snapshot)) {
        const isAboutSight = finding.code === 'console.stale' || finding.code === 'redis.unreachable';
        if (!isAboutSight) expect(finding.severity).toBe('info');
        expect(finding.remedies).toEqual([]);
      }
    }),
  );
});

test('while a Redis is full, no remedy adds work; where a lever is forbidden, no remedy pulls it', () => {
  const adding = new Set([
    'queue.resume',
    'queue.concurrency',
    'queue.rate-limit',
    'job.retry',
    'job.promote',
  ]);
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const levers = find(snapshot).flatMap((finding) => finding.remedies.map((remedy) => remedy.lever));
      if (snapshot.nodes.some((node) => node.isFull))
        expect(levers.filter((lever) => adding.has(lever))).toEqual([]);
      const { capabilities } = snapshot;
      if (capabilities?.canSetConfig === false) expect(levers).not.toContain('redis.raise-maxmemory');
      if (capabilities?.canWrite === false)
        expect(levers.filter((lever) => lever.startsWith('queue.'))).toEqual([]);
    }),
  );
});

test('each queue has at most one finding about its flow, and a verdict that is of the ladder', () => {
  const flow = FINDING_RULES.map((rule) => rule.code).filter((code) => code.startsWith('queue.'));
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
