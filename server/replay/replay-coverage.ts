/** From and until, both counted in, ms since 1970. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Which part of the time range of a replay has had its turn in one queue, and which has not; null: none of it. */
export interface Coverage {
  readonly queue: string;
  readonly covered: TimeRange | null;
  readonly missing: TimeRange | null;
}

export interface SweepState {
  readonly queue: string;
  /** `fromMs` 0: from the first job on. */
  readonly range: TimeRange;
  readonly order: 'oldest' | 'newest';
  /** Time of the last job that has had its turn; null: none has. */
  readonly cursorMs: number | null;
  /** Every job of the range has had its turn. */
  readonly isSwept: boolean;
}

/**
 * How far one queue is swept. The moment of the cursor belongs to both parts: more jobs may have finished in the same
 * millisecond.
 */
export function coverageOf({ queue, range, order, cursorMs, isSwept }: SweepState): Coverage {
  if (isSwept) return { queue, covered: range, missing: null };
  if (cursorMs === null) return { queue, covered: null, missing: range };
  const atMs = Math.min(range.toMs, Math.max(range.fromMs, cursorMs));
  const before = { fromMs: range.fromMs, toMs: atMs };
  const behind = { fromMs: atMs, toMs: range.toMs };
  return order === 'oldest'
    ? { queue, covered: before, missing: behind }
    : { queue, covered: behind, missing: before };
}
