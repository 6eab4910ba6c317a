import type { FC } from 'hono/jsx';
import { SignalMark } from './docs-mark.js';

interface ChartLine {
  readonly label: string;
  /** Name of the values in the series. */
  readonly key: string;
  /** Its signal in the history. */
  readonly signal: string;
  readonly colour: 'one' | 'two' | 'three' | 'limit';
}

export interface ChartProps {
  readonly id: string;
  readonly title: string;
  /** What it shows now, in words: what a screen reader says, and what stands there without a script. */
  readonly text: string;
  readonly unit: 'bytes' | 'jobs' | 'perSecond';
  readonly lines: readonly ChartLine[];
  /** Where its points come from, as JSON. */
  readonly href: string;
  /** Whose history: the query that GET /api/v1/history takes beside the signal. */
  readonly history: string;
  /** A level drawn across, such as maxmemory. */
  readonly limit: { readonly value: number; readonly label: string } | null;
  /** The points bring a forecast of this line. */
  readonly forecastOf?: string;
}

/** A picture that the script draws and feeds; the words beside it say the same. */
export const Chart: FC<ChartProps> = ({ id, title, text, unit, lines, href, history, limit, forecastOf }) => (
  <figure class="chart" id={id}>
    <figcaption>
      <span class="chart-title">{title}</span>
      <SignalMark name={lines[0]?.signal} /> <span id={`${id}-text`}>{text}</span>
    </figcaption>
    <div class="chart-frame" hx-morph-skip="">
      <canvas
        role="img"
        aria-label={`${title}: ${text}`}
        data-chart={href}
        data-history={history}
        data-title={title}
        data-unit={unit}
        data-lines={JSON.stringify(lines)}
        data-forecast={forecastOf}
        data-limit={limit ? JSON.stringify(limit) : undefined}
      ></canvas>
    </div>
  </figure>
);

/** The words beside each chart, by its id; sent when something new was read, and with it the hint to fetch points. */
export function chartTexts(charts: readonly ChartProps[]): Readonly<Record<string, string>> {
  return Object.fromEntries(charts.map((chart) => [chart.id, chart.text]));
}
