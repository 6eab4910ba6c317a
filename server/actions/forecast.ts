import { isFull } from '../findings/verdict.js';
import { planBasisOf } from '../model/plan/input-of.js';
import type { Plan, PlanChange } from '../model/plan/plan-types.js';
import { planWords } from '../model/plan/plan-words.js';
import { predict } from '../model/plan/predict.js';
import type { ActionContext, ActionWarning } from './action.js';

/** What the planner says of a change, as a preview shows it. */
export interface Forecast {
  readonly change: PlanChange;
  readonly plan: Plan;
}

export interface Forecasting {
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
  const warnings = plan.warnings.filter((text) => !(isFull(snapshot) && text.startsWith('Redis is full')));
  return {
    effects: isIdle ? [] : [...planWords(plan, basis.input), ...basis.assumed],
    warnings: isIdle ? [] : warnings.map((text) => ({ text, instead: [] })),
    forecast: isIdle ? null : { change, plan },
  };
}
