import type { FC } from 'hono/jsx';

const RANGES = [
  ['15m', 'Last 15 minutes, live'],
  ['1h', 'Last hour'],
  ['6h', 'Last 6 hours'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
] as const;
const COMPARED = [
  ['', 'nothing'],
  ['yesterday', 'yesterday, same hour'],
  ['last-week', 'last week, same hour'],
] as const;

/**
 * Over which time the charts of the page go, what they are compared with, and what happened in that time as a list:
 * the same that the charts mark by lines. The script fills it.
 */
export const ChartRange: FC = () => (
  <section class="chart-range" aria-label="Time of the charts">
    <label>
      Time{' '}
      <select data-chart-time="">
        {RANGES.map(([value, label]) => (
          <option value={value}>{label}</option>
        ))}
      </select>
    </label>
    <label>
      Compare with{' '}
      <select data-chart-compare="">
        {COMPARED.map(([value, label]) => (
          <option value={value}>{label}</option>
        ))}
      </select>
    </label>
    <span class="muted chart-range-state" role="status" data-chart-state=""></span>
    <details class="chart-marks" hx-morph-skip="">
      <summary data-chart-marks-count="">No events in this time</summary>
      <ol data-chart-marks=""></ol>
    </details>
  </section>
);
