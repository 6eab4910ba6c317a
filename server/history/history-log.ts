import { z } from 'zod';
import type { ModelOf } from '../model/json.js';
import { Yielder } from '../process/every.js';
import type { SeriesRef } from '../signals/signal.js';
import type { StoredBlock } from './history-file.js';
import { chooseReading, foldInto, noPoints, type Points, type Tiers } from './points.js';
import { decodeOrNothing } from './retention.js';
import type { SubjectEntry } from './subjects.js';

/** Which points of a series are asked for: fromMs ≤ point < toMs. */
export interface HistoryQuery {
  readonly series: SeriesRef;
  readonly fromMs: number;
  readonly toMs: number;
  /** Most points that are wanted; the steps become as wide as that needs. */
  readonly maxPoints: number;
}

const values = z
  .array(z.number().nullable())
  .describe('null: a gap, nothing was read (the console was down or blind), or the signal was not known');

/** Points of one series at even steps: `mean[i]`, `min[i]` and `max[i]` belong to [atMs[i], atMs[i] + stepMs). */
export const PointsSchema = z.object({
  atMs: z.array(z.number()).describe('Where each step begins'),
  mean: values,
  min: values,
  max: values,
});
export interface HistoryPoints extends ModelOf<typeof PointsSchema> {
  readonly stepMs: number;
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

interface SeriesSource {
  /** null: nothing is kept of it. */
  readonly entry: SubjectEntry | null;
  readonly signalId: number;
  blocks(tier: 0 | 1 | 2, fromMs: number, toMs: number): Promise<readonly StoredBlock[]>;
  /** What is not written yet. */
  open(): Points | null;
}

/**
 * Points of one series at the steps that the query comes to: from the tier that fits, and what is not folded into it
 * yet from the finer ones.
 */
export async function readSeries(
  query: HistoryQuery,
  tiers: Tiers,
  nowMs: number,
  source: SeriesSource,
): Promise<HistoryPoints> {
  const { fromMs, toMs, maxPoints } = query;
  const { tier, stepMs } = chooseReading(tiers, fromMs, toMs, maxPoints, nowMs);
  const startMs = Math.ceil(fromMs / stepMs) * stepMs;
  const points = noPoints(startMs, stepMs, Math.max(0, Math.ceil((toMs - startMs) / stepMs)));
  const endMs = startMs + points.count.length * stepMs;
  if (source.entry) {
    const stretches: { blocks: readonly StoredBlock[]; fromMs: number; untilMs: number }[] = [];
    let readUntilMs = startMs;
    for (let of = tier; ; of = of === 2 ? 1 : 0) {
      const untilMs = of === 0 ? endMs : Math.min(endMs, source.entry.untilMs[of]);
      if (untilMs > readUntilMs) {
        const blocks = await source.blocks(of, readUntilMs, untilMs);
        stretches.push({ blocks, fromMs: readUntilMs, untilMs });
        readUntilMs = untilMs;
      }
      if (of === 0) break;
    }
    // Before others have their turn: what is open now may be written meanwhile, and is not among the blocks.
    const open = source.open();
    const yielder = new Yielder();
    for (const { blocks, fromMs: from, untilMs } of stretches)
      for (const { startMs: at, body } of blocks) {
        for (const column of decodeOrNothing(body, at, source.signalId))
          foldInto(points, column.points, from, untilMs);
        await yielder.yieldToEventLoop();
      }
    if (open) foldInto(points, open, readUntilMs > startMs ? startMs : readUntilMs, endMs);
  }
  return presentPoints(points);
}

function presentPoints({ startMs, stepMs, mean, min, max, count }: Points): HistoryPoints {
  const known = (values: Float64Array): readonly (number | null)[] =>
    Array.from(values, (value, i) => (count[i] === 0 ? null : value));
  return {
    stepMs,
    atMs: Array.from(count, (_, i) => startMs + i * stepMs),
    mean: known(mean),
    min: known(min),
    max: known(max),
  };
}
