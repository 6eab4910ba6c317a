/**
 * What the small drawings share: numbers of any kind become places inside a box. Pure; whatever comes in, nothing but
 * finite coordinates within the box goes out.
 */

/** A value at a moment; null: it is not known, and the line has a gap there. */
export interface Point {
  readonly atMs: number;
  readonly value: number | null;
}

/** A stretch of time that is drawn; what lies outside is cut off. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where a value lies between 0 and `size`; null: it is no number. */
export type Scale = (value: number | null | undefined) => number | null;

/** `from` lies at 0 and `to` at `size`; what lies outside is moved to the nearer edge. */
export function scaleOf(from: number, to: number, size: number): Scale {
  // Halved, so that a span from one end of all numbers to the other is a number itself.
  const low = (Number.isFinite(from) ? from : 0) / 2;
  const span = (Number.isFinite(to) ? to : 0) / 2 - low;
  return (value) => {
    if (value === null || value === undefined || Number.isNaN(value)) return null;
    const ratio = span > 0 ? (value / 2 - low) / span : value / 2 > low ? 1 : 0;
    return Math.min(1, Math.max(0, ratio)) * size;
  };
}

/** A place as it stands in an attribute: a tenth is finer than any screen, and half as long as what is computed. */
export function place(at: number): string {
  return String(Math.round(at * 10) / 10);
}

/** A share of the width, which keeps its place however wide the drawing becomes. */
export function percent(ratio: number): string {
  return `${Math.round(Math.min(1, Math.max(0, Number.isNaN(ratio) ? 0 : ratio)) * 1000) / 10}%`;
}

/** The share of a span that has gone by at a moment, 0 to 1. */
export function shareOfSpan(atMs: number, { fromMs, toMs }: Span): number {
  return scaleOf(fromMs, toMs, 1)(atMs) ?? 0;
}

/** The largest that is known; 0: none is. */
export function largestOf(values: Iterable<number | null | undefined>): number {
  let most = 0;
  for (const value of values)
    if (value !== null && value !== undefined && Number.isFinite(value) && value > most) most = value;
  return most;
}

/** The next of 1, 2, 5, 10, 20 … at or above a value, so that a scale keeps still while the value moves. */
export function roundedUp(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((times) => times * power >= value) ?? 10;
  const rounded = step * power;
  return Number.isFinite(rounded) && rounded > 0 ? rounded : value;
}

/**
 * A line through points, as the `d` of a path: it breaks where a value is not known, and a value alone between two gaps
 * is a dot. Points outside of the span are left out, except that the line comes in from the last one before it.
 * Of those that fall on the same place sideways the least and the largest are kept, so that no spike is lost.
 * @param isCoarse keeps the largest alone: a third of the bytes, for drawings of which there are many.
 */
export function linePath(
  points: readonly Point[],
  span: Span,
  x: Scale,
  y: Scale,
  { isCoarse = false }: { readonly isCoarse?: boolean } = {},
): string {
  let path = '';
  let isDown = false;
  let isAlone = false;
  for (const column of columnsOf(points, span, x)) {
    if (column === null) {
      if (isAlone) path += 'h0';
      isDown = false;
      isAlone = false;
      continue;
    }
    for (const value of isCoarse ? [Math.max(...column.values)] : ends(column.values)) {
      const at = y(value);
      if (at === null) continue;
      path += isDown
        ? ` ${place(column.x)} ${place(at)}`
        : `${path === '' ? '' : ' '}M${place(column.x)} ${place(at)}`;
      isAlone = !isDown;
      isDown = true;
    }
  }
  return isAlone ? `${path}h0` : path;
}

/** An area between two lines over time, as the points of a polygon; empty: there is none. */
export function bandPoints(
  edges: readonly { readonly atMs: number; readonly low: number; readonly high: number }[],
  x: Scale,
  y: Scale,
): string {
  const known = edges.flatMap(({ atMs, low, high }) => {
    const [at, bottom, top] = [x(atMs), y(low), y(high)];
    return at === null || bottom === null || top === null ? [] : [{ at, bottom, top }];
  });
  if (known.length < 2) return '';
  const there = known.map(({ at, top }) => `${place(at)},${place(top)}`);
  const back = known.toReversed().map(({ at, bottom }) => `${place(at)},${place(bottom)}`);
  return [...there, ...back].join(' ');
}

interface Column {
  readonly x: number;
  /** In the order in which they came. */
  readonly values: number[];
}

