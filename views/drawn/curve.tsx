import type { FC } from 'hono/jsx';
import { type FormatUnit, formatValue } from '../../server/model/format.js';
import {
  bandPoints,
  type ForecastPoint,
  largestOf,
  linePath,
  type Point,
  percent,
  place,
  roundedUp,
  type Scale,
  type Span,
  scaleOf,
  shareOfSpan,
} from './geometry.js';
import { type Pin, PinMark } from './pin.js';
import { TimeAxis } from './time-axis.js';
import { clockRange, clockTime, described, listed } from './words.js';

/** A stretch of time in which something held, such as rejected writes. */
export interface CurveBand {
  readonly fromMs: number;
  /** null: it holds still. */
  readonly toMs: number | null;
  readonly label: string;
}

export interface CurveProps {
  /** What the line is of, such as "Memory of Redis cache". */
  readonly title: string;
  readonly unit: FormatUnit;
  /** Oldest first. */
  readonly points: readonly Point[];
  readonly span: Span;
  /** How it would go if nothing were done. */
  readonly otherwise?: readonly Point[];
  /** Where the past ends; left out: with the span. */
  readonly nowMs?: number;
  /** A level that counts; null: there is none. */
  readonly limit?: {
    readonly value: number;
    readonly label: string;
    /** What it was before, where it has moved. */
    readonly was?: readonly Point[];
  } | null;
  /** Where the line may go from now on (`coneTo`), and what it is to reach the limit: "full". */
  readonly forecast?: { readonly points: readonly ForecastPoint[]; readonly reaches: string } | null;
  readonly bands?: readonly CurveBand[];
  readonly pins?: readonly Pin[];
  readonly size?: 'small' | 'medium' | 'large';
}

const WIDTH = 600;
const HEIGHT = 100;
const HEIGHTS = { small: 84, medium: 140, large: 220 } as const;
/** Above the line for the pins, below it for the times. */
const ABOVE = 16;
const BELOW = 18;
/** More pins than this can't be told apart: the newest are drawn. */
const MAX_PINS = 40;

/**
 * A line over time: with its limit, the forecast up to where it meets that, stretches in which something held, and pins
 * of what was done. It is as wide as there is room, and always as high as its size says.
 */
export const Curve: FC<CurveProps> = (curve) => {
  const { span, limit = null, bands = [], pins = [], size = 'medium', forecast = null, unit } = curve;
  const height = HEIGHTS[size];
  const bottom = height - BELOW;
  const x = scaleOf(span.fromMs, span.toMs, WIDTH);
  const y = flipped(scaleOf(0, topOf(curve), HEIGHT));
  const limitAt = limit && y(limit.value);
  const cone = forecast ? bandPoints(forecast.points, x, y) : '';
  return (
    <svg
      class={`curve curve-${size}`}
      width="100%"
      height={String(height)}
      role="img"
      aria-label={curveInWords(curve)}
    >
      <TimeAxis span={span} top={ABOVE} bottom={bottom} />
      <svg
        class="curve-plot"
        aria-hidden="true"
        y={String(ABOVE)}
        width="100%"
        height={String(bottom - ABOVE)}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
      >
        {bands.map((band) => (
          <BandMark band={band} curve={curve} />
        ))}
        {cone === '' ? null : <polygon class="curve-cone" points={cone} />}
        {curve.otherwise ? <path class="curve-otherwise" d={linePath(curve.otherwise, span, x, y)} /> : null}
        {limit && limitAt !== null ? (
          <path class="curve-limit" d={limitPath(limit, pastEnd(curve), span, x, y)} />
        ) : null}
        <path class="curve-line" d={linePath(curve.points, span, x, y)} />
      </svg>
      {limit && limitAt !== null ? (
        <text
          class="curve-limit-label"
          x="100%"
          y={place(Math.max(12, ABOVE - 4 + (limitAt / HEIGHT) * (bottom - ABOVE)))}
          text-anchor="end"
        >
          {limit.label} {formatValue(limit.value, unit)}
        </text>
      ) : null}
      {pins.slice(-MAX_PINS).map((pin) => {
        const at = percent(shareOfSpan(pin.atMs, span));
        return (
          <>
            <line class={`curve-pin curve-pin-${pin.kind}`} x1={at} x2={at} y1="12" y2={String(bottom)} />
            <PinMark pin={pin} x={at} y={0} />
          </>
        );
      })}
    </svg>
  );
};

const BandMark: FC<{ readonly band: CurveBand; readonly curve: CurveProps }> = ({ band, curve }) => {
  const x = scaleOf(curve.span.fromMs, curve.span.toMs, WIDTH);
  const from = x(band.fromMs) ?? 0;
  const to = x(band.toMs ?? pastEnd(curve)) ?? 0;
  // A moment is to be seen too.
  const width = Math.max(2, to - from);
  return (
    <rect
      class="curve-band"
      x={place(Math.min(from, WIDTH - width))}
      width={place(width)}
      height={String(HEIGHT)}
    >
      <title>{band.label}</title>
    </rect>
  );
};

