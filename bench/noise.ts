/** What one run says: lower is better. */
export interface Figure {
  readonly figure: number;
  /** Standard error by the repeats within the run; null: measured fewer than three times. */
  readonly standardError: number | null;
}

export interface Change {
  /** Now less the last run, in units of the figure. */
  readonly change: number;
  /** What a change must exceed to be one. */
  readonly noise: number;
  readonly verdict: 'worse' | 'better' | 'same';
}

/** Upper range limit of an XmR chart for the median moving range (Wheeler, Understanding Variation): runs further apart than that differ. */
const RANGE_LIMIT = 3.865;
const STANDARD_ERRORS = 3;
/** With fewer runs than this their spread is little known. */
const ENOUGH_RUNS = 4;
const FLOOR_RATIO = 0.1;
const FEW_RUNS_FLOOR_RATIO = 0.25;
/** Standard error of a median over that of a mean, for normal noise: √(π/2). */
const MEDIAN_ERROR = 1.2533;

/**
 * Holds a run against the one before.
 * @param earlier newest first
 * @param resolution below which a change means nothing whatever the spread
 * @returns null where there is no earlier run
 */
export function changeSince(now: Figure, earlier: readonly Figure[], resolution: number): Change | null {
  const [last] = earlier;
  if (!last) return null;
  const ranges = earlier.slice(1).map(({ figure }, i) => Math.abs(figure - (earlier[i]?.figure ?? figure)));
  const noise = Math.max(
    RANGE_LIMIT * medianOf(ranges),
    STANDARD_ERRORS * Math.hypot(now.standardError ?? 0, last.standardError ?? 0),
    (earlier.length < ENOUGH_RUNS ? FEW_RUNS_FLOOR_RATIO : FLOOR_RATIO) * Math.abs(last.figure),
    resolution,
  );
  const change = now.figure - last.figure;
  return { change, noise, verdict: change > noise ? 'worse' : change < -noise ? 'better' : 'same' };
}

/** Standard error of the median of repeated measurements; null for fewer than three. */
export function standardErrorOf(repeats: readonly number[]): number | null {
  if (repeats.length < 3) return null;
  const mean = repeats.reduce((sum, value) => sum + value, 0) / repeats.length;
  const variance = repeats.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (repeats.length - 1);
  return MEDIAN_ERROR * Math.sqrt(variance / repeats.length);
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.ceil((sorted.length - 1) / 2)],
  ];
  return ((low ?? 0) + (high ?? 0)) / 2;
}
