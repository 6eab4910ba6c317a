import type { WorkerState } from './worker.js';
import type { WorkerVerdict } from './worker-verdict.js';

/** Worst first: what needs a person, then what holds a worker back, then what is as it should be. */
export const VERDICT_ORDER: readonly WorkerVerdict[] = [
  'crashed',
  'stuck',
  'silent',
  'blocked',
  'overloaded',
  'unknown',
  'capped',
  'rate-limited',
  'draining',
  'paused',
  'healthy',
];

/** Compares two workers for a list, worst first; alike ones by name, so that rows keep their places. Pure. */
export function byTrouble(a: WorkerState, b: WorkerState): number {
  return (
    VERDICT_ORDER.indexOf(a.verdict) - VERDICT_ORDER.indexOf(b.verdict) ||
    Number(b.outlier !== null) - Number(a.outlier !== null) ||
    compare(a.queueId, b.queueId) ||
    compare(a.label, b.label) ||
    compare(a.id, b.id)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
