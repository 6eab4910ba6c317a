import type { SeriesRef } from '../signals/signal.js';

/** Which points of a series are asked for: fromMs ≤ point < toMs. */
export interface HistoryQuery {
  readonly series: SeriesRef;
  readonly fromMs: number;
  readonly toMs: number;
  /** Most points that are wanted; the steps become as wide as that needs. */
  readonly maxPoints: number;
}

/** Points of one series at even steps: `mean[i]`, `min[i]` and `max[i]` belong to [atMs[i], atMs[i] + stepMs). */
export interface HistoryPoints {
  readonly stepMs: number;
  readonly atMs: readonly number[];
  /** null: a gap, nothing was read (the console was down or blind), or the signal was not known. */
  readonly mean: readonly (number | null)[];
  readonly min: readonly (number | null)[];
  readonly max: readonly (number | null)[];
}

/** What signals were: every tick for an hour, 10 s for a day, a minute for 30 days, unless configured otherwise. */
export interface HistoryLog {
  read(query: HistoryQuery): Promise<HistoryPoints>;
  /** Series of a signal that were written since then, at most `limit`. */
  series(query: {
    readonly signal: string;
    readonly instance?: string;
    readonly sinceMs: number;
    readonly limit: number;
  }): Promise<readonly SeriesRef[]>;
  /** Why nothing is written at present (a full disk, a store that can't be opened); null: it is written. */
  problem(): string | null;
}
