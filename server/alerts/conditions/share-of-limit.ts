import { forgetful, type Watching } from '../gauge.js';
import type { ShareCondition } from '../rule.js';

const share = forgetful((value, { limitBytes }) => (limitBytes > 0 ? value / limitBytes : Number.NaN));

/** Bytes as a share of what Redis may hold. */
export function watchShare({ signal, aboveRatio, clearRatio }: ShareCondition): Watching {
  return {
    gauge: { key: `${signal}|share`, signal, second: null, remember: share },
    is: 'above',
    threshold: aboveRatio,
    clear: clearRatio ?? aboveRatio,
    whenUnknown: 'hold',
  };
}
