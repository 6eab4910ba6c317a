import { type Coverage, coverageOf, type TimeRange } from './replay-coverage.js';
import type { ReplayRecord } from './replay-record.js';

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
