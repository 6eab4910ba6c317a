import type { Watching } from '../gauge.js';
import { Past } from '../past.js';
import type { PredictedCondition } from '../rule.js';

/** Room above the threshold by which a forecast is over, as forecasts are restless. */
const CLEAR_TIMES = 1.25;

/** Seconds until a signal reaches a level at its present trend; Infinity: it does not get there; 0: it is there. */
export function watchPredicted(condition: PredictedCondition): Watching {
  const { signal, reaches, withinSeconds, clearSeconds, windowSeconds } = condition;
  return {
    gauge: {
      key: `${signal}|predicted|${reaches}|${windowSeconds}`,
      signal,
      second: null,
      remember: () => {
        const past = new Past(windowSeconds);
        return {
          next: (value, nowMs, { limitBytes }) =>
            secondsUntil(reaches === 'limit' ? limitBytes : reaches, value, past.slope(value, nowMs)),
        };
      },
    },
    is: 'below',
    threshold: withinSeconds,
    clear: clearSeconds ?? withinSeconds * CLEAR_TIMES,
    whenUnknown: 'hold',
  };
}

function secondsUntil(level: number, value: number, perSecond: number): number {
  if (Number.isNaN(level) || Number.isNaN(perSecond)) return Number.NaN;
  const distance = level - value;
  if (distance === 0) return 0;
  const seconds = distance / perSecond;
  return seconds > 0 ? seconds : Number.POSITIVE_INFINITY;
}
