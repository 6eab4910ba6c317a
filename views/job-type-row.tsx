import type { FC } from 'hono/jsx';
import type { State } from './band.js';
import { Icon, type IconName } from './icon.js';
import type { Setting } from './queue-row.js';
import { type Moment, Time } from './time.js';

/** A number, and what belongs to it in small characters, a line each. */
export interface Value {
  readonly text: string;
  readonly details: readonly string[];
}

/** "fails 92% since" and the time. */
export interface StateLine {
  readonly text: string;
  readonly at: Moment | null;
}

export interface JobTypeRowProps {
  readonly id: string;
  readonly name: string;
  /** Where run times are from, and what can't be seen that way. */
  readonly source: string;
  readonly limits: string;
  readonly state: State;
  readonly icon: IconName;
  /** The first says what is the matter. */
  readonly lines: readonly StateLine[];
  readonly waiting: Value;
  readonly active: Value;
  readonly arrivals: string;
  readonly completed: string;
  readonly failed: string;
  /** The form that brings back what failed of it; null: nothing failed lately, or this role may not. */
  readonly replayHref: string | null;
  readonly run: Value;
  /** Paths on boxes of 84 × 20 and 80 × 20; empty where there is nothing to draw. */
  readonly histogram: string;
  readonly histogramText: string;
  readonly trend: string;
  readonly waited: Value;
  readonly memory: Value;
  readonly threshold: Setting;
}

/** One job type; on a phone a card. */
export const JobTypeRow: FC<JobTypeRowProps> = (row) => (
  <tr id={row.id} class={`queue job-type state-${row.state}`}>
    <th scope="row" class="cell-name">
      <span class="type-name">{row.name}</span>
      {row.source ? (
        <span class="place" title={row.limits}>
          {row.source}
        </span>
      ) : null}
    </th>
    <td class="cell-verdict" data-label="State">
      {row.lines.map((line, i) =>
        i === 0 ? (
          <span class={`state-word state-${row.state}`}>
            <Icon name={row.icon} /> <Line {...line} />
          </span>
        ) : (
          <span class="worker-why">
            <Line {...line} />
          </span>
        ),
      )}
    </td>
    <NumberCell label="Waiting" value={row.waiting} />
    <NumberCell label="In flight" value={row.active} />
    <td class="number" data-label="In /s">
      {row.arrivals}
    </td>
    <td class="number" data-label="Done /s">
      {row.completed}
    </td>
    <td class="number" data-label="Failed /s">
      {row.failed}
      {row.replayHref === null ? null : (
        <a class="detail" href={row.replayHref} aria-label={`Replay what failed of ${row.name}`}>
          Replay
        </a>
      )}
    </td>
    <td class="cell-run" data-label="Run time">
      <div class="run-shapes">
        <span class="run-median">{row.run.text}</span>
        <RunHistogram path={row.histogram} text={row.histogramText} />
        <div>
          <Details {...row.run} />
        </div>
        <Trend path={row.trend} />
      </div>
    </td>
    <NumberCell label="Waited" value={row.waited} />
    <NumberCell label="Memory" value={row.memory} />
    <td class="number cell-setting" data-label="Slow from">
      {row.threshold.href === null ? (
        row.threshold.value
      ) : (
        <a class="setting" href={row.threshold.href} data-drawer="" aria-label={row.threshold.label}>
          {row.threshold.value} <Icon name="edit" />
        </a>
      )}
    </td>
  </tr>
);

const Line: FC<StateLine> = ({ text, at }) => (
  <>
    {text}
    {at ? (
      <>
        {' '}
        <Time {...at} />
      </>
    ) : null}
  </>
);

const NumberCell: FC<{ readonly label: string; readonly value: Value }> = ({ label, value }) => (
  <td class="number" data-label={label}>
    {value.text}
    <Details {...value} />
  </td>
);

const Details: FC<Value> = ({ details }) => (
  <>
    {details.map((detail) => (
      <span class="detail">{detail}</span>
    ))}
  </>
);

/** How runs spread from 1 ms on the left to an hour on the right. The words are said by the tooltip and to screen readers. */
const RunHistogram: FC<{ readonly path: string; readonly text: string }> = ({ path, text }) =>
  path === '' ? null : (
    <svg class="histogram" width="84" height="21" viewBox="0 0 84 21" role="img" aria-label={text}>
      <title>{text}</title>
      <path class="histogram-axis" d="M0 20.5h84" />
      <path class="histogram-bars" d={path} />
    </svg>
  );

/** Medians of the last minutes. The median beside it is the last of them, so it is hidden from screen readers. */
const Trend: FC<{ readonly path: string }> = ({ path }) => (
  <svg class="sparkline" width="80" height="20" viewBox="0 0 80 20" aria-hidden="true">
    {path === '' ? null : <path d={path} />}
  </svg>
);
