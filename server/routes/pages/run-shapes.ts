import type { RunTimes } from '../../model/job-type.js';

/** Shapes of run times as SVG paths, for boxes of 84 × 20 and 80 × 20. Pure. */

const BAR_WIDTH = 4;
const BARS = 21;
const HEIGHT = 20;

/**
 * Bars of a histogram, all on the same axis from 1 ms to an hour with three bars a decade: what is slower stands further
 * to the right, in whichever row. Empty where nothing ran.
 */
export function histogramPath(histogram: RunTimes['histogram']): string {
  const counts = new Array<number>(BARS).fill(0);
  for (const { upToMs, count } of histogram) {
    const at = barOf(upToMs);
    counts[at] = (counts[at] ?? 0) + Math.max(0, count);
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
  return upToMs <= 1 ? 0 : Math.min(BARS - 1, Math.round(Math.log10(upToMs) * 3));
}

const WIDTH = 80;

/** A line through the medians on a scale from 0 to their largest, with a gap where none ended. Empty where there is no line. */
export function trendPath(mediansMs: readonly (number | null)[]): string {
  const largest = Math.max(0, ...mediansMs.map((median) => median ?? 0));
  if (mediansMs.length < 2 || largest <= 0) return '';
  let isDrawing = false;
  return mediansMs
    .map((median, i) => {
      if (median === null) {
        isDrawing = false;
        return '';
      }
      const x = Math.round((i / (mediansMs.length - 1)) * WIDTH);
      const y = Math.round((HEIGHT - 1 - (median / largest) * (HEIGHT - 2)) * 2) / 2;
      const next = mediansMs[i + 1];
      // A point alone between two gaps would not be seen: it is drawn as a dash.
      const isAlone = !isDrawing && (next === null || next === undefined);
      const step = `${isDrawing ? 'L' : 'M'}${x} ${y}${isAlone ? 'h1' : ''}`;
      isDrawing = true;
      return step;
    })
    .join('');
}
