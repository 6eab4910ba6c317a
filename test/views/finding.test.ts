import { expect, test } from 'vitest';
import { isAboutQueue } from '../../server/findings/trouble.js';
import type { Explained, Finding as FindingData } from '../../server/model/finding.js';
import { findingKey } from '../../server/model/finding.js';
import { FindingSchema, findingJson } from '../../server/routes/api/findings.js';
import { findingOf } from '../../server/routes/pages/finding-view-model.js';
import { Finding } from '../../views/finding.js';
import { NOW_MS } from '../support/snapshot.js';

const overloaded: Explained = {
  code: 'queue.overloaded',
  queue: 'bull:analytics',
  headline: 'Overloaded: 20 slots, all busy',
};
const blocked: Explained = { code: 'worker.blocked', queue: null, headline: '3 workers are blocked' };

function aFinding(over: Partial<FindingData> = {}): FindingData {
  return {
    code: 'redis.full',
    severity: 'critical',
    instance: 'default',
    queue: null,
    node: 'node-1',
    key: findingKey({ code: 'redis.full', instance: 'default', queue: null, node: 'node-1' }),
    headline: 'Redis is full',
    sentence: 'It refuses writes.',
    evidence: [],
    remedies: [],
    sinceMs: NOW_MS - 60_000,
    rank: 950,
    explains: [overloaded, blocked],
    ...over,
  };
}
const shown = (finding: FindingData): string =>
  String(
    Finding(findingOf(finding, { role: 'viewer', nowMs: NOW_MS, hasManyInstances: false, isOwnPage: false })),
  );

test('a finding says in one line what it explains, with the way to each queue', () => {
  expect(shown(aFinding())).toContain(
    'Explains:</span> <a href="/i/default/q/bull%3Aanalytics">analytics: Overloaded: 20 slots, all busy</a>; 3 workers are blocked</p>',
  );
  expect(shown(aFinding({ explains: [] }))).not.toContain('Explains');
});

test('of many that it explains five are named and the others counted', () => {
  const explains = Array.from({ length: 12 }, (_, i) => ({ ...overloaded, queue: `bull:q${i}` }));
  const html = shown(aFinding({ explains }));
  expect(html.match(/<a href="\/i\/default\/q\//g)).toHaveLength(5);
  expect(html).toContain('; and 7 more</p>');
});

test('names in it can not break out of the page', () => {
  const html = shown(aFinding({ explains: [{ ...overloaded, queue: 'bull:<b>"x' }] }));
  expect(html).toContain('&lt;b&gt;&quot;x: Overloaded');
  expect(html).not.toContain('<b>');
});

test('the API tells the same, and other findings say that they explain nothing', () => {
  const told = findingJson(aFinding());
  expect(told.explains).toEqual([
    { code: 'queue.overloaded', queue: 'bull:analytics', jobType: null, headline: overloaded.headline },
    { code: 'worker.blocked', queue: null, jobType: null, headline: blocked.headline },
  ]);
  const { explains: _, ...plain } = aFinding();
  expect(findingJson(plain).explains).toEqual([]);
  expect(FindingSchema.safeParse(told)).toMatchObject({ success: true });
});

test('a queue’s own page tells what explains its trouble, and not what explains that of others', () => {
  expect(isAboutQueue(aFinding(), 'default', 'bull:analytics')).toBe(true);
  expect(isAboutQueue(aFinding(), 'default', 'bull:mail')).toBe(false);
  expect(isAboutQueue(aFinding(), 'other', 'bull:analytics')).toBe(false);
});
