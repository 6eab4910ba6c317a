import type { z } from '@hono/zod-openapi';
import { arrivalsNow } from '../../forecast/arrivals-now.js';
import type { PlanBasis } from '../../forecast/input-of.js';
import { type DrainPlans, planToDrainWithin } from '../../forecast/plan-to-drain.js';
import { predict } from '../../forecast/predict.js';
import type { Score } from '../../forecast/score.js';
import type { Plan, PlanChange } from '../../model/plan.js';
import type { Snapshot } from '../../model/snapshot.js';
import { isoTime } from './iso-time.js';
import type { QueuePlanSchema } from './plan-schemas.js';

type QueuePlan = z.infer<typeof QueuePlanSchema>;

export interface PlanAsked {
  readonly change: PlanChange | null;
  readonly drainWithinSeconds: number | null;
  readonly scores: { readonly queue: Score; readonly instance: Score };
}

/** The answer of GET …/plan. Pure. */
export function presentQueuePlan(snapshot: Snapshot, basis: PlanBasis, asked: PlanAsked): QueuePlan {
  const { input, queue } = basis;
  const { change, drainWithinSeconds: seconds } = asked;
  return {
    instance: snapshot.instance,
    queue: queue.id,
    readAt: isoTime(queue.readAtMs),
    stale: snapshot.link.status !== 'live',
    backlog: queue.backlog,
    arrivalsPerSecond: arrivalsNow(queue),
    present: {
      slots: input.slots,
      processes: input.processes,
      globalConcurrency: input.globalConcurrency,
      rateLimit: input.rateLimit,
      paused: input.isPaused,
      limitBytes: input.memory?.limitBytes ?? null,
    },
    assumed: [...basis.assumed],
    current: presentPlan(predict(input, {})),
    change: change && { ...change },
    after: change && presentPlan(predict(input, change)),
    toDrain: seconds === null ? null : presentDrain(planToDrainWithin(input, seconds), seconds),
    score: { queue: { ...asked.scores.queue }, instance: { ...asked.scores.instance } },
  };
}

function presentDrain(plans: DrainPlans, withinSeconds: number): NonNullable<QueuePlan['toDrain']> {
  if ('none' in plans)
    return { withinSeconds, settings: [], none: { reason: plans.none, sentence: plans.sentence } };
  return {
    withinSeconds,
    settings: plans.settings.map(({ change, plan }) => ({ change: { ...change }, plan: presentPlan(plan) })),
    none: null,
  };
}

function presentPlan(plan: Plan): QueuePlan['current'] {
  const [low, high] = plan.throughputRange;
  const [drainLow, drainHigh] = plan.drainRange;
  return {
    ...plan,
    // A number that is not to be told is none here either.
    drainSeconds: plan.notKnown === null ? plan.drainSeconds : null,
    drainNotKnown: plan.notKnown,
    throughputRange: { low, high },
    drainRange: { low: drainLow, high: drainHigh },
    warnings: [...plan.warnings],
    memory: plan.memory.map((point) => ({ ...point })),
  };
}
