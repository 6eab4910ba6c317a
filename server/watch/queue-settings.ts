import type { RateLimit } from '../model/snapshot.js';
import type { QueueMeta } from '../redis/queue-reading.js';

/** Settings of a queue that has none, or whose meta have not been read yet. */
export const NO_META: QueueMeta = {
  paused: null,
  concurrency: null,
  max: null,
  duration: null,
  version: null,
  maxLenEvents: null,
  pause: null,
  orders: null,
};

/** A number that Redis keeps as text; null where there is none. */
export function numberOrNull(text: string | null): number | null {
  const value = text === null ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

/** The global rate limit as BullMQ keeps it: jobs per `duration` ms. null: none is set. */
export function rateLimitOf(max: string | null, duration: string | null): RateLimit | null {
  const value = numberOrNull(max);
  return value === null ? null : { max: value, durationMs: numberOrNull(duration) ?? 0 };
}
