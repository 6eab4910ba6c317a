import { expect, it } from 'vitest';
import { testRule, testSummary } from '../../server/alerts/backtest.js';
import type { HistoryLog, HistoryPoints } from '../../server/history/history-log.js';
import { aRule } from '../support/alerts.js';
import { aQueue, aSnapshot, NOW_MS } from '../support/snapshot.js';

const MINUTE = 60_000;
/** A day of minutes: deep at these minutes, unknown at those. */
function dayOf(
  deep: readonly (readonly [from: number, to: number])[],
  gaps: readonly (readonly [number, number])[] = [],
): HistoryPoints {
  const isIn = (ranges: readonly (readonly [number, number])[], i: number): boolean =>
    ranges.some(([from, to]) => i >= from && i < to);
  const atMs = Array.from({ length: 1440 }, (_, i) => NOW_MS - (1440 - i) * MINUTE);
  const mean = atMs.map((_, i) => (isIn(gaps, i) ? null : isIn(deep, i) ? 500 : 1));
  return { stepMs: MINUTE, atMs, mean, min: mean, max: mean };
}
const history = (points: HistoryPoints): HistoryLog => ({
  read: async () => points,
  series: async ({ signal }) =>
    ['bull:mail', 'bull:web'].map((queue) => ({
      signal,
      instance: 'default',
      node: null,
      queue,
      type: null,
    })),
  problem: () => null,
});
const watch = {
  snapshots: () => [aSnapshot({ queues: [aQueue({ name: 'mail', counts: { waiting: 500 } })] })],
  findings: () => [],
};
const mail = { instance: '*', queue: 'bull:m*', type: '*' };

it('a rule reports how often it would have fired in the last day, when and for whom', async () => {
  const rule = aRule({ scope: mail, forMs: 2 * MINUTE, keepFiringMs: MINUTE });
  const points = dayOf([
    [100, 110],
    [500, 502],
    [900, 910],
    [1435, 1440],
  ]);
  const test = await testRule(rule, { watch, history: history(points), nowMs: NOW_MS });
  expect(testSummary(test)).toBe(
    'would have fired 3 times for 1 subject in the last day; it holds for 1 now',
  );
  expect(
    test.firings.map(({ firedAtMs, resolvedAtMs, subject }) => [
      1440 - (NOW_MS - firedAtMs) / MINUTE,
      resolvedAtMs === null ? null : 1440 - (NOW_MS - resolvedAtMs) / MINUTE,
      subject.queue,
    ]),
  ).toEqual([
    [1437, null, 'bull:mail'],
    [902, 911, 'bull:mail'],
    [102, 111, 'bull:mail'],
  ]);
});

it('what was not seen neither fires nor ends anything in the past', async () => {
  const rule = aRule({ scope: mail, forMs: 5 * MINUTE });
  const points = dayOf(
    [
      [100, 104],
      [114, 118],
    ],
    [[104, 114]],
  );
  expect((await testRule(rule, { watch, history: history(points), nowMs: NOW_MS })).times).toBe(1);
  const patient = { ...rule, forMs: 9 * MINUTE };
  expect((await testRule(patient, { watch, history: history(points), nowMs: NOW_MS })).times).toBe(0);
});

it('without history, and for findings, it says so and reports the present', async () => {
  const test = await testRule(aRule(), { watch, history: null, nowMs: NOW_MS });
  expect(test).toMatchObject({ isTested: false, holdsNowCount: 1 });
  const finding = aRule({ condition: { kind: 'finding', code: '*', leastSeverity: 'info' } });
  expect((await testRule(finding, { watch, history: history(dayOf([])), nowMs: NOW_MS })).why).toContain(
    'findings are not kept',
  );
});
