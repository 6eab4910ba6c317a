import type { PlanInput } from '../model/plan.js';
import type { Mix } from './mix.js';
import { isStopped, settingsAfter, usableSlots } from './settings.js';
import { slotCapacity } from './slot-capacity.js';

/** So much more than slots that stand until the wall can do is only done by batches that fill. */
const FILLS_FACTOR = 2;
/** Of batches that don't fill at most so much leaves. */
const STARVES_FACTOR = 1.5;

/**
 * What is done now tells of a batch size that is not known: far more than starved slots do means that batches fill, so
 * the size is what was seen; as much as starved slots do, while jobs wait for nothing else, means that it is more than a
 * process has slots.
 */
export function withInferredBatch(mix: Mix | null, input: PlanInput, isFull: boolean): Mix | null {
  const batch = mix?.batch;
  const settings = settingsAfter(input, {});
  const measured = input.measured?.departuresPerSecond ?? 0;
  if (!mix || !batch || batch.size !== null || !(measured > 0) || isFull || isStopped(settings)) return mix;
  const slots = usableSlots(settings);
  const { steadyPerSecond } = slotCapacity(mix, slots, input.processes);
  if (measured > FILLS_FACTOR * steadyPerSecond) {
    return { ...mix, batch: { ...batch, size: batch.sizeAtLeast } };
  }
  const waiting = input.types.reduce((sum, type) => sum + type.waiting, 0);
  const isHeldElsewhere = settings.rateLimit !== null || waiting <= slots;
  if (isHeldElsewhere || measured > STARVES_FACTOR * steadyPerSecond) return mix;
  const each = Math.floor(slots / Math.max(1, input.processes));
  return { ...mix, batch: { ...batch, sizeAtLeast: Math.max(batch.sizeAtLeast, each + 1) } };
}
