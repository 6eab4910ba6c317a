import type { z } from '@hono/zod-openapi';
import { arrivalsNow } from '../../forecast/flow.js';
import type { PlanBasis } from '../../forecast/plan-basis.js';
import { planBasisOf } from '../../forecast/plan-basis.js';
import { type DrainPlans, planToDrainWithin } from '../../forecast/plan-to-drain.js';
import { predict } from '../../forecast/predict.js';
import type { Score } from '../../forecast/score.js';
import type { Plan, PlanChange } from '../../model/plan.js';
import type { Snapshot } from '../../model/snapshot.js';
import type { AppDeps } from '../app-deps.js';
import { changeAsked, PlanQuerySchema } from '../plan-query.js';
import { Problem } from '../problem.js';
import { apiPart, jsonRoute, queueIn, queueParam, snapshotOf } from './env.js';
import { isoTime } from './iso-time.js';
import { QueuePlanSchema } from './plan-schemas.js';

type QueuePlan = z.infer<typeof QueuePlanSchema>;

interface PlanAsked {
  readonly change: PlanChange | null;
  readonly drainWithinSeconds: number | null;
  readonly scores: { readonly queue: Score; readonly instance: Score };
}

/** The answer of GET …/plan. Pure. */
function presentQueuePlan(snapshot: Snapshot, basis: PlanBasis, asked: PlanAsked): QueuePlan {
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
    warnings: [...(plan.whileFull === null ? [] : [plan.whileFull]), ...plan.warnings],
    memory: plan.memory.map((point) => ({ ...point })),
  };
}

const planRoute = jsonRoute(
  {
    method: 'get',
    path: '/instances/{instance}/queues/{queue}/plan',
    summary: 'Predicted drain time and memory of a queue, as it is and after a change',
    request: { params: queueParam, query: PlanQuerySchema },
  },
  QueuePlanSchema,
);

export function planApi(deps: AppDeps) {
  return apiPart().openapi(planRoute, async (c) => {
    const { instance, queue: idOrName } = c.req.valid('param');
    const snapshot = snapshotOf(deps, instance);
    const queue = queueIn(snapshot, idOrName);
    const query = c.req.valid('query');
    const basis = planBasisOf(snapshot, queue.id);
    if (!basis) throw new Problem(404, 'not-found', `there is no queue ${idOrName} in ${instance}`);
    const [ofQueue, ofInstance] = await Promise.all([
      deps.predictions.score({ instance, queue: queue.id }),
      deps.predictions.score({ instance }),
    ]);
    const answer = presentQueuePlan(snapshot, basis, {
      change: changeAsked(query, basis),
      drainWithinSeconds: query.drainWithinSeconds ?? null,
      scores: { queue: ofQueue, instance: ofInstance },
    });
    return c.json(answer, 200);
  });
}
