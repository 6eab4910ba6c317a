import { DASHBOARD_ITEMS, type DashboardPanel } from './panels.js';

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variable
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const ROW_HEIGHT = 8;
const STAT_HEIGHT = 4;
const COLUMNS = 24;

/**
 * The dashboard as Grafana imports it (schema 39, Grafana 10.4 and later). The data source is a variable, so it fits
 * wherever it is loaded. The file in static/ is what this gives: `npx vitest run test/signals/dashboard.test.ts -u`.
 */
export function grafanaDashboard(): Readonly<Record<string, unknown>> {
  return {
    uid: 'spillway',
    title: 'Spillway',
    description: 'BullMQ back-pressure: what is wrong, memory, backlog, rates, workers.',
    tags: ['bullmq', 'redis', 'spillway'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'utc',
    annotations: { list: [] },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', hide: 0 },
        variable('redis', 'Redis', 'label_values(spillway_redis_up, redis)'),
        variable('queue', 'Queue', 'label_values(spillway_queue_backlog_jobs{redis=~"$redis"}, queue)'),
      ],
    },
    panels: panels(),
  };
}

function variable(name: string, label: string, query: string) {
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  };
}

/** Laid out from left to right, and on the next line where one does not fit. */
function panels(): readonly unknown[] {
  const placed: unknown[] = [];
  let [x, y, lineHeight] = [0, 0, 0];
  const nextLine = (): void => {
    y += lineHeight;
    [x, lineHeight] = [0, 0];
  };
  for (const item of DASHBOARD_ITEMS) {
    const id = placed.length + 1;
    if ('row' in item) {
      nextLine();
      placed.push({
        id,
        type: 'row',
        title: item.row,
        collapsed: false,
        gridPos: { x: 0, y, w: COLUMNS, h: 1 },
        panels: [],
      });
      y += 1;
      continue;
    }
    if (x + item.width > COLUMNS) nextLine();
    const height = item.kind === 'stat' ? STAT_HEIGHT : ROW_HEIGHT;
    placed.push(panelOf(item, id, { x, y, w: item.width, h: height }));
    x += item.width;
    lineHeight = Math.max(lineHeight, height);
  }
  return placed;
}

function panelOf(
  panel: DashboardPanel,
  id: number,
  gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>,
) {
  const { title, about, kind = 'timeseries', unit, queries, warnFrom, criticalFrom } = panel;
  return {
    id,
    type: kind,
    title,
    ...(about === undefined ? {} : { description: about }),
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: {
      defaults: {
        unit,
        thresholds: {
          mode: 'absolute',
          steps: [
            { color: 'green', value: null },
            ...(warnFrom === undefined ? [] : [{ color: 'orange', value: warnFrom }]),
            ...(criticalFrom === undefined ? [] : [{ color: 'red', value: criticalFrom }]),
          ],
        },
      },
      overrides: [],
    },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, colorMode: 'value' }
        : {
            legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
            tooltip: { mode: 'multi', sort: 'desc' },
          },
    targets: queries.map(([legendFormat, expr], i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: DATASOURCE,
      editorMode: 'code',
      expr,
      legendFormat,
      range: true,
    })),
  };
}
