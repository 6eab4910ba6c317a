import type { Plan } from '../model/plan.js';
import type { AttachedWorker } from './able-workers.js';
import type { PlanBasis } from './input-of.js';
import { planToDrainWithin } from './plan-to-drain.js';
import { predict } from './predict.js';

const MAX_SLOTS = 100_000;

export type SlotsPlanned =
  | { readonly perWorker: number; readonly followers: number; readonly slots: number; readonly plan: Plan }
  /** More slots alone don't do it: why, in a sentence. null: they are enough as they are. */
  | { readonly why: string | null };

/**
 * Slots, the same for each worker that follows, with which a queue drains within a time; nothing else is changed. Pure.
 * @param follows Is this worker's number set? Of others it stays.
 */
export function slotsPlanned(
  basis: PlanBasis,
  withinSeconds: number,
  follows: (worker: AttachedWorker) => boolean = () => true,
): SlotsPlanned {
  const { input, workers } = basis;
  const followers = workers.attached.filter(follows);
  if (followers.length === 0) return { why: 'No worker would follow an order.' };
  const plans = planToDrainWithin(input, withinSeconds);
  if ('none' in plans) return { why: plans.sentence };
  if (plans.settings.some(({ change }) => Object.keys(change).length === 0)) return { why: null };
  const alone = plans.settings.find(({ change }) => Object.keys(change).join() === 'concurrency');
  if (alone?.change.concurrency === undefined) {
    // What is met with as many slots as there can be is why they are not enough.
    return { why: predict(input, { concurrency: MAX_SLOTS }).because };
  }
  const kept = workers.attached
    .filter((worker) => !follows(worker))
    .reduce((sum, { agent }) => sum + agent.concurrency.now, workers.unattachedSlots);
  const perWorker = Math.max(1, Math.ceil((alone.change.concurrency - kept) / followers.length));
  const slots = kept + perWorker * followers.length;
  return { perWorker, followers: followers.length, slots, plan: predict(input, { concurrency: slots }) };
}
