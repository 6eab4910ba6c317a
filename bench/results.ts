import { z } from 'zod';
import { type Change, changeSince, standardErrorOf } from './noise.js';
import { figureOf, type Row } from './row.js';

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

export interface Verdict {
  readonly figure: number;
  /** null: nothing to hold it against, or not to be held against anything. */
  readonly since: Change | null;
  readonly isMissed: boolean;
}

/** How a row stands against its limit and against the run before. */
export function verdictOf(row: Result): Verdict {
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
