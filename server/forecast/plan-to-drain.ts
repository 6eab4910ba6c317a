import { formatDuration, formatRate } from '../model/format.js';
import type { Plan, PlanChange, PlanInput } from '../model/plan.js';
import type { RateWindow } from '../model/rate-limit.js';
import { settingsAfter } from './capacity.js';
import { isMemoryFull } from './outlook.js';
import type { PlanBasis, PlannedWorker } from './plan-basis.js';
import { predict } from './predict.js';

interface PlannedSettings {
  readonly change: PlanChange;
  readonly plan: Plan;
}

/** Why no settings are enough. */
type NoPlanReason =
  | 'no-workers'
  | 'arrivals-exceed-capacity'
  | 'redis-bound'
  | 'event-loop-saturated'
  | 'batch-wait'
  | 'too-soon';

export type DrainPlans =
  /** Cheapest first: nothing, settings, making room, then what its users notice. */
  | { readonly settings: readonly PlannedSettings[] }
  | { readonly none: NoPlanReason; readonly sentence: string };

/** Busy share of slots that leaves room for chance (algorithms.md c). */
const UTILISATION = 0.8;
/** A rate limit has less to vary. */
const RATE_UTILISATION = 0.9;
/** More slots than this are no plan. */
const MAX_SLOTS = 100_000;
const MAX_PER_SECOND = 100_000;
/** Each step lifts one limit; there are fewer kinds of them than this. */
const MAX_STEPS = 6;
/** Room that is made above what is needed, as a share of the limit: at the very edge refusals come and go. */
const ROOM_RATIO = 0.05;

/**
 * Settings with which a queue drains within a time: from the present ones, whatever limits is lifted just as far as is
 * needed, then the next limit that shows, until it is enough; once as arrivals go on, and once with them paused. Pure.
 * @param seconds Above 0.
 */
export function planToDrainWithin(input: PlanInput, seconds: number): DrainPlans {
  const within = (plan: Plan): boolean => plan.drainSeconds !== null && plan.drainSeconds <= seconds;
  const starts: PlanChange[] = isMemoryFull(input.memory)
    ? [{ freedBytes: roomBytes(input) }, { addedLimitBytes: roomBytes(input) }]
    : [{}];
  const found: PlannedSettings[] = [];
  const arrives = input.types.some((type) => type.arrivalsPerSecond > 0);
  for (const pauseArrivals of arrives ? [false, true] : [false]) {
    // Where the queue drains without another setting there is no reason to stop its producers.
    if (found.some(({ change }) => starts.some((start) => sizeOf(start) === sizeOf(change)))) break;
    for (const start of starts) {
      const lifted = lift(input, pauseArrivals ? { ...start, pauseArrivals } : start, within);
      const change = tighten(input, lifted, within);
      const plan = predict(input, change);
      if (within(plan)) found.push({ change, plan });
    }
  }
  if (found.length > 0) return { settings: found };
  return whyNone(input, lift(input, starts[0] ?? {}, within), seconds);
}

/** Settings that a change names; as changes only grow, one of the size that it began with is as it began. */
function sizeOf(change: PlanChange): number {
  return Object.keys(change).length;
}

function lift(input: PlanInput, start: PlanChange, within: (plan: Plan) => boolean): PlanChange {
  let change = start;
  for (let step = 0; step < MAX_STEPS; step++) {
    const plan = predict(input, change);
    if (within(plan)) return change;
    const next = liftOne(input, change, plan, within);
    if (!next) return change;
    change = next;
  }
  return change;
}

/** The present bottleneck, lifted as far as is needed, or as far as helps; null: no setting lifts it. */
function liftOne(
  input: PlanInput,
  change: PlanChange,
  plan: Plan,
  within: (plan: Plan) => boolean,
): PlanChange | null {
  const settings = settingsAfter(input, change);
  switch (plan.bottleneck) {
    case 'paused':
      if (settings.isPaused) return { ...change, pauseQueue: false };
      return { ...change, globalConcurrency: null };
    case 'global-concurrency':
      return { ...change, globalConcurrency: null };
    case 'rate-limit':
      return { ...change, rateLimit: null };
    case 'workers':
    case 'batch-wait':
      return raiseSlots(input, change, plan, within);
    default:
      return null;
  }
}

/** Limits that were taken away are there for a reason, so those that are wide enough are put back. */
function tighten(input: PlanInput, lifted: PlanChange, within: (plan: Plan) => boolean): PlanChange {
  let change = lifted;
  if (change.globalConcurrency === null) {
    const { slots } = settingsAfter(input, change);
    const enough = least(0, slots, (globalConcurrency) =>
      within(predict(input, { ...change, globalConcurrency })),
    );
    const globalConcurrency = enough === null ? slots : Math.ceil(enough / UTILISATION);
    if (globalConcurrency < slots) change = { ...change, globalConcurrency };
  }
  if (change.rateLimit === null) {
    const limitOf = (max: number): RateWindow => ({ max, durationMs: 1000 });
    const enough = least(0, MAX_PER_SECOND, (max) =>
      within(predict(input, { ...change, rateLimit: limitOf(max) })),
    );
    if (enough !== null) change = { ...change, rateLimit: limitOf(Math.ceil(enough / RATE_UTILISATION)) };
  }
  return change;
}

