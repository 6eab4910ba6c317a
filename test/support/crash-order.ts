import type { Parking } from '../../server/replay/parking/parking.js';
import type { ReplayAccount } from '../../server/replay/replay-account.js';

/** What a crash child is told to do. */
export interface CrashOrder {
  readonly port: number;
  readonly directory: string;
  /** Id of the queue whose failed jobs are replayed, and at which rate. */
  readonly replayed: string;
  readonly ratePerSecond: number;
  /** Ids of queues that are parked and brought back. */
  readonly parked: readonly string[];
  readonly isLast: boolean;
}

/** What a crash child says of itself. */
export interface CrashState {
  readonly replay: { readonly state: string; readonly account: ReplayAccount } | null;
  /** Parkings, and restorings, that are under way. */
  readonly underWay: number;
  /** Not empty once all that was parked has been brought back. */
  readonly parkings: readonly Parking[];
}
