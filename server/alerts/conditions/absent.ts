import { forgetful, type Watching } from '../gauge.js';
import type { AbsentCondition } from '../rule.js';

/** 1 while nothing comes although it should, else 0. Its clear level is its own: something came. */
export function watchAbsent({ signal, whileSignal, whileAbove }: AbsentCondition): Watching {
  const isAbsent = (value: number): boolean => Number.isNaN(value) || value === 0;
  return {
    gauge: {
      key: `${signal}|absent|${whileSignal ?? ''}|${whileAbove}`,
      signal,
      second: whileSignal,
      remember: forgetful((value, { second }) => {
        if (!isAbsent(value)) return 0;
        if (whileSignal === null) return 1;
        return Number.isNaN(second) ? Number.NaN : second > whileAbove ? 1 : 0;
      }),
    },
    is: 'above',
    threshold: 0.5,
    clear: 0.5,
    whenUnknown: 'hold',
  };
}
