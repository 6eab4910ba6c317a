import type { ChartProps } from '../../../views/chart.js';
import type { Series } from '../../watch/watch.js';

/** The words beside each chart, by its id; sent when something new was read, and with it the hint to fetch points. */
export function chartTexts(charts: readonly ChartProps[]): Readonly<Record<string, string>> {
  return Object.fromEntries(charts.map((chart) => [chart.id, chart.text]));
}

/** Points after `sinceMs` (all without it), rounded: a picture needs no more. */
export function seriesAfter(series: Series, sinceMs: number): Series {
  const from = series.atMs.findIndex((atMs) => atMs > sinceMs);
  const start = from === -1 ? series.atMs.length : from;
  return {
    atMs: series.atMs.slice(start),
    values: Object.fromEntries(
      Object.entries(series.values).map(([name, values]) => [name, values.slice(start).map(rounded)]),
    ),
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 100) / 100;
}
