import type { FC } from 'hono/jsx';
import type { RunTimes } from '../server/model/job-type.js';
import { evenly } from './drawn/geometry.js';
import { Histogram, type HistogramProps } from './drawn/histogram.js';
import { Sparkline } from './drawn/sparkline.js';
import { Icon, type IconName } from './icon.js';
import { type Setting, SettingLink } from './setting.js';
import type { State } from './state.js';
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
  /** How long its runs took; empty: none has ended. */
  readonly histogram: RunTimes['histogram'];
  /** Medians of the last minutes, evenly apart; null: none ended then. */
  readonly trendMs: readonly (number | null)[];
  /** A line in the histogram: when its batches are flushed, else from where on it is slow; null: neither. */
  readonly line: NonNullable<HistogramProps['threshold']> | null;
  readonly waited: Value;
  readonly memory: Value;
  readonly threshold: Setting;
}

/** Of the values alone: evenly apart, the last of now. */
const TREND = { fromMs: 0, toMs: 1 };

function secondsOf(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
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
        {row.histogram.length === 0 ? null : (
          <Histogram title={`Run times of ${row.name}`} buckets={row.histogram} threshold={row.line} />
        )}
        <div>
          <Details {...row.run} />
        </div>
        <Sparkline
          title="Median run time, last minutes"
          unit="seconds"
          points={evenly(row.trendMs.map(secondsOf), TREND)}
          span={TREND}
        />
      </div>
    </td>
    <NumberCell label="Waited" value={row.waited} />
    <NumberCell label="Memory" value={row.memory} />
    <td class="number cell-setting" data-label="Slow from">
      <SettingLink {...row.threshold} />
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
