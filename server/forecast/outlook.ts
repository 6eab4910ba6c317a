import type { Bottleneck, PlanChange, PlanInput, TypeLoad } from '../model/plan.js';
import { positive } from '../model/plan.js';
import {
  isStopped,
  loopCeiling,
  redisCeiling,
  type Settings,
  settingsAfter,
  slotCapacity,
  usableSlots,
} from './capacity.js';
import { type FlowInput, flowOf, freedBytes, type Stretch } from './flow.js';
import { type Mix, mixOf } from './mix.js';
import { calibrate, type Throughput, throughputWith, withoutWaiting } from './throughput.js';

/** So much more than slots that stand until the flush timeout can do is only done by batches that fill. */
const FILLS_FACTOR = 2;
/** Of batches that don't fill at most so much leaves. */
const STARVES_FACTOR = 1.5;

/**
 * What is done now says something of a batch size that is not known: far more than starved slots do means that batches fill, so
 * the size is what was seen; as much as starved slots do, while jobs wait for nothing else, means that it is more than a
 * process has slots.
 */
function withInferredBatch(mix: Mix | null, input: PlanInput, isFull: boolean): Mix | null {
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

/** All that a plan is made of: what waits and comes, what can leave, and how that goes on. */
export interface Outlook {
  readonly input: PlanInput;
  readonly settings: Settings;
  readonly waiting: number;
  readonly arrivalsPerSecond: number;
  /** Average job of those that wait, and of those that come; null: there are none. */
  readonly old: Mix | null;
  readonly fresh: Mix | null;
  readonly oldFlow: Throughput;
  readonly newFlow: Throughput;
  /** What leaves while Redis stays full; null: it is not full. */
  readonly held: FlowInput['held'];
  /** What waits and finds a free slot at once. */
  readonly startAtOnce: number;
  readonly stretches: readonly Stretch[];
  readonly drainSeconds: number | null;
  readonly bottleneck: Bottleneck;
  readonly throughputPerSecond: number;
  /** After what is freed or added; null: memory is not known. */
  readonly memory: PlanInput['memory'];
  readonly isDoubtful: boolean;
}

/** How a queue goes on after a change. Pure. */
export function outlookOf(input: PlanInput, change: PlanChange): Outlook {
  const settings = settingsAfter(input, change);
  const arrivals = positive(input.types.reduce((sum, type) => sum + positive(type.arrivalsPerSecond), 0));
  const arrivalsPerSecond = change.pauseArrivals ? 0 : arrivals;
  const waiting = input.types.reduce((sum, type) => sum + positive(type.waiting), 0);
  const wasFull = isMemoryFull(input.memory);
  const mixBy = (weightOf: (type: TypeLoad) => number): Mix | null =>
    withInferredBatch(mixOf(input.types, weightOf), input, wasFull);
  const old = mixBy((type) => type.waiting);
  const arriving = mixBy((type) => type.arrivalsPerSecond);
  const fresh = arrivalsPerSecond > 0 ? arriving : null;
  const memory = memoryAfter(input.memory, change);
  const ceiling = Math.min(redisCeiling(input), loopCeiling(input));
  const calibration = calibrate(input, old, arriving, wasFull, ceiling);
  const oldFlow = throughputWith(input, settings, old ?? fresh, calibration);
  const newFlow = fresh ? throughputWith(input, settings, fresh, calibration) : oldFlow;
  const held = isMemoryFull(memory)
    ? heldBack({ input, memory, old, fresh, arrivalsPerSecond, oldFlow })
    : null;
  const startAtOnce = held ? 0 : startsAtOnce(input, settings, old, oldFlow, wasFull, ceiling);
  const flow = flowOf({
    waiting: waiting - startAtOnce,
    arrivalsPerSecond,
    oldPerSecond: oldFlow.perSecond,
    newPerSecond: newFlow.perSecond,
    held,
  });
  const able = waiting > 0 ? oldFlow : newFlow;
  const canPerSecond = held ? Math.min(held.perSecond, able.perSecond) : able.perSecond;
  const isWaitedFor = waiting <= 0 && able.bottleneck !== 'paused' && arrivalsPerSecond <= canPerSecond;
  return {
    ...{
      input,
      settings,
      waiting,
      arrivalsPerSecond,
      old,
      fresh,
      oldFlow,
      newFlow,
      held,
      startAtOnce,
      memory,
    },
    ...flow,
    bottleneck: isWaitedFor
      ? 'arrivals'
      : held && held.perSecond < able.perSecond && able.bottleneck !== 'paused'
        ? 'full'
        : able.bottleneck,
    throughputPerSecond: isWaitedFor ? arrivalsPerSecond : canPerSecond,
    isDoubtful: calibration.isDoubtful,
  };
}

/** Over its limit, Redis refuses what adds memory. */
export function isMemoryFull(memory: PlanInput['memory']): boolean {
  return memory !== null && memory.limitBytes !== null && memory.countedBytes >= memory.limitBytes;
}

function memoryAfter(memory: PlanInput['memory'], change: PlanChange): PlanInput['memory'] {
  if (!memory) return null;
  return {
    ...memory,
    countedBytes: Math.max(0, memory.countedBytes - positive(change.freedBytes ?? 0)),
    limitBytes: memory.limitBytes === null ? null : memory.limitBytes + positive(change.addedLimitBytes ?? 0),
  };
}

/**
 * Over the limit a slot that is busy takes its next job (finishing deletes a lock first), one that is idle takes none.
 * So what leaves is what is measured, with however many slots; nothing where that is not known. It ends when what leaves
 * has made room.
 */
function heldBack(
  known: Pick<Outlook, 'input' | 'memory' | 'old' | 'fresh' | 'arrivalsPerSecond' | 'oldFlow'>,
): NonNullable<FlowInput['held']> {
  const { input, memory, old, fresh, arrivalsPerSecond, oldFlow } = known;
  const perSecond = Math.min(positive(input.measured?.departuresPerSecond ?? 0), oldFlow.perSecond);
  const excessBytes = (memory?.countedBytes ?? 0) - (memory?.limitBytes ?? 0);
  const shrinksPerSecond = positive(
    perSecond * freedBytes(old ?? fresh) -
      arrivalsPerSecond * (fresh?.bytesPerJob ?? 0) -
      (memory?.otherGrowthBytesPerSecond ?? 0),
  );
  const forSeconds =
    shrinksPerSecond > 0 ? Math.max(1, excessBytes) / shrinksPerSecond : Number.POSITIVE_INFINITY;
  return { perSecond, forSeconds };
}

/** Slots that are added, or were idle under a pause or a limit, take jobs at once, if a rate limit lets them. */
function startsAtOnce(
  input: PlanInput,
  settings: Settings,
  old: Mix | null,
  after: Throughput,
  wasFull: boolean,
  ceiling: number,
): number {
  if (!old || after.perSecond <= 0) return 0;
  const present = settingsAfter(input, {});
  const presentSlots = usableSlots(present);
  const isIdle = present.isPaused || presentSlots <= 0;
  const perSlot = slotCapacity(withoutWaiting(old), 1, 1).steadyPerSecond;
  const can = presentSlots * perSlot;
  const measured = positive(input.measured?.departuresPerSecond ?? 0);
  // Under a rate limit slots are as busy as what it lets through keeps them; without one, all of them are.
  const isThinned = present.rateLimit !== null || wasFull;
  const busyRatio = isIdle ? 0 : isThinned && can > 0 ? Math.min(1, measured / can) : 1;
  // Little's law: where Redis or event loops are the limit, they keep no more slots than this busy.
  const usable = Math.min(usableSlots(settings), ceiling / perSlot);
  const free = Math.max(0, usable - presentSlots * busyRatio);
  // A window of a limit begins with its first start and lets all that it allows through at once.
  return Math.min(free, settings.rateLimit?.max ?? free);
}
