import type { FC } from 'hono/jsx';
import { Options } from './controls.js';
import { Time } from './time.js';
import { moment } from './words.js';

const RANGES = [
  ['15m', 'Last 15 minutes, live'],
  ['1h', 'Last hour'],
  ['6h', 'Last 6 hours'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
] as const;
const COMPARED = [
  ['', 'No comparison'],
  ['yesterday', 'Yesterday, same hour'],
  ['last-week', 'Last week, same hour'],
] as const;

/** As an address has it; what is none of these is the first. */
export interface ChartTime {
  readonly time?: string | undefined;
  readonly compare?: string | undefined;
  /** A moment, as JSON has it, where the charts end; none: now. */
  readonly end?: string | undefined;
}

/** The part of an address that keeps the time of the charts; empty for the usual one. */
export function chartTimeQuery({ time, compare, end }: ChartTime): Readonly<Record<string, string>> {
  return {
    ...(time === undefined ? {} : { time }),
    ...(compare === undefined ? {} : { compare }),
    ...(end === undefined ? {} : { end }),
  };
}

/**
 * Over which time the charts of the page go, what they are compared with, and what happened in that time as a list:
 * the same that the charts mark by lines. The script fills it, and keeps in the address what is chosen.
 */
export const ChartRange: FC<{ readonly chosen: ChartTime; readonly nowMs: number }> = ({ chosen, nowMs }) => {
  const endMs = Date.parse(chosen.end ?? '');
  return (
    <section class="chart-range" aria-label="Time of the charts">
      <select data-chart-time="" aria-label="Time" autocomplete="off">
        <Options of={RANGES} chosen={chosen.time} />
      </select>
      <select data-chart-compare="" aria-label="Compare with" autocomplete="off">
        <Options of={COMPARED} chosen={chosen.compare ?? ''} />
      </select>
      {Number.isFinite(endMs) ? (
        <span data-chart-end={String(endMs)}>
          up to <Time {...moment(endMs, nowMs)} /> · <a href="?">now</a>
        </span>
      ) : null}
      <span class="muted chart-range-state" role="status" data-chart-state=""></span>
      <details class="chart-marks" hx-morph-skip="">
        <summary data-chart-marks-count="">No events in this time</summary>
        <ol data-chart-marks=""></ol>
      </details>
    </section>
  );
};