/** Points by the place at which they fall; null: a gap. */
function columnsOf(points: readonly Point[], span: Span, x: Scale): readonly (Column | null)[] {
  const columns: (Column | null)[] = [];
  for (const { atMs, value } of within(points, span)) {
    const at = x(atMs);
    const column = columns.at(-1);
    if (at === null || value === null || Number.isNaN(value)) {
      if (column) columns.push(null);
    } else if (column?.x === Math.round(at)) column.values.push(value);
    else columns.push({ x: Math.round(at), values: [value] });
  }
  return columns;
}

/** Of values at one place the least and the largest as they came, and the last, from which the line goes on. */
function ends(values: readonly number[]): readonly number[] {
  if (values.length < 2) return values;
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (least === most) return [least];
  const turns = values.indexOf(least) < values.indexOf(most) ? [least, most] : [most, least];
  const last = values.at(-1);
  return last === undefined || last === turns[1] ? turns : [...turns, last];
}

/** Those within a span, and the last one before it, where the line comes in. */
function within(points: readonly Point[], { fromMs, toMs }: Span): readonly Point[] {
  const first = points.findIndex(({ atMs }) => atMs >= fromMs);
  if (first < 0) return points.slice(-1);
  return points.slice(Math.max(0, first - 1)).filter(({ atMs }) => atMs <= toMs);
}

const MINUTE_MS = 60_000;
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080, 43_200].map(
  (minutes) => minutes * MINUTE_MS,
);
const MAX_TICKS = 200;

/** Round moments of a span, evenly apart, at most `most` of them. */
export function timeTicks({ fromMs, toMs }: Span, most: number): readonly number[] {
  const lengthMs = toMs - fromMs;
  if (!(lengthMs > 0) || !Number.isFinite(lengthMs) || !isTime(fromMs) || !isTime(toMs)) return [];
  const count = Math.max(1, Math.min(MAX_TICKS, most));
  const stepMs =
    STEPS_MS.find((step) => lengthMs / step <= count) ??
    Math.ceil(lengthMs / count / (STEPS_MS.at(-1) ?? 1)) * (STEPS_MS.at(-1) ?? 1);
  const ticks: number[] = [];
  for (let atMs = Math.ceil(fromMs / stepMs) * stepMs; atMs <= toMs && ticks.length < count; atMs += stepMs)
    ticks.push(atMs);
  return ticks;
}

/** What a Date can hold. */
export function isTime(atMs: number): boolean {
  return Math.abs(atMs) <= 8.64e15;
}

/** Where the future may run: between two edges. */
export interface ForecastPoint {
  readonly atMs: number;
  readonly low: number;
  readonly high: number;
}

/**
 * A forecast that widens in straight lines from what is so now up to a level, which it reaches in a range of seconds.
 * @param reachesInSeconds earliest and latest; null as the latest: perhaps never, and the lower edge stays level.
 * @param untilMs where it is cut off.
 */
export function coneTo(
  now: { readonly atMs: number; readonly value: number },
  level: number,
  reachesInSeconds: readonly [number, number | null],
  untilMs: number,
): readonly ForecastPoint[] {
  const { atMs, value } = now;
  const along = (seconds: number | null, toMs: number): number => {
    if (seconds === null || !Number.isFinite(seconds)) return value;
    const ratio = seconds > 0 ? Math.min(1, Math.max(0, (toMs - atMs) / (seconds * 1000))) : 1;
    return value + (level - value) * ratio;
  };
  const [earliest, latest] = reachesInSeconds;
  const ends = [earliest, latest]
    .flatMap((seconds) => (seconds === null ? [] : [atMs + Math.max(0, seconds) * 1000]))
    .filter((at) => Number.isFinite(at) && at > atMs && at < untilMs);
  // Beyond the latest there is nothing left to say.
  const endMs = latest !== null && ends.length === 2 ? [] : [untilMs];
  return [...new Set([atMs, ...ends, ...endMs])]
    .sort((a, b) => a - b)
    .map((at) => {
      const [first, second] = [along(earliest, at), along(latest, at)];
      return { atMs: at, low: Math.min(first, second), high: Math.max(first, second) };
    });
}

/** Values that were taken evenly over a span, the last one at its end, as points of it. */
export function evenly(values: readonly (number | null)[], { fromMs, toMs }: Span): readonly Point[] {
  const step = values.length > 1 ? (toMs - fromMs) / (values.length - 1) : 0;
  return values.map((value, i) => ({ atMs: toMs - (values.length - 1 - i) * step, value }));
}
