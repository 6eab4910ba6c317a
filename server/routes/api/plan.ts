import { planBasisOf } from '../../forecast/input-of.js';
import type { AppDeps } from '../app-deps.js';
import { changeAsked, PlanQuerySchema } from '../plan-query.js';
import { Problem } from '../problem.js';
import { apiPart, jsonRoute, queueIn, queueParam, snapshotOf } from './env.js';
import { QueuePlanSchema } from './plan-schemas.js';
import { presentQueuePlan } from './present-plan.js';

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
