import type { Watching } from '../gauge.js';
import { Past } from '../past.js';
import type { RateCondition } from '../rule.js';

/** How fast a signal changes, per second. */
export function watchRate(condition: RateCondition): Watching {
  const { signal, is, perSecond, clearPerSecond, windowSeconds } = condition;
  return {
    gauge: {
      key: `${signal}|rate|${windowSeconds}`,
      signal,
      second: null,
      remember: () => {
        const past = new Past(windowSeconds);
        return { next: (value, nowMs) => past.slope(value, nowMs) };
      },
    },
    is,
    threshold: perSecond,
    clear: clearPerSecond ?? perSecond,
    whenUnknown: 'hold',
  };
}
