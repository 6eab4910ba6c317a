import { accountOf, type ReplayAccount } from './replay-account.js';
import type { ReplayRecord } from './replay-record.js';

/** A replay as pages and the API show it: what is kept, the account, and the pace of now. */
export interface ReplayView {
  readonly record: ReplayRecord;
  readonly account: ReplayAccount;
  /** What it moves at most now; 0 while it rests or stands. */
  readonly pacePerSecond: number;
  readonly paceReason: string;
  /** Measured over the last seconds. */
  readonly movedPerSecond: number;
  /** At that rate; null: not known, or it stands. */
  readonly remainingSeconds: number | null;
}

/** @param movedPerSecond measured; what a replay that does not run moves is 0. */
export function viewOfReplay(
  record: ReplayRecord,
  movedPerSecond: number,
  pacePerSecond: number,
  paceReason: string,
): ReplayView {
  const account = accountOf(record.counts, record.isSwept);
  const isKnown = account.isCounted && movedPerSecond > 0;
  const remainingSeconds = isKnown ? account.remaining / movedPerSecond : null;
  return { record, account, pacePerSecond, paceReason, movedPerSecond, remainingSeconds };
}
