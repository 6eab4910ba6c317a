import { planBasisOf } from '../forecast/plan-basis.js';
import { planWords } from '../forecast/plan-words.js';
import { predict } from '../forecast/predict.js';
import type { ActionWarning, Forecast } from '../model/action.js';
import type { PlanChange } from '../model/plan.js';
import { type ActionContext, warning } from './action.js';

interface Forecasting {
  readonly effects: readonly string[];
  readonly warnings: readonly ActionWarning[];
  /** Kept when the change is made, and held against what happens; null: nothing is known of the queue. */
  readonly forecast: Forecast | null;
}

type Shown = Pick<ActionContext, 'snapshot' | 'target'>;

/**
 * Drain time and memory after a change, with range, bottleneck and warnings, by the planner. What a full Redis means for
 * a change is each action's own to say. Pure.
 * @param change null: what the action will do is not known, so nothing is forecast.
 */
export function forecast({ snapshot, target }: Shown, change: PlanChange | null): Forecasting {
  const basis = target.queue && change ? planBasisOf(snapshot, target.queue.id) : null;
  if (!basis || !change) return { effects: [], warnings: [], forecast: null };
  const plan = predict(basis.input, change);
  const isIdle = basis.input.types.length === 0;
  return {
    effects: isIdle ? [] : [...planWords(plan, basis.input), ...basis.assumed],
    warnings: isIdle ? [] : plan.warnings.map((text) => warning(text)),
    forecast: isIdle ? null : { change, plan },
  };
}
