import { type Database, isBeyondNewest } from '../store/database.js';
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

/** What was forecast of a queue, and what came of it: see score.ts. */
interface PredictionRow {
  readonly id: string;
  readonly madeAtMs: number;
  readonly instance: string;
  readonly queue: string;
  /** JSON of a PlanChange. */
  readonly change: string;
  readonly backlog: number;
  readonly arrivalsPerSecond: number;
  readonly drainSeconds: number | null;
  readonly drainLowSeconds: number | null;
  readonly drainHighSeconds: number | null;
  readonly status: ForecastVerdict['status'];
  readonly settledAtMs: number | null;
  readonly voidReason: VoidReason | null;
  readonly actualSeconds: number | null;
  readonly errorRatio: number | null;
  readonly isInsideRange: 0 | 1 | null;
}

/** Kept: the newest of these; what is older goes. */
const MAX_PREDICTIONS = 1_000;

/** Predictions in the store, bounded. */
export function createPredictionLog(database: Database): PredictionLog {
  const db = database.withTables<{ predictions: PredictionRow }>();
  const select = ({ instance, queue, status }: Omit<PredictionQuery, 'limit'>) => {
    let query = db.selectFrom('predictions').selectAll();
    if (instance !== undefined) query = query.where('instance', '=', instance);
    if (queue !== undefined) query = query.where('queue', '=', queue);
    if (status !== undefined) query = query.where('status', '=', status);
    return query;
  };
  return {
    async add(id, { drainRange, change, ...prediction }) {
      const [drainLowSeconds, drainHighSeconds] = drainRange;
      await db
        .insertInto('predictions')
        .values({
          ...prediction,
          ...UNSETTLED,
          id,
          change: JSON.stringify(change),
          drainLowSeconds,
          drainHighSeconds,
        })
        .execute();
      // Predictions are made by hand, a few an hour: looking for old ones each time costs nothing.
      await db
        .deleteFrom('predictions')
        .where(isBeyondNewest(MAX_PREDICTIONS, { table: 'predictions', time: 'madeAtMs' }))
        .execute();
    },
    async settle(id, verdict, atMs) {
      const changed = await db
        .updateTable('predictions')
        .set({ ...columnsOf(verdict), settledAtMs: atMs })
        .where('id', '=', id)
        .where('status', '=', 'open')
        .returning('id')
        .execute();
      return changed.length > 0;
    },
    async list({ limit, ...query }) {
      const newest = select(query).orderBy('madeAtMs', 'desc').orderBy('id', 'desc');
      return (await newest.limit(Math.min(limit, MAX_PREDICTIONS)).execute()).map(predictionOf);
    },
    async score(of = {}) {
      const rows = await select({ ...of, status: 'settled' })
        .limit(MAX_PREDICTIONS)
        .execute();
      return scoreOf(
        rows.flatMap(({ errorRatio, isInsideRange }) =>
          errorRatio === null || isInsideRange === null
            ? []
            : { errorRatio, isInsideRange: isInsideRange === 1 },
        ),
      );
    },
  };
}

const UNSETTLED = {
  status: 'open',
  settledAtMs: null,
  voidReason: null,
  actualSeconds: null,
  errorRatio: null,
  isInsideRange: null,
} as const;

function columnsOf(verdict: Exclude<ForecastVerdict, { status: 'open' }>): Partial<PredictionRow> {
  if (verdict.status === 'void') return { status: 'void', voidReason: verdict.reason };
  const { status, actualSeconds, errorRatio, isInsideRange } = verdict;
  return { status, actualSeconds, errorRatio, isInsideRange: isInsideRange ? 1 : 0 };
}

function predictionOf(row: PredictionRow): KeptPrediction {
  const { id, madeAtMs, instance, queue, change, backlog, arrivalsPerSecond, drainSeconds } = row;
  return {
    ...{ id, madeAtMs, instance, queue, change: JSON.parse(change) },
    ...{ backlog, arrivalsPerSecond, drainSeconds },
    drainRange: [row.drainLowSeconds, row.drainHighSeconds],
    verdict: verdictOf(row),
    settledAtMs: row.settledAtMs,
  };
}

/** A row that no version of the console has written whole is taken for open. */
function verdictOf({
  status,
  voidReason,
  actualSeconds,
  errorRatio,
  isInsideRange,
}: PredictionRow): ForecastVerdict {
  if (status === 'void' && voidReason !== null) return { status, reason: voidReason };
  if (status === 'settled' && errorRatio !== null && isInsideRange !== null) {
    return { status, actualSeconds, errorRatio, isInsideRange: isInsideRange === 1 };
  }
  return { status: 'open' };
}
