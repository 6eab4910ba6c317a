import { and, desc, eq, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../store/database.js';
import type { KeptPrediction, PredictionLog, PredictionQuery } from './prediction-log.js';
import { scoreOf, type Verdict } from './score.js';
import { predictions } from './tables.js';

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

function columnsOf(verdict: Exclude<Verdict, { status: 'open' }>): Partial<Row> {
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
function verdictOf({ status, voidReason, actualSeconds, errorRatio, isInsideRange }: Row): Verdict {
  if (status === 'void' && voidReason !== null) return { status, reason: voidReason };
  if (status === 'settled' && errorRatio !== null && isInsideRange !== null) {
    return { status, actualSeconds, errorRatio, isInsideRange };
  }
  return { status: 'open' };
}
