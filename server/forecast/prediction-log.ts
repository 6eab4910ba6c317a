import type { Prediction, Score, Verdict } from './score.js';

/** A prediction with what came of it so far. */
export interface KeptPrediction extends Prediction {
  readonly id: string;
  /** `open` until it is settled. */
  readonly verdict: Verdict;
  /** null while it is open. */
  readonly settledAtMs: number | null;
}

export interface PredictionQuery {
  readonly instance?: string;
  /** Queue id. */
  readonly queue?: string;
  readonly status?: Verdict['status'];
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
  settle(id: string, verdict: Exclude<Verdict, { status: 'open' }>, atMs: number): Promise<boolean>;
  /** At most 1,000. */
  list(query: PredictionQuery): Promise<readonly KeptPrediction[]>;
  /** Of all that are settled and kept, or of those of an instance or a queue. */
  score(of?: Omit<PredictionQuery, 'limit' | 'status'>): Promise<Score>;
}
