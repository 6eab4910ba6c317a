import type { Watching } from '../gauge.js';
import type { CompareCondition } from '../rule.js';
import { whenUnknown } from '../when-unknown.js';

/** A signal beyond a number. */
export function watchCompare({ signal, is, threshold, clear }: CompareCondition): Watching {
  return {
    gauge: { key: signal, signal, second: null, remember: null },
    is,
    threshold,
    clear: clear ?? threshold,
    whenUnknown: whenUnknown(signal),
  };
}
