import type { RateWindow } from '../model/rate-limit.js';
import type { QueueState } from '../model/snapshot.js';
import type { AbleWorkers, AttachedWorker } from './able-workers.js';

/** A window that was seen must be this much longer than the limit's own to be another one. */
const LONGER = 1.05;

/**
 * The limit that counts when the queue's global one is `limit`: `max` is the global one where set, else the workers';
 * `duration` is a worker's own where it has one, else the global one (facts.md, rate limit). null: none. Pure.
 */
export function effectiveRateLimit(
  limit: RateWindow | null,
  queue: QueueState,
  attached: readonly AttachedWorker[],
): RateWindow | null {
  const own = attached.flatMap(({ agent }) => agent.limiter.now ?? []).filter(isSane);
  const [first] = own;
  const max = limit ? limit.max : first?.max;
  if (max === undefined || !Number.isFinite(max)) return null;
  const durationMs = first?.durationMs ?? seenWindowMs(limit, queue) ?? limit?.durationMs;
  if (durationMs === undefined || !(durationMs > 0)) return null;
  // A max of 0 is no stop: one job passes each window.
  return { max: Math.max(1, max), durationMs };
}

/** The limit that would count once the queue's global one is `limit`; null: none. Pure. */
export function rateLimitAfter(
  limit: RateWindow | null,
  { queue, workers }: { readonly queue: QueueState; readonly workers: AbleWorkers },
): RateWindow | null {
  return effectiveRateLimit(limit, queue, workers.attached);
}

/** Without agents a worker's window shows in how long the limiter holds. */
function seenWindowMs(limit: RateWindow | null, queue: QueueState): number | null {
  const present = queue.rateLimit;
  if (!limit || !present) return null;
  return queue.observedLimiterMs > present.durationMs * LONGER ? queue.observedLimiterMs : null;
}

function isSane({ max, durationMs }: RateWindow): boolean {
  return max > 0 && durationMs > 0;
}
