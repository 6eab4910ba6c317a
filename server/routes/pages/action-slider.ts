import type { SliderProps } from '../../../views/action-form.js';
import type { PlanBasis } from '../../forecast/input-of.js';
import { predict } from '../../forecast/predict.js';
import { valueTyped } from './action-args.js';
import type { ActionAsk } from './action-ask.js';
import type { Foreseen } from './forecast-view-model.js';

/** Beyond these a slider is too coarse for a finger: the box beside it takes any number. */
const MAX_SLOTS = 2_000;
const LEAST_MOST = 20;

/** A slider for the numbers with which a queue's flow is set; null for all others. Pure. */
export function sliderOf(
  action: string,
  arg: string,
  ask: ActionAsk,
  { basis }: Foreseen,
): SliderProps | null {
  const most = mostOf(`${action} ${arg}`, ask, basis);
  const spec = ask.specs.find(({ name }) => name === arg);
  const typed = ask.typed[arg];
  if (most === null || !spec || !typed) return null;
  const value = valueTyped(spec, typed);
  const max = roundUp(most);
  return { min: 1, max, value: typeof value === 'number' ? Math.min(max, Math.max(1, value)) : max };
}

function mostOf(what: string, ask: ActionAsk, { input, workers }: PlanBasis): number | null {
  const sizes = input.types.flatMap(({ batch }) => batch?.batchSize ?? batch?.batchSizeAtLeast ?? []);
  const batch = Math.max(0, ...sizes);
  switch (what) {
    case 'workers.concurrency value': {
      const now = Math.max(0, ...workers.attached.map(({ agent }) => agent.concurrency.now));
      return Math.min(MAX_SLOTS, Math.max(LEAST_MOST, 10 * now, 10 * batch));
    }
    case 'queue.concurrency value':
      return Math.max(LEAST_MOST, input.slots);
    case 'queue.rate-limit max': {
      const spec = ask.specs.find(({ name }) => name === 'durationMs');
      const typed = ask.typed.durationMs;
      const duration = spec && typed ? valueTyped(spec, typed) : 1000;
      const seconds = typeof duration === 'number' && duration > 0 ? duration / 1000 : 1;
      const free = predict(input, { rateLimit: null, pauseQueue: false }).throughputPerSecond;
      return Math.max(LEAST_MOST, 2 * free * seconds, input.rateLimit?.max ?? 0);
    }
    default:
      return null;
  }
}

/** To 1, 2 or 5 times a power of ten, so that the end of a slider is a number that people know. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= value) ?? 10 * power;
}
