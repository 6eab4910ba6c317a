import fc from 'fast-check';
import { expect, test } from 'vitest';
import { detectFindings, FINDING_RULES } from '../../server/findings/index.js';
import { detectOwnFindings, OWN_FINDING_RULES } from '../../server/findings/own-findings.js';
import { shownTo } from '../../server/findings/track.js';
import type { HealthCode } from '../../server/model/console-health.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import { anyWorldOf } from '../support/any-snapshot.js';
import { tooMuchOf, wordsIn } from '../support/few-words.js';
import { NOW_MS } from '../support/snapshot.js';

/** Of names that hold many words nobody promises how many words they make. */
const { anySnapshot } = anyWorldOf(fc.constantFrom('mail', 'analytics', 'nightly-report', 'x'.repeat(300)));

test('whatever a Redis looks like, a finding is a headline, three short lines and four numbers', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const found = detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS);
      for (const { code } of found) seen.add(code);
      expect(found.flatMap(tooMuchOf)).toEqual([]);
      const toPeople = found.map((finding) => shownTo({ ...finding, sinceMs: NOW_MS }, true));
      expect(toPeople.flatMap(tooMuchOf)).toEqual([]);
    }),
    { numRuns: 300 },
  );
  // What needs a history or a world of its own is held by the tests of its rule.
  expect(seen.size).toBeGreaterThan(FINDING_RULES.length / 2);
});

test('of two queues in the same trouble no two headlines are the same', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const found = detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS);
      // Of names that are longer than a headline beginning and end are kept, which tells those apart that people make.
      const headlines = found.map(({ headline }) => headline).filter((text) => !text.includes('…'));
      expect(headlines.filter((one, i) => headlines.indexOf(one) !== i)).toEqual([]);
    }),
  );
});

test('what is wrong with the console itself is said in as few words, whatever its own errors say', () => {
  const codes = OWN_FINDING_RULES.map(({ code }) => code.slice('console.'.length));
  const ofHealth: readonly HealthCode[] = ['store', 'history', 'channel', 'outbox', 'fault', 'policy'];
  const anyProblem = fc.record({
    code: fc.constantFrom(
      ...ofHealth,
      'parking',
      'replays',
      'commands',
      'moving',
    ) as fc.Arbitrary<HealthCode>,
    subject: fc.constantFrom('main', 'x'.repeat(300)),
    text: fc
      .array(fc.constantFrom('the disk', 'is full', 'since the deploy'), { minLength: 1, maxLength: 30 })
      .map((words) => words.join(' ')),
  });
  fc.assert(
    fc.property(fc.array(anyProblem, { maxLength: 12 }), (problems) => {
      expect(detectOwnFindings(problems, 'default').flatMap(tooMuchOf)).toEqual([]);
    }),
  );
  expect(codes).toEqual(expect.arrayContaining(['store', 'policy', 'moving']));
});

test('a number with its unit is one word, and a sign between words is none', () => {
  expect(wordsIn('38k jobs wait, the oldest for 3 min')).toBe(7);
  expect(wordsIn('concurrency 5 → 50')).toBe(3);
});
