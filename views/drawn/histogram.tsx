import type { FC } from 'hono/jsx';
import { formatCount, formatRatio, formatRunTime, formatThings } from '../../server/model/format.js';
import { percent, place } from './geometry.js';
import { anchorAt } from './time-axis.js';
import { described, listed } from './words.js';

interface HistogramProps {
  /** What ran: "Run times of send". */
  readonly title: string;
  /** Ascending: runs longer than the bucket before and of at most `upToMs`. */
  readonly buckets: readonly { readonly upToMs: number; readonly count: number }[];
  /** From where on it counts as slow, or when a batch is flushed; null or left out: there is none. */
  readonly threshold?: { readonly ms: number; readonly label: string } | null | undefined;
  /** row: 84 × 20 without labels. */
  readonly size?: 'row' | 'large';
}

/** All on one axis from 1 ms to an hour, with three bars a decade: what is slower stands further to the right, wherever it is. */
const BARS = 21;
const BAR_WIDTH = 4;
const HEIGHT = 20;
const LAST_MS = 3_600_000;
const LABELS_MS = [10, 100, 1_000, 10_000, 60_000, 600_000];
const LARGE_HEIGHT = 140;
const BELOW = 18;
const ABOVE = 16;

/** How long runs took, with a line at the threshold. */
export const Histogram: FC<HistogramProps> = (histogram) => {
  const { size = 'row', threshold = null } = histogram;
  const isLarge = size === 'large';
  const plotHeight = isLarge ? LARGE_HEIGHT - BELOW - ABOVE : HEIGHT;
  const bottom = ABOVE + plotHeight;
  const plot = (
    <svg
      class="histogram-plot"
      aria-hidden="true"
      y={isLarge ? String(ABOVE) : '0'}
      width="100%"
      height={String(plotHeight)}
      viewBox={`0 0 ${BARS * BAR_WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
    >
      <path class="histogram-bars" d={barsPath(histogram.buckets)} />
      {threshold === null ? null : <ThresholdLine ms={threshold.ms} />}
    </svg>
  );
  return (
    <svg
      class={isLarge ? 'histogram is-large' : 'histogram'}
      width={isLarge ? '100%' : String(BARS * BAR_WIDTH)}
      height={String(isLarge ? LARGE_HEIGHT : HEIGHT)}
      role="img"
      aria-label={histogramInWords(histogram)}
    >
      {plot}
      {isLarge ? (
        <g class="drawn-axis">
          {LABELS_MS.map((ms) => (
            <text
              x={percent(shareOfAxis(ms))}
              y={String(bottom + 13)}
              text-anchor={anchorAt(shareOfAxis(ms))}
            >
              {formatRunTime(ms)}
            </text>
          ))}
        </g>
      ) : null}
      {isLarge && threshold !== null ? (
        <text
          class="histogram-threshold-label"
          x={percent(shareOfAxis(threshold.ms))}
          y="12"
          text-anchor={anchorAt(shareOfAxis(threshold.ms))}
        >
          {threshold.label} {formatRunTime(threshold.ms)}
        </text>
      ) : null}
    </svg>
  );
};

const ThresholdLine: FC<{ readonly ms: number }> = ({ ms }) => {
  const x = place(shareOfAxis(ms) * BARS * BAR_WIDTH);
  return <line class="histogram-threshold" x1={x} x2={x} y1="0" y2={String(HEIGHT)} />;
};

function barsPath(buckets: HistogramProps['buckets']): string {
  const counts = new Array<number>(BARS).fill(0);
  for (const { upToMs, count } of buckets) {
    const at = barOf(upToMs);
    if (Number.isFinite(count))
      counts[at] = Math.min(Number.MAX_VALUE, (counts[at] ?? 0) + Math.max(0, count));
  }
  const most = Math.max(...counts);
  if (!(most > 0)) return '';
  return counts
    .map((count, i) => {
      if (count <= 0) return '';
      // One run in a thousand is still drawn: outliers are what is looked for.
      const height = Math.max(1.5, Math.round((count / most) * (HEIGHT - 2) * 2) / 2);
      return `M${i * BAR_WIDTH} ${HEIGHT}v-${height}h${BAR_WIDTH - 1}v${height}z`;
    })
    .join('');
}

/** Buckets end at 1, 2 and 5 of each decade, which is a third of it each, nearly. */
function barOf(upToMs: number): number {
  return upToMs > 1 ? Math.min(BARS - 1, Math.round(Math.log10(upToMs) * 3)) : 0;
}

/** Where a run time lies on the axis, 0 to 1: where the bar ends whose bucket ends there. */
function shareOfAxis(ms: number): number {
  if (!(ms > 1)) return 1 / BARS;
  return Math.min(1, (Math.log10(Math.min(ms, LAST_MS * 10)) * 3 + 1) / BARS);
}

/** "Run times of send: 1,204 runs; 970 up to 50 ms, 234 up to 100 ms; slow from 5 s, 3% took longer." */
function histogramInWords({ title, buckets, threshold = null }: HistogramProps): string {
  const known = buckets.filter(({ count }) => Number.isFinite(count) && count > 0);
  const total = known.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return described(title, ['nothing ran']);
  const fromMs = (i: number): number => known[i - 1]?.upToMs ?? 0;
  const beyond =
    threshold && known.reduce((sum, { count }, i) => sum + (fromMs(i) >= threshold.ms ? count : 0), 0);
  return described(title, [
    formatThings(total, 'run'),
    listed(
      known.map(({ upToMs, count }) => `${formatCount(count)} up to ${formatRunTime(upToMs)}`),
      12,
    ),
    threshold &&
      `${threshold.label} ${formatRunTime(threshold.ms)}, ${formatRatio((beyond ?? 0) / total)} took longer`,
  ]);
}
