import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { packagePath } from '../../server/process/package-path.js';
import { checkRules, metricsIn } from '../support/promtool.js';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: unknown;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: unknown }[];
}
/** The file is its own source: it is changed in Grafana and exported, and these tests hold it to what /metrics has. */
const text = readFileSync(packagePath('static/grafana-dashboard.json'), 'utf8');
const dashboard = JSON.parse(text) as { readonly schemaVersion: number; readonly panels: readonly Panel[] };
const { panels } = dashboard;
const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variable
const VARIABLE = '${datasource}';

it('every metric that it draws is one that /metrics has', () => {
  expect(expressions.length).toBeGreaterThan(15);
  expect(metricsIn(text).unknown).toEqual([]);
});

it('every expression is PromQL', () => {
  const rules = expressions.map((expr, i) => ({
    record: `spillway:panel_${i}`,
    expr: expr.replaceAll('$redis', '.*').replaceAll('$queue', '.*'),
  }));
  const { code, output } = checkRules(JSON.stringify({ groups: [{ name: 'panels', rules }] }));
  expect(output).toMatch(new RegExp(`SUCCESS: ${rules.length} rules found`));
  expect(code).toBe(0);
  expect(
    checkRules(JSON.stringify({ groups: [{ name: 'x', rules: [{ record: 'x', expr: 'sum(' }] }] })).code,
  ).toBe(1);
});

it('the data source is a variable everywhere, and panels have ids and places of their own', () => {
  expect(dashboard.schemaVersion).toBe(39);
  for (const { type, datasource, targets = [] } of panels) {
    if (type === 'row') continue;
    for (const of of [datasource, ...targets.map((target) => target.datasource)])
      expect(of).toEqual({ type: 'prometheus', uid: VARIABLE });
  }
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const [i, { gridPos: a }] of panels.entries())
    for (const { gridPos: b } of panels.slice(i + 1))
      expect(a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h).toBe(false);
});

it('memory, forecast, backlog, rates, workers and findings are on it', () => {
  const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title);
  expect(rows).toEqual([
    'What is wrong',
    'Memory and forecast',
    'Backlog',
    'Rates',
    'Workers',
    'The console itself',
  ]);
});
