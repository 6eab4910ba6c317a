import type { ForecastProps } from '../../../views/action-forecast.js';
import { drainCurves } from '../../forecast/drain-curve.js';
import type { PlanBasis } from '../../forecast/plan-basis.js';
import { memoryThen, scoreWords } from '../../forecast/plan-words.js';
import { predict } from '../../forecast/predict.js';
import type { Score } from '../../forecast/score.js';
import type { PlanChange } from '../../model/plan.js';

export interface Foreseen {
  readonly basis: PlanBasis;
  /** null: what is typed can't be, so only the present is shown. */
  readonly change: PlanChange | null;
  readonly score: Score;
}

/** What a change would do, as the drawer shows it. Pure. */
export function forecastOf({ basis: { input }, change, score }: Foreseen, nowMs: number): ForecastProps {
  const now = predict(input, {});
  const after = change && predict(input, change);
  return {
    now,
    after,
    curves: drainCurves(input, change),
    memory: input.memory,
    memoryThen: memoryThen(after ?? now),
    score: scoreWords(score) ?? '',
    nowMs,
  };
}
