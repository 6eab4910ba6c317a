import { expect, it } from 'vitest';
import { ruleInWords } from '../../server/alerts/describe.js';
import { DEFAULT_GROUP_TIMING, dueMessages, groupByCause } from '../../server/alerts/grouping.js';
import type { Silence } from '../../server/model/silence.js';
import { aFinding, anAlert } from '../support/alerts.js';
import { NOW_MS } from '../support/snapshot.js';

const S = 1000;
const queue = (name: string) => ({ instance: 'default', node: null, queue: `bull:${name}`, type: null });
const due = (alerts: Parameters<typeof dueMessages>[0], seconds: number, silences: readonly Silence[] = []) =>
  dueMessages(alerts, silences, DEFAULT_GROUP_TIMING, NOW_MS + seconds * S);
const told = (
  atSeconds: number,
  status: 'firing' | 'resolved' = 'firing',
  severity = 'warning' as const,
) => ({
  status,
  severity,
  atMs: NOW_MS + atSeconds * S,
});

it('one cause sends one message for all whom it hits, after a moment; a critical one at once', () => {
  const two = [anAlert({ id: 'a1' }), anAlert({ id: 'a2', subject: queue('web'), key: 'depth|bull:web' })];
  expect(due(two, 9)).toEqual([]);
  expect(due(two, 10)).toMatchObject([{ status: 'firing', alerts: [{ id: 'a1' }, { id: 'a2' }] }]);
  expect(due([anAlert({ severity: 'critical' })], 0)).toHaveLength(1);
});

it('another cause, and another Redis, are messages of their own', () => {
  const others = [
    anAlert({ id: 'a1' }),
    anAlert({ id: 'a2', code: 'redis.full', findingKey: aFinding({ code: 'redis.full' }).key }),
    anAlert({ id: 'a3', subject: { ...queue('mail'), instance: 'other' } }),
  ];
  expect(due(others, 10).map(({ alerts }) => alerts.map(({ id }) => id))).toEqual([['a1'], ['a2'], ['a3']]);
});

it('what was sent is not sent again, before or after a restart, but for the repetition', () => {
  const alert = anAlert({ notified: told(10) });
  const hours = 3600;
  expect(due([alert], 4 * hours)).toEqual([]);
  expect(due([alert], 4 * hours + 10)).toHaveLength(1);
  const acknowledged = { actor: 'ann', atMs: NOW_MS, reason: '' };
  expect(due([{ ...alert, acknowledged }], 5 * hours)).toEqual([]);
});

it('news of a group waits for a minute after its last message, unless it has become worse', () => {
  const group = [anAlert({ notified: told(10) }), anAlert({ id: 'a2', subject: queue('web') })];
  expect(due(group, 69)).toEqual([]);
  expect(due(group, 70)).toHaveLength(1);
  const worse = [anAlert({ notified: told(10), severity: 'critical' })];
  expect(due(worse, 11)).toMatchObject([{ severity: 'critical' }]);
});

it('the end is always sent to whom the beginning was, silenced or not, and to nobody else', () => {
  const over = { state: 'resolved' as const, resolvedAtMs: NOW_MS + 80 * S };
  const all: Silence = {
    id: 's',
    matchers: { instance: '*' },
    author: 'ann',
    reason: '',
    startsAtMs: NOW_MS,
    endsAtMs: NOW_MS + 1e9,
  };
  expect(due([anAlert({ ...over, notified: told(10) })], 80, [all])).toMatchObject([{ status: 'resolved' }]);
  expect(due([anAlert(over)], 80)).toEqual([]);
  expect(due([anAlert({ ...over, notified: told(80, 'resolved') })], 400)).toEqual([]);
});

it('a silenced or explained alert is sent once that is past and it still fires', () => {
  const silence: Silence = {
    id: 's',
    matchers: { queue: 'bull:m*', severity: 'warning' },
    author: 'ann',
    reason: '',
    startsAtMs: NOW_MS,
    endsAtMs: NOW_MS + 60 * S,
  };
  expect(due([anAlert()], 59, [silence])).toEqual([]);
  expect(due([anAlert()], 60, [silence])).toHaveLength(1);
  expect(due([anAlert({ subject: queue('web') })], 59, [silence])).toHaveLength(1);
  expect(due([anAlert({ inhibitedBy: 'Redis is full' })], 59)).toEqual([]);
});

it('the same news is the same message, and other news another', () => {
  const key = (alerts: Parameters<typeof dueMessages>[0]): string | undefined => due(alerts, 70)[0]?.newsKey;
  expect(key([anAlert()])).toBe(key([anAlert()]));
  expect(key([anAlert()])).not.toBe(key([anAlert({ id: 'a2' })]));
  expect(key([anAlert()])).not.toBe(key([anAlert({ notified: told(1), state: 'resolved' })]));
});

it('open alerts stand by their cause: others of its kind beside it, and what follows from it under it', () => {
  const view = (over: Parameters<typeof anAlert>[0]) => ({
    alert: anAlert(over),
    finding: null,
    firstRemedy: null,
    path: '/',
    silence: null,
  });
  const open = [
    view({ id: 'full', ruleName: 'Redis is full', code: 'redis.full' }),
    view({ id: 'mail', ruleId: 'deep', code: 'signal:queue_backlog_jobs' }),
    view({ id: 'web', ruleId: 'deep', code: 'signal:queue_backlog_jobs', subject: queue('web') }),
    view({ id: 'stuck', code: 'queue.stuck', inhibitedBy: 'Redis is full' }),
    view({
      id: 'elsewhere',
      code: 'queue.stuck',
      inhibitedBy: 'Redis is full',
      subject: { ...queue('mail'), instance: 'other' },
    }),
  ];
  const ids = (views: readonly { alert: { id: string } }[]) => views.map(({ alert }) => alert.id);
  expect(
    groupByCause(open).map(({ head, alike, following }) => [head.alert.id, ids(alike), ids(following)]),
  ).toEqual([
    ['full', [], ['stuck']],
    ['mail', ['web'], []],
    ['elsewhere', [], []],
  ]);
});

it.each([
  [
    'queue backlog > 1,000 jobs for 1 min',
    { kind: 'compare', signal: 'queue_backlog_jobs', is: 'above', threshold: 1000, clear: null },
    60_000,
  ],
  [
    'queue memory > 60% of the memory limit for 5 min',
    { kind: 'share-of-limit', signal: 'queue_memory_bytes', aboveRatio: 0.6, clearRatio: null },
    300_000,
  ],
  ['queue: no workers at once', { kind: 'finding', code: 'queue.no-workers', leastSeverity: 'warning' }, 0],
  [
    'any worker problem, critical for 30 s',
    { kind: 'finding', code: 'worker.*', leastSeverity: 'critical' },
    30_000,
  ],
] as const)('a rule says when it fires in plain words: %s', (words, condition, forMs) => {
  expect(ruleInWords({ condition, forMs })).toBe(words);
});