/** Level up to where it was moved, then on another level: a limit moves at once. */
function limitPath(
  { value, was = [] }: NonNullable<CurveProps['limit']>,
  nowMs: number,
  span: Span,
  x: Scale,
  y: Scale,
): string {
  const levels: Point[] = [];
  for (const point of was) {
    const before = levels.at(-1);
    if (point.value === null || point.atMs < span.fromMs || point.atMs >= nowMs) continue;
    if (before?.value === point.value) continue;
    if (before) levels.push({ atMs: point.atMs, value: before.value });
    levels.push(before ? point : { ...point, atMs: span.fromMs });
  }
  const last = levels.at(-1);
  if (last && last.value !== value) levels.push({ atMs: nowMs, value: last.value }, { atMs: nowMs, value });
  if (!last) levels.push({ atMs: span.fromMs, value });
  return linePath([...levels, { atMs: span.toMs, value }], span, x, y);
}

/** All that the drawing shows, in one sentence. */
function curveInWords(curve: CurveProps): string {
  const { title, points, span, unit, limit = null, bands = [], pins = [] } = curve;
  const known = points.filter(
    ({ atMs, value }) => value !== null && !Number.isNaN(value) && atMs >= span.fromMs && atMs <= span.toMs,
  );
  const [first, last] = [known[0], known.at(-1)];
  const words = (value: number | null): string => formatValue(value ?? Number.NaN, unit);
  const meets = meetsAt(curve);
  return described(title, [
    first === undefined || last === undefined
      ? 'nothing is known of this time'
      : `${words(first.value)} at ${clockTime(first.atMs)}, ${words(last.value)} at ${clockTime(last.atMs)} UTC, highest ${words(largestOf(known.map(({ value }) => value)))}`,
    limit && `${limit.label} ${words(limit.value)}`,
    meets && `${meets.word} at ${meets.time} UTC`,
    ...bands.map(({ fromMs, toMs, label }) =>
      toMs === null
        ? `${label} since ${clockTime(fromMs)}`
        : `${label} from ${clockTime(fromMs)} to ${clockTime(toMs)}`,
    ),
    pins.length > 0 && listed(pins.map(({ atMs, label }) => `${clockTime(atMs)} ${label}`)),
  ]);
}

/** When the forecast meets the limit: "03:12 to 03:15", "03:12 or later"; null: not within what is drawn. */
export function meetsAt({
  limit = null,
  forecast = null,
}: Pick<CurveProps, 'limit' | 'forecast'>): { readonly word: string; readonly time: string } | null {
  if (limit === null || forecast === null) return null;
  const [earliest, latest] = [
    crossing(forecast.points, limit.value, ({ high }) => high),
    crossing(forecast.points, limit.value, ({ low }) => low),
  ];
  if (earliest === null) return null;
  const time = latest === null ? `${clockTime(earliest)} or later` : clockRange(earliest, latest);
  return { word: forecast.reaches, time };
}

function crossing(
  points: readonly ForecastPoint[],
  level: number,
  edge: (point: ForecastPoint) => number,
): number | null {
  for (const [i, point] of points.entries()) {
    if (!(edge(point) >= level)) continue;
    const before = points[i - 1];
    if (before === undefined) return point.atMs;
    const rise = edge(point) - edge(before);
    const share = rise > 0 ? (level - edge(before)) / rise : 0;
    return before.atMs + (point.atMs - before.atMs) * (Number.isFinite(share) ? share : 1);
  }
  return null;
}

/** The limit is always in sight: 56 of 512 MB must not look full. Without one the scale moves in steps. */
function topOf({ points, otherwise = [], limit = null, forecast = null }: CurveProps): number {
  const most = largestOf([
    ...otherwise.map(({ value }) => value),
    ...(limit?.was ?? []).map(({ value }) => value),
    ...points.map(({ value }) => value),
    ...(forecast?.points ?? []).map(({ high }) => high),
  ]);
  if (limit === null || !Number.isFinite(limit.value)) return roundedUp(most);
  return Math.min(Number.MAX_VALUE / 2, Math.max(limit.value, most) * 1.08);
}

function pastEnd({ nowMs, span }: CurveProps): number {
  return Math.min(nowMs ?? span.toMs, span.toMs);
}

function flipped(scale: ReturnType<typeof scaleOf>): ReturnType<typeof scaleOf> {
  return (value) => {
    const at = scale(value);
    return at === null ? null : HEIGHT - at;
  };
}
