import type { FC } from 'hono/jsx';
import { type FormatUnit, formatValue } from '../../server/model/format.js';
import { largestOf, linePath, type Point, roundedUp, type Span, scaleOf } from './geometry.js';
import { described } from './words.js';

interface SparklineProps {
  /** What it is of, such as "Waiting, last 15 min". */
  readonly title: string;
  readonly unit: FormatUnit;
  /** Oldest first. */
  readonly points: readonly Point[];
  readonly span: Span;
}

/** Steps sideways, two pixels each: fifty rows are sent to every viewer. */
const STEPS = 40;
const HEIGHT = 20;

/** The shape of a line over time, small enough for a row; on a scale from 0 to the largest. */
export const Sparkline: FC<SparklineProps> = ({ title, unit, points, span }) => {
  const x = scaleOf(span.fromMs, span.toMs, STEPS);
  const up = scaleOf(0, roundedUp(largestOf(points.map(({ value }) => value))), HEIGHT - 2);
  const y = (value: number | null | undefined): number | null => {
    const at = up(value);
    return at === null ? null : Math.round(HEIGHT - 1 - at);
  };
  const path = linePath(points, span, x, y, { isCoarse: true });
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${STEPS} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={sparklineInWords({ title, unit, points, span })}
    >
      {path === '' ? null : <path d={path} />}
    </svg>
  );
};

/** "Waiting, last 15 min: 12 jobs to 38,000 jobs; highest 39,000 jobs." */
function sparklineInWords({ title, unit, points }: SparklineProps): string {
  const known = points.flatMap(({ value }) => (value === null || Number.isNaN(value) ? [] : [value]));
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return described(title, ['not known']);
  const most = largestOf(known);
  return described(title, [
    `${formatValue(first, unit)} to ${formatValue(last, unit)}`,
    most > Math.max(first, last) && `highest ${formatValue(most, unit)}`,
  ]);
}
