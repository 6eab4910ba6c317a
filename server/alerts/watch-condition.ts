import type { ValueRange } from './columns.js';
import { watchAbsent } from './conditions/absent.js';
import { watchBaseline } from './conditions/baseline.js';
import { watchCompare } from './conditions/compare.js';
import { watchPredicted } from './conditions/predicted.js';
import { watchRate } from './conditions/rate-of-change.js';
import { watchShare } from './conditions/share-of-limit.js';
import type { Level } from './course.js';
import type { Watching } from './gauge.js';
import type { SignalCondition } from './rule.js';

/** What a condition over signals watches. A new kind is one file beside the others and one line here. */
export function watchCondition(condition: SignalCondition): Watching {
  switch (condition.kind) {
    case 'compare':
      return watchCompare(condition);
    case 'share-of-limit':
      return watchShare(condition);
    case 'rate-of-change':
      return watchRate(condition);
    case 'predicted':
      return watchPredicted(condition);
    case 'absent':
      return watchAbsent(condition);
    case 'baseline':
      return watchBaseline(condition);
  }
}

/** Can any number of this range be beyond the threshold? A thousand rules look at each subject only where it can. */
export function mayBreach({ is, threshold }: Watching, { lowest, highest }: ValueRange): boolean {
  return is === 'above' ? highest > threshold : lowest < threshold;
}

/** What a number says. */
export function levelOf({ is, threshold, clear, whenUnknown }: Watching, value: number): Level {
  if (Number.isNaN(value)) return whenUnknown === 'clear' ? 'clear' : 'unknown';
  if (is === 'above') return value > threshold ? 'breach' : value <= clear ? 'clear' : 'held';
  return value < threshold ? 'breach' : value >= clear ? 'clear' : 'held';
}
