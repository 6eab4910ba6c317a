import type { ReplayRecord } from './replay-record.js';

/** From and until, both counted in, ms since 1970. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Which part of the time range of a replay has had its turn in one queue, and which has not; null: none of it. */
interface Coverage {
  readonly queue: string;
  readonly covered: TimeRange | null;
  readonly missing: TimeRange | null;
}

interface SweepState {
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

/** The time range that a replay is about: when jobs finished, or were parked. */
export function rangeOf({ spec, cutoffMs }: Pick<ReplayRecord, 'spec' | 'cutoffMs'>): TimeRange {
  const { fromMs = 0, toMs = cutoffMs } = spec.filter;
  return { fromMs, toMs: Math.min(toMs, cutoffMs) };
}

/** How far each queue of a replay is swept. Parked jobs have no order of their own: all of the range, or none of it. */
export function coveragesOf(record: ReplayRecord): readonly Coverage[] {
  const { order } = record.spec;
  return record.queues.map((queue) => {
    const cursorMs = Number(record.cursors[queue]?.score ?? Number.NaN);
    return coverageOf({
      queue,
      range: rangeOf(record),
      order,
      cursorMs: Number.isFinite(cursorMs) ? cursorMs : null,
      isSwept: record.isSwept,
    });
  });
}
