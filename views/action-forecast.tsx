import type { FC } from 'hono/jsx';

export interface ForecastFigure {
  readonly label: string;
  readonly now: string;
  /** Empty where nothing is changed, or what is typed can't be. */
  readonly after: string;
  /** "90 s to 2 min" */
  readonly range: string;
}

export interface ForecastChart {
  /** `x,y` pairs on a box of 300 × 70: there and back along the edges of the range; the middle; the limit. */
  readonly band: string;
  readonly line: string;
  /** Height of the limit in that box; null: there is none. */
  readonly limitY: number | null;
  /** What it shows, in words. */
  readonly text: string;
  readonly top: string;
  /** What the height of the box stands for; its foot is 0. */
  readonly scale: string;
  readonly end: string;
}

export interface ForecastProps {
  readonly figures: readonly ForecastFigure[];
  readonly limits: string;
  /** null: memory is not known. */
  readonly chart: ForecastChart | null;
  /** How good forecasts have been; empty before any was held against what happened. */
  readonly score: string;
}

/**
 * What the numbers being typed would bring, redrawn while a slider moves. Its height is the same whatever it says, so that
 * nothing below moves away from under a finger.
 */
export const ActionForecast: FC<ForecastProps> = ({ figures, limits, chart, score }) => (
  <section
    id="action-forecast"
    class="forecast"
    aria-label="Forecast"
    hx-get="/action/forecast"
    hx-include="#action-fields, #action-form > input[type=hidden]"
    hx-trigger="input delay:150ms from:#action-fields"
    hx-target="this"
    hx-swap="outerMorph"
    hx-sync="this:replace"
  >
    <dl class="forecast-figures">
      {figures.map((figure) => (
        <div>
          <dt>{figure.label}</dt>
          <dd>
            <span class="forecast-now">{figure.now}</span>
            {figure.after === '' ? null : (
              <>
                <span class="visually-hidden"> becomes </span>
                <span class="forecast-after">{figure.after}</span>
              </>
            )}
            <span class="forecast-range">{figure.range}</span>
          </dd>
        </div>
      ))}
    </dl>
    <p class="forecast-limits">{limits}</p>
    {chart ? <MemoryChart {...chart} /> : <p class="forecast-blank hint">Memory is not forecast here.</p>}
    <p class="forecast-score hint">{score}</p>
  </section>
);

/** Memory over time: range as a band, limit as a dashed line. The words beside it say the same. */
const MemoryChart: FC<ForecastChart> = ({ band, line, limitY, text, top, scale, end }) => (
  <figure class="forecast-chart">
    <figcaption>Redis memory: {top}</figcaption>
    <svg viewBox="0 0 300 70" preserveAspectRatio="none" role="img" aria-label={text}>
      <polygon class="forecast-band" points={band} />
      <polyline class="forecast-line" points={line} />
      {limitY === null ? null : (
        <line class="forecast-limit" x1="0" x2="300" y1={String(limitY)} y2={String(limitY)} />
      )}
    </svg>
    <p class="forecast-axis" aria-hidden="true">
      <span>now</span>
      <span>{scale}</span>
      <span>{end}</span>
    </p>
  </figure>
);
