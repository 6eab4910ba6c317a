/** Signals that are not known where there is nothing to measure: nothing waits, nothing fills, nothing is set. */
const NOTHING_TO_MEASURE: ReadonlySet<string> = new Set([
  'redis_full_in_seconds',
  'queue_oldest_waiting_seconds',
  'queue_drain_seconds',
  'queue_concurrency_limit',
  'queue_rate_limit_per_second',
]);

/** Does a signal that is not known say that all is well, or nothing at all? */
export function whenUnknown(signal: string): 'hold' | 'clear' {
  return NOTHING_TO_MEASURE.has(signal) ? 'clear' : 'hold';
}
