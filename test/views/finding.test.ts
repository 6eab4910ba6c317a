import { expect, test } from 'vitest';
import { isAboutQueue } from '../../server/findings/trouble.js';
import { fact } from '../../server/model/evidence.js';
import type { Explained, Finding as FindingData } from '../../server/model/finding.js';
import { findingKey } from '../../server/model/finding.js';
import type { Role } from '../../server/model/role.js';
import { FindingSchema, findingJson } from '../../server/routes/api/findings.js';
import { remedyButton } from '../../server/routes/pages/remedy-button.js';
import { FindingCard, type FindingContext } from '../../views/finding.js';
import type { RemedyProps } from '../../views/remedy.js';
import { NOW_MS } from '../support/snapshot.js';

const overloaded: Explained = {
  code: 'queue.overloaded',
  queue: 'bull:analytics',
  headline: 'analytics: 2 workers saturated',
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
    cause: 'It holds 110 MB of the 100 MB it is allowed.',
    effect: "Producers can't add jobs.",
    action: 'Make room.',
    evidence: [],
    remedies: [],
    sinceMs: NOW_MS - 60_000,
    rank: 950,
    explains: [overloaded, blocked],
    ...over,
  };
}
const buttonOf = ({ label, effect }: { readonly label: string; readonly effect: string }): RemedyProps => ({
  ...{ label, effect, suffices: null, href: '/action', needsRole: 'operator' },
});
const context: FindingContext = {
  ...{ nowMs: NOW_MS, hasManyInstances: false, isOwnPage: false, buttonOf },
  buttonsOf: ({ remedies }) => remedies.map(buttonOf),
};
const shown = (finding: FindingData): string => String(FindingCard({ finding, context }));

test('a finding is a headline and what is why, what it does and what to do, each in a line with its word', () => {
  const html = shown(aFinding());
  expect(html).toContain('>Redis is full</h3>');
  expect(html).toContain('<dt>Cause</dt><dd>It holds 110 MB of the 100 MB it is allowed.</dd>');
  expect(html).toContain('<dt>Effect</dt><dd>Producers can&#39;t add jobs.</dd>');
  expect(html).toContain('<dt>Do</dt><dd>Make room.</dd>');
});

test('a plan that may be pressed is what to do, with the other ways behind a disclosure', () => {
  const remedy = (action: string, label: string) => ({
    action,
    label,
    effect: 'Frees 1 MB.',
    queues: [],
    args: {},
  });
  const html = shown(
    aFinding({
      detail: 'How it works.',
      remedies: [
        remedy('sequence', 'All'),
        remedy('queue.park', 'Park'),
        remedy('queue.trim-events', 'Trim'),
      ],
    }),
  );
  const [inSight = '', behind = ''] = html.split('2 other ways');
  expect(inSight).toContain('All');
  expect(inSight).not.toContain('<dt>Do</dt>');
  expect(behind).toMatch(/Park.*Trim.*Make room\./s);
});

test('an operator is offered the steps of a plan that an operator may take, and told which need an admin', () => {
  const steps = [
    { action: 'queue.trim-events', queues: ['bull:analytics'], args: { keep: 1_000 } },
    { action: 'redis.raise-maxmemory', queues: [], args: { maxBytes: 96 * 1024 * 1024 } },
  ];
  const plan = { action: 'sequence', label: 'Make room', effect: 'Two steps.', suffices: true, queues: [] };
  const offered = (role: Role, some: readonly (typeof steps)[number][]) =>
    remedyButton({ ...plan, args: { steps: some } }, 'default', role);
  expect(offered('admin', steps)).toMatchObject({ label: 'Make room', suffices: true });
  const part = offered('operator', steps);
  expect(part).toMatchObject({
    label: 'Trim events',
    effect: 'The rest of the plan needs an admin: raise maxmemory.',
    suffices: false,
  });
  expect(decodeURIComponent(part.href ?? '')).not.toContain('raise-maxmemory');
  expect(offered('operator', steps.slice(1))).toMatchObject({ href: null, needsRole: 'admin' });
});

test('four numbers are in sight, with one unit and three digits; all of them, exact, are behind a disclosure', () => {
  const evidence = [12_345, 2, 3, 4, 5].map((value, i) => fact(`n${i}`, `number ${i}`, value, 'jobs'));
  const [inSight = '', behind = ''] = shown(aFinding({ evidence, detail: 'How it works.' })).split(
    'Details and evidence',
  );
  expect(inSight.match(/<dt>number \d/g)).toHaveLength(4);
  expect(inSight).toContain('<dd>12k</dd>');
  expect(behind).toContain('<dd>12,345 jobs</dd>');
  expect(behind.match(/<dt>number \d/g)).toHaveLength(5);
  expect(behind).toContain('How it works.');
});

test('a finding says what it explains, with the way to each queue', () => {
  const html = shown(aFinding());
  expect(html).toContain('<summary>+2 that follow</summary>');
  expect(html).toContain(
    '<li><a href="/i/default/q/bull%3Aanalytics">analytics: 2 workers saturated</a></li><li>3 workers are blocked</li>',
  );
  expect(shown(aFinding({ explains: [] }))).not.toContain('follow');
});

test('of many that it explains twenty are named and the others counted', () => {
  const explains = Array.from({ length: 32 }, (_, i) => ({ ...overloaded, queue: `bull:q${i}` }));
  const html = shown(aFinding({ explains }));
  expect(html).toContain('<summary>+32 that follow</summary>');
  expect(html.match(/<a href="\/i\/default\/q\//g)).toHaveLength(20);
  expect(html).toContain('<li>and 12 more</li>');
});

test('names in it can not break out of the page', () => {
  const html = shown(
    aFinding({ explains: [{ ...overloaded, queue: 'bull:<b>"x', headline: '<b>"x: no workers' }] }),
  );
  expect(html).toContain('&lt;b&gt;&quot;x: no workers');
  expect(html).not.toContain('<b>');
});

test('the API says the same, and other findings say that they explain nothing', () => {
  const told = findingJson(aFinding());
  expect(told.explains).toEqual([
    { code: 'queue.overloaded', queue: 'bull:analytics', jobType: null, headline: overloaded.headline },
    { code: 'worker.blocked', queue: null, jobType: null, headline: blocked.headline },
  ]);
  const { explains: _, ...plain } = aFinding();
  expect(findingJson(plain).explains).toEqual([]);
  expect(FindingSchema.safeParse(told)).toMatchObject({ success: true });
});

test('a queue’s own page reports what explains its trouble, and not what explains that of others', () => {
  expect(isAboutQueue(aFinding(), 'default', 'bull:analytics')).toBe(true);
  expect(isAboutQueue(aFinding(), 'default', 'bull:mail')).toBe(false);
  expect(isAboutQueue(aFinding(), 'other', 'bull:analytics')).toBe(false);
});
