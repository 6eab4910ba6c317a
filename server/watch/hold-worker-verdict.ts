import type { SeenWorker, WorkerState } from '../model/worker.js';
import type { Outlier, WorkerVerdict } from '../model/worker-verdict.js';
import type { Judged } from './judge-worker.js';

/** A verdict that is measured ends only once it was not found for so long. */
export const HOLD_MS = 10_000;

/**
 * These hang on rates and on how many slots are busy at a moment, and noise moves a worker from one to the other and back.
 * All others are facts (a pause, a missing heartbeat, jobs that hang) and hold at once.
 */
const MEASURED: ReadonlySet<WorkerVerdict> = new Set(['healthy', 'overloaded', 'capped', 'rate-limited']);

type Held = Judged & Pick<WorkerState, 'verdictSinceMs' | 'otherSinceMs'>;

/**
 * Keeps a worker's verdict from flapping between neighbours. Pure.
 * @param last how it was judged last; undefined: it is new.
 * @param found what the ladder says now.
 * @param isPressed can a measured trouble go on? Not where nothing waits, nor right after somebody acted on it.
 */
export function holdWorkerVerdict(
  last: WorkerState | undefined,
  found: Judged,
  worker: SeenWorker,
  isPressed: boolean,
  nowMs: number,
): Held {
  if (!last) return { ...found, verdictSinceMs: nowMs, otherSinceMs: null };
  if (found.verdict === last.verdict)
    return { ...found, verdictSinceMs: last.verdictSinceMs, otherSinceMs: null };
  const otherSinceMs = last.otherSinceMs ?? nowMs;
  if (isPressed && nowMs - otherSinceMs < HOLD_MS && isHeld(last, found, worker)) {
    const { verdict, sentence, evidence, verdictSinceMs } = last;
    return { verdict, sentence, evidence, verdictSinceMs, otherSinceMs };
  }
  return { ...found, verdictSinceMs: nowMs, otherSinceMs: null };
}

function isHeld(last: WorkerState, found: Judged, { agent }: SeenWorker): boolean {
  if (!MEASURED.has(found.verdict)) return false;
  // Others may empty the queue for a moment: that it takes nothing is over once it has taken something.
  if (last.verdict === 'silent')
    return agent !== null && agent.running === 0 && (agent.lastStartedAtMs ?? 0) < last.verdictSinceMs;
  // All its slots were busy, and none is: that is no noise.
  if (last.verdict === 'overloaded' && agent?.running === 0) return false;
  return last.verdict !== 'healthy' && MEASURED.has(last.verdict);
}

/** A worker that drags the rest does so until that was not found for a while. */
export function holdOutlier(
  last: WorkerState | undefined,
  found: Outlier | null,
  nowMs: number,
): Pick<WorkerState, 'outlier' | 'outlierSeenAtMs'> {
  if (found) return { outlier: found, outlierSeenAtMs: nowMs };
  const seenAtMs = last?.outlierSeenAtMs ?? null;
  return seenAtMs !== null && nowMs - seenAtMs < HOLD_MS
    ? { outlier: last?.outlier ?? null, outlierSeenAtMs: seenAtMs }
    : { outlier: null, outlierSeenAtMs: null };
}
