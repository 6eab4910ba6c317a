import { and, desc, eq, type SQL, sql } from 'drizzle-orm';
import { index, integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { PlanChange } from '../model/plan.js';
import type { Database } from '../store/tables.js';
import type { Prediction, Score, VoidReason } from './score.js';
import { type ForecastVerdict, scoreOf } from './score.js';

/** A prediction with what came of it so far. */
export interface KeptPrediction extends Prediction {
  readonly id: string;
  /** `open` until it is settled. */
  readonly verdict: ForecastVerdict;
  /** null while it is open. */
  readonly settledAtMs: number | null;
}

interface PredictionQuery {
  readonly instance?: string;
  /** Queue id. */
  readonly queue?: string;
  readonly status?: ForecastVerdict['status'];
  readonly limit: number;
}

/** What was forecast: the newest 1,000, newest first. */
export interface PredictionLog {
  /** @throws Error where the id is taken. */
  add(id: string, prediction: Prediction): Promise<void>;
  /**
   * Notes a verdict that is not `open`; a prediction is settled once, so what is settled stays as it is.
   * @returns false: there is no such open prediction.
   */
  settle(id: string, verdict: Exclude<ForecastVerdict, { status: 'open' }>, atMs: number): Promise<boolean>;
  /** At most 1,000. */
  list(query: PredictionQuery): Promise<readonly KeptPrediction[]>;
  /** Of all that are settled and kept, or of those of an instance or a queue. */
  score(of?: Omit<PredictionQuery, 'limit' | 'status'>): Promise<Score>;
}

/** What was forecast of a queue, and what came of it: see model/plan/score.ts. */
const predictions = sqliteTable(
  'predictions',
  {
    id: text('id').primaryKey(),
    madeAtMs: integer('made_at_ms').notNull(),
    instance: text('instance').notNull(),
    queue: text('queue').notNull(),
    change: text('change', { mode: 'json' }).$type<PlanChange>().notNull(),
    backlog: real('backlog').notNull(),
    arrivalsPerSecond: real('arrivals_per_second').notNull(),
    drainSeconds: real('drain_seconds'),
    drainLowSeconds: real('drain_low_seconds'),
    drainHighSeconds: real('drain_high_seconds'),
    status: text('status').$type<ForecastVerdict['status']>().notNull(),
    settledAtMs: integer('settled_at_ms'),
    voidReason: text('void_reason').$type<VoidReason>(),
    actualSeconds: real('actual_seconds'),
    errorRatio: real('error_ratio'),
    isInsideRange: integer('is_inside_range', { mode: 'boolean' }),
  },
  (table) => [
    index('predictions_queue').on(table.instance, table.queue, table.madeAtMs),
    index('predictions_status').on(table.status, table.madeAtMs),
  ],
);

/** Kept: the newest of these; what is older goes. */
const MAX_PREDICTIONS = 1_000;

type Row = typeof predictions.$inferSelect;

/** Predictions in the store, bounded. */
export function createPredictionLog(database: Database): PredictionLog {
  return {
    async add(id, { drainRange, ...prediction }) {
      const [drainLowSeconds, drainHighSeconds] = drainRange;
      await database
        .insert(predictions)
        .values({ ...prediction, id, drainLowSeconds, drainHighSeconds, status: 'open' });
      // Rows are numbered as they come, so this finds the old ones by the table's own order. Predictions are made by
      // hand, a few an hour: looking each time costs nothing.
      await database
        .delete(predictions)
        .where(sql`rowid <= (SELECT max(rowid) FROM ${predictions}) - ${MAX_PREDICTIONS}`);
    },
    async settle(id, verdict, atMs) {
      const changed = await database
        .update(predictions)
        .set({ ...columnsOf(verdict), settledAtMs: atMs })
        .where(and(eq(predictions.id, id), eq(predictions.status, 'open')))
        .returning({ id: predictions.id });
      return changed.length > 0;
    },
    async list(query) {
      const rows = await database
        .select()
        .from(predictions)
        .where(and(...filters(query)))
        .orderBy(desc(predictions.madeAtMs), desc(sql`rowid`))
        .limit(Math.min(query.limit, MAX_PREDICTIONS));
      return rows.map(predictionOf);
    },
    async score(of = {}) {
      const rows = await database
        .select({ errorRatio: predictions.errorRatio, isInsideRange: predictions.isInsideRange })
        .from(predictions)
        .where(and(...filters({ ...of, status: 'settled' })))
        .limit(MAX_PREDICTIONS);
      return scoreOf(
        rows.flatMap(({ errorRatio, isInsideRange }) =>
          errorRatio === null || isInsideRange === null ? [] : { errorRatio, isInsideRange },
        ),
      );
    },
  };
}

function filters(query: Omit<PredictionQuery, 'limit'>): readonly (SQL | undefined)[] {
  return [
    query.instance === undefined ? undefined : eq(predictions.instance, query.instance),
    query.queue === undefined ? undefined : eq(predictions.queue, query.queue),
    query.status === undefined ? undefined : eq(predictions.status, query.status),
  ];
}

function columnsOf(verdict: Exclude<ForecastVerdict, { status: 'open' }>): Partial<Row> {
  if (verdict.status === 'void') return { status: 'void', voidReason: verdict.reason };
  const { status, actualSeconds, errorRatio, isInsideRange } = verdict;
  return { status, actualSeconds, errorRatio, isInsideRange };
}

function predictionOf(row: Row): KeptPrediction {
  const { id, madeAtMs, instance, queue, change, backlog, arrivalsPerSecond, drainSeconds } = row;
  return {
    ...{ id, madeAtMs, instance, queue, change, backlog, arrivalsPerSecond, drainSeconds },
    drainRange: [row.drainLowSeconds, row.drainHighSeconds],
    verdict: verdictOf(row),
    settledAtMs: row.settledAtMs,
  };
}

/** A row that no version of the console has written whole is taken for open. */
function verdictOf({ status, voidReason, actualSeconds, errorRatio, isInsideRange }: Row): ForecastVerdict {
  if (status === 'void' && voidReason !== null) return { status, reason: voidReason };
  if (status === 'settled' && errorRatio !== null && isInsideRange !== null) {
    return { status, actualSeconds, errorRatio, isInsideRange };
  }
  return { status: 'open' };
}