function raiseSlots(
  input: PlanInput,
  change: PlanChange,
  plan: Plan,
  within: (plan: Plan) => boolean,
): PlanChange | null {
  const now = settingsAfter(input, change).slots;
  const withSlots = (concurrency: number): Plan => predict(input, { ...change, concurrency });
  const raised = least(now, MAX_SLOTS, (concurrency) => within(withSlots(concurrency)));
  // Workers are set one by one, so all of a queue's get the same.
  const even = (slots: number): number => {
    const processes = Math.max(1, Math.floor(input.processes));
    return Math.ceil(slots / processes) * processes;
  };
  if (raised !== null) return { ...change, concurrency: Math.min(MAX_SLOTS, even(raised / UTILISATION)) };
  // Not enough alone: as far as it helps, so that the next limit shows.
  const most = withSlots(MAX_SLOTS).throughputPerSecond;
  if (!(most > plan.throughputPerSecond * 1.01)) return null;
  const useful = least(now, MAX_SLOTS, (slots) => withSlots(slots).throughputPerSecond >= most * 0.999);
  return useful === null ? null : { ...change, concurrency: even(useful) };
}

/** Least whole number above `low` and up to `high` that is enough, given that what is enough stays so; null: none is. */
function least(low: number, high: number, isEnough: (value: number) => boolean): number | null {
  if (high <= low || !isEnough(high)) return null;
  let [below, enough] = [low, high];
  while (enough - below > 1) {
    const middle = Math.floor((below + enough) / 2);
    if (isEnough(middle)) enough = middle;
    else below = middle;
  }
  return enough;
}

function isBySlots({ bottleneck }: Plan): boolean {
  return bottleneck === 'workers' || bottleneck === 'batch-wait';
}

function roomBytes({ memory }: PlanInput): number {
  const limitBytes = memory?.limitBytes ?? 0;
  return Math.ceil(Math.max(0, (memory?.countedBytes ?? 0) - limitBytes) + limitBytes * ROOM_RATIO);
}

/** What still limits after all that could be lifted is the reason. */
function whyNone(input: PlanInput, change: PlanChange, seconds: number): DrainPlans {
  // Slots that are as many as help at all are not the reason themselves: what is met with more of them is.
  const plan = predict(
    input,
    isBySlots(predict(input, change)) ? { ...change, concurrency: MAX_SLOTS } : change,
  );
  const best = formatRate(plan.throughputPerSecond);
  const time = formatDuration(seconds);
  const noPlan = (none: NoPlanReason, sentence: string): DrainPlans => ({ none, sentence });
  if (!(input.processes > 0))
    return noPlan('no-workers', 'No worker is there to take jobs: start one first.');
  if (plan.bottleneck === 'redis') {
    return noPlan(
      'redis-bound',
      `Redis’s one core is busy at about ${best}: more slots don’t make it faster, another Redis or fewer commands a job do.`,
    );
  }
  if (plan.bottleneck === 'event-loop') {
    return noPlan(
      'event-loop-saturated',
      `The event loops of the workers are busy at about ${best}: more slots in the same processes don’t help, more processes do.`,
    );
  }
  if (plan.bottleneck === 'batch-wait') {
    return noPlan(
      'batch-wait',
      `Jobs wait for batches that don’t fill in time: ${best} leave with as many slots as there can be. Flush smaller batches, or don’t wait for the flush.`,
    );
  }
  return plan.drainSeconds === null
    ? noPlan(
        'arrivals-exceed-capacity',
        `More arrives than can leave: ${best} at most with all that can be set, so the backlog never drains.`,
      )
    : noPlan(
        'too-soon',
        `Within ${time} is too soon: with all that can be set it takes about ${formatDuration(plan.drainSeconds)}.`,
      );
}

type SlotsPlanned =
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
  follows: (worker: PlannedWorker) => boolean = () => true,
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
    return { why: predict(input, { concurrency: MAX_SLOTS }).reason };
  }
  const kept = workers.attached
    .filter((worker) => !follows(worker))
    .reduce((sum, { agent }) => sum + agent.concurrency.now, workers.unattachedSlots);
  const perWorker = Math.max(1, Math.ceil((alone.change.concurrency - kept) / followers.length));
  const slots = kept + perWorker * followers.length;
  return { perWorker, followers: followers.length, slots, plan: predict(input, { concurrency: slots }) };
}
