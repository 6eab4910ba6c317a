import { z } from 'zod';
import { figureOf, type Row } from './row.js';

/** What one run says: lower is better. */
export interface Figure {
  readonly figure: number;
  /** Standard error by the repeats within the run; null: measured fewer than three times. */
  readonly standardError: number | null;
}

interface Change {
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
    RANGE_LIMIT * middleOf(ranges),
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

/** The mean of the two in the middle where there are two: ranges are few. */
function middleOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(half)] ?? 0) + (sorted[Math.ceil(half)] ?? 0)) / 2;
}

/** bench/results.json: each row as it was last measured, with the runs before. */
const number = z.number().nullable();
const CONDITIONS = {
  at: z.iso.datetime(),
  redis: z.string(),
  node: z.string(),
  machine: z.string(),
  /** Average over the last minute at the end of the run; null: not kept. */
  load: number,
};
const FIGURES = { value: z.number(), peer: number, ratio: number, standardError: number };
const RUN = z.strictObject({ ...FIGURES, ...CONDITIONS });
const RESULT = z.strictObject({
  group: z.string(),
  id: z.string(),
  what: z.string(),
  kind: z.enum(['ratio', 'cost', 'time']),
  unit: z.string(),
  limit: number,
  detail: z.string(),
  peerDetail: z.string(),
  ...FIGURES,
  ...CONDITIONS,
  /** Newest first. */
  earlier: z.array(RUN).readonly(),
});
export const RESULTS = z.array(RESULT).readonly();

export type Result = Readonly<z.infer<typeof RESULT>>;
export type Conditions = Readonly<Pick<Result, keyof typeof CONDITIONS>>;
type Run = Readonly<z.infer<typeof RUN>>;

const KEPT_RUNS = 8;
/** Least change that means anything, by unit; of a ratio, and of what is counted, see `resolutionOf`. */
const RESOLUTION: Readonly<Record<string, number>> = {
  ms: 0.05,
  s: 0.05,
  MB: 3,
  '% of a core': 0.05,
  '%': 0.2,
};
const RATIO_RESOLUTION = 0.005;

/** The results with one group measured anew; all others as they were. @throws Error when a row was not measured or two have one id */
export function recorded(
  results: readonly Result[],
  group: string,
  rows: readonly Row[],
  conditions: Conditions,
): readonly Result[] {
  const ids = new Set(rows.map(({ id }) => id));
  if (ids.size < rows.length)
    throw new Error(`two rows of ${group} have one id: ${rows.map(({ id }) => id)}`);
  const before = new Map(results.filter((row) => row.group === group).map((row) => [row.id, row]));
  const anew = rows.map((row): Result => {
    const last = before.get(row.id);
    return {
      ...{ group, id: row.id, what: row.what, kind: row.kind, unit: row.unit, limit: row.limit ?? null },
      ...{ detail: row.detail ?? '', peerDetail: row.peerDetail ?? '' },
      ...figuresOf(row),
      ...conditions,
      earlier: last ? [runOf(last), ...last.earlier].slice(0, KEPT_RUNS) : [],
    };
  });
  const at = results.findIndex((row) => row.group === group);
  const others = results.filter((row) => row.group !== group);
  return others.toSpliced(at === -1 ? others.length : at, 0, ...anew);
}

function figuresOf(row: Row): Pick<Result, keyof typeof FIGURES> {
  figureOf(row);
  const ratio = row.peer === undefined ? null : row.value / row.peer;
  return {
    value: significant(row.value),
    peer: row.peer === undefined ? null : significant(row.peer),
    ratio: ratio === null || !Number.isFinite(ratio) ? null : significant(ratio),
    standardError: significantOrNull(standardErrorOf(row.repeats ?? [])),
  };
}

function runOf({ value, peer, ratio, standardError, at, redis, node, machine, load }: Result): Run {
  return { value, peer, ratio, standardError, at, redis, node, machine, load };
}

export interface RowVerdict {
  readonly figure: number;
  /** null: nothing to hold it against, or not to be held against anything. */
  readonly since: Change | null;
  readonly isMissed: boolean;
}

/** How a row stands against its limit and against the run before. */
export function rowVerdictOf(row: Result): RowVerdict {
  const figure = judgedOf(row, row.kind);
  // Ratios hold from one machine to the other, what a thing costs does not.
  const comparable = row.earlier.filter(({ machine }) => row.kind === 'ratio' || machine === row.machine);
  const earlier = comparable.map((run) => ({
    figure: judgedOf(run, row.kind),
    standardError: run.standardError,
  }));
  const now = { figure, standardError: row.standardError };
  return {
    figure,
    since: row.kind === 'time' ? null : changeSince(now, earlier, resolutionOf(row)),
    isMissed: row.limit !== null && figure > row.limit,
  };
}

/** What a run is judged by. */
export function judgedOf(run: Pick<Run, 'value' | 'ratio'>, kind: Result['kind']): number {
  return kind === 'ratio' ? (run.ratio ?? Number.POSITIVE_INFINITY) : run.value;
}

function resolutionOf({ kind, unit }: Result): number {
  return kind === 'ratio' ? RATIO_RESOLUTION : (RESOLUTION[unit] ?? 0);
}

/** Four digits: more is noise, and makes each run a larger diff. */
function significant(value: number): number {
  return Number(value.toPrecision(4));
}

function significantOrNull(value: number | null): number | null {
  return value === null ? null : significant(value);
}
