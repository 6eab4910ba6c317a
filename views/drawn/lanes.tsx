import { raw } from 'hono/html';
import type { Child, FC } from 'hono/jsx';
import { formatDuration } from '../../server/model/format.js';
import { percent, place, type Span, shareOfSpan } from './geometry.js';
import { type Pin, PinMark } from './pin.js';
import { TimeAxis } from './time-axis.js';
import { clockTime, described, listed } from './words.js';

type BarKind = 'critical' | 'warning' | 'info' | 'alert' | 'action' | 'calm';

interface LaneBar {
  readonly fromMs: number;
  /** null: it goes on. */
  readonly toMs: number | null;
  readonly kind: BarKind;
  readonly label: string;
  /** Where its evidence is; left out: nowhere. */
  readonly href?: string | undefined;
}

export interface LanePin extends Pin {
  readonly href?: string | undefined;
}

/** One line of what happened: a finding, an alert, an action, the events of a worker. */
export interface Lane {
  readonly label: string;
  readonly bars: readonly LaneBar[];
  readonly pins: readonly LanePin[];
  /** It follows from the lane above that is not indented. */
  readonly follows?: boolean;
}

export interface LanesProps {
  /** What the picture is of. */
  readonly title: string;
  readonly span: Span;
  /** Bars that go on are drawn up to here. */
  readonly nowMs: number;
  readonly lanes: readonly Lane[];
  /** For a file of its own: how it looks, as no page says it. */
  readonly css?: string;
}

/** As wide as a file of its own is drawn. */
const FILE_WIDTH = 1_000;
const LANE_HEIGHT = 38;
const BAR_TOP = 19;
const BAR_HEIGHT = 12;
const AXIS_HEIGHT = 20;
const MAX_LANES = 60;

/** What happened when: a lane each, bars in time, pins for moments. As wide as there is room; the labels stand above the bars. */
export const Lanes: FC<LanesProps> = ({ title, span, nowMs, lanes, css }) => {
  const shown = lanes.slice(0, MAX_LANES);
  const bottom = shown.length * LANE_HEIGHT;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing with links in it is no image and no set of fields
    <svg
      {...(css === undefined ? {} : { xmlns: 'http://www.w3.org/2000/svg' })}
      class="lanes"
      width={css === undefined ? '100%' : FILE_WIDTH}
      height={String(bottom + AXIS_HEIGHT)}
      role="group"
      aria-label={lanesInWords({ title, span, nowMs, lanes })}
    >
      {css === undefined ? null : (
        <>
          <title>{title}</title>
          <style>{raw(css)}</style>
        </>
      )}
      <TimeAxis span={span} top={0} bottom={bottom} />
      {shown.map((lane, i) => (
        <g class={lane.follows ? 'lane follows' : 'lane'} transform={`translate(0 ${i * LANE_HEIGHT})`}>
          <text x={lane.follows ? '16' : '2'} y="13">
            {lane.follows ? '↳ ' : ''}
            {lane.label}
          </text>
          <rect class="lane-track" y={String(BAR_TOP)} width="100%" height={String(BAR_HEIGHT)} />
          {lane.bars.map((bar) => (
            <Bar bar={bar} span={span} nowMs={nowMs} />
          ))}
          {lane.pins.map((pin) => (
            <Linked href={pin.href} label={pinInWords(pin)}>
              <PinMark pin={pin} x={percent(shareOfSpan(pin.atMs, span))} y={BAR_TOP} />
            </Linked>
          ))}
        </g>
      ))}
    </svg>
  );
};

const Bar: FC<{ readonly bar: LaneBar; readonly span: Span; readonly nowMs: number }> = ({
  bar,
  span,
  nowMs,
}) => {
  const from = shareOfSpan(bar.fromMs, span);
  const to = shareOfSpan(bar.toMs ?? nowMs, span);
  // A moment is to be seen too.
  const width = Math.max(0.004, to - from);
  return (
    <Linked href={bar.href} label={barInWords(bar, nowMs)}>
      <rect
        class={`lane-bar lane-${bar.kind}${bar.toMs === null ? ' goes-on' : ''}`}
        x={percent(Math.min(from, 1 - width))}
        y={place(BAR_TOP)}
        width={percent(width)}
        height={String(BAR_HEIGHT)}
      >
        <title>{barInWords(bar, nowMs)}</title>
      </rect>
    </Linked>
  );
};

const Linked: FC<{
  readonly href?: string | undefined;
  readonly label: string;
  readonly children?: Child;
}> = ({ href, label, children }) =>
  href === undefined ? (
    <g>{children}</g>
  ) : (
    <a href={href} aria-label={label}>
      {children}
    </a>
  );

function pinInWords({ atMs, label }: Pin): string {
  return `${clockTime(atMs)} UTC ${label}`;
}

/** "critical from 02:43 to 02:45 UTC (1 min 24 s)" */
function barInWords({ fromMs, toMs, label }: LaneBar, nowMs: number): string {
  const seconds = ((toMs ?? nowMs) - fromMs) / 1000;
  const length = Number.isFinite(seconds) && seconds >= 0 ? ` (${formatDuration(seconds)})` : '';
  return toMs === null
    ? `${label} since ${clockTime(fromMs)} UTC${length}`
    : `${label} from ${clockTime(fromMs)} to ${clockTime(toMs)} UTC${length}`;
}

/** All that the drawing shows, lane by lane. */
function lanesInWords({ title, nowMs, lanes }: LanesProps): string {
  return described(
    title,
    lanes.slice(0, MAX_LANES).map((lane) => {
      const facts = [...lane.bars.map((bar) => barInWords(bar, nowMs)), ...lane.pins.map(pinInWords)];
      return facts.length === 0 ? lane.label : `${lane.label}: ${listed(facts)}`;
    }),
  );
}
