import type { ActionCall, OutcomeStatus } from '../model/action.js';

/** What a person changes of a replay. */
export interface ReplayOrder {
  readonly state?: 'running' | 'paused' | 'aborted' | undefined;
  readonly ratePerSecond?: number | undefined;
  readonly reason: string;
}

/** What one order made of one replay, or of one replay queue. */
export interface OrderOutcome {
  /** null: it is a replay queue. */
  readonly replay: string | null;
  readonly instance: string;
  /** Queues of the replay, or the replay queue alone. */
  readonly queues: readonly string[];
  readonly status: OutcomeStatus;
  readonly summary: string;
  readonly warnings: readonly string[];
  readonly auditId: string | null;
  /** The way back of a replay queue; a replay is ordered back. */
  readonly undo: ActionCall | null;
  readonly isDryRun: boolean;
}
