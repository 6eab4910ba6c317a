import { z } from '@hono/zod-openapi';
import { arrivalsNow } from '../../forecast/flow.js';
import type { PlanBasis } from '../../forecast/plan-basis.js';
import { planBasisOf } from '../../forecast/plan-basis.js';
import { type DrainPlans, planToDrainWithin } from '../../forecast/plan-to-drain.js';
import { predict } from '../../forecast/predict.js';
import type { Score } from '../../forecast/score.js';
import type { Forecast } from '../../model/action.js';
import { isoTime, jsonWriter, TimeSchema } from '../../model/json.js';
import type { Plan, PlanChange } from '../../model/plan.js';
import type { Snapshot } from '../../model/snapshot.js';
import type { AppDeps } from '../app-deps.js';
import { changeAsked, PlanQuerySchema } from '../plan-query.js';
import { Problem } from '../problem.js';
import { apiPart, jsonRoute, queueIn, queueParam, snapshotOf } from './env.js';

const range = z.object({ low: z.number(), high: z.number() });
const limit = z.object({ max: z.number(), durationMs: z.number() }).nullable();

const PlanChangeSchema = z
  .object({
    concurrency: z.number().optional(),
    globalConcurrency: z.number().nullable().optional(),
    rateLimit: limit.optional(),
    pauseQueue: z.boolean().optional(),
    pauseArrivals: z.boolean().optional(),
    freedBytes: z.number().optional(),
    addedLimitBytes: z.number().optional(),
  })
  .openapi('PlanChange', {
    description: 'What would be changed; `concurrency` is slots of all workers together.',
  });

const PlanSchema = z
  .object({
    throughputPerSecond: z.number(),
    throughputRange: range.describe('90 of 100 outcomes lie in it'),
    drainSeconds: z.number().nullable().describe('null: never, or not known (drainNotKnown)'),
    drainNotKnown: z
      .string()
      .nullable()
      .describe('Why drainSeconds is null although it drains: the range is over tenfold. null: it is known.'),
    drainRange: z
      .object({ low: z.number().nullable(), high: z.number().nullable() })
      .describe('90 of 100 outcomes lie in it; null: never'),
    bottleneck: z.string().openapi({ example: 'workers' }),
    reason: z.string().describe('One sentence with numbers: what limits, and what that comes to'),
    warnings: z.array(z.string()),
    fullInSeconds: z
      .number()
      .nullable()
      .describe('Until Redis meets its limit; 0: it has; null: it does not'),
    memory: z
      .array(
        z.object({ atSeconds: z.number(), bytes: z.number(), lowBytes: z.number(), highBytes: z.number() }),
      )
      .describe('Empty where memory is not known'),
  })
  .openapi('Plan');

export const ForecastSchema = PlanSchema.pick({
  drainSeconds: true,
  drainNotKnown: true,
  drainRange: true,
  throughputPerSecond: true,
  bottleneck: true,
  fullInSeconds: true,
}).openapi('Forecast', { description: 'What the planner counts on; the whole of it by GET …/plan.' });

const ScoreSchema = z
  .object({
    count: z.number().describe('Forecasts that were held against what happened'),
    medianErrorRatio: z.number().nullable(),
    insideRangeRatio: z.number().nullable(),
  })
  .openapi('ForecastScore');

export const QueuePlanSchema = z
  .object({
    instance: z.string(),
    queue: z.string(),
    readAt: TimeSchema,
    stale: z.boolean(),
    backlog: z.number(),
    arrivalsPerSecond: z.number(),
    present: z.object({
      slots: z.number(),
      processes: z.number(),
      globalConcurrency: z.number().nullable(),
      rateLimit: limit,
      paused: z.boolean(),
      limitBytes: z.number().nullable(),
    }),
    assumed: z.array(z.string()).describe('What is not known and was taken to be so, a sentence each'),
    current: PlanSchema.describe('As it goes on if nothing is changed'),
    change: PlanChangeSchema.nullable(),
    after: PlanSchema.nullable().describe('null: no change was asked for'),
    toDrain: z
      .object({
        withinSeconds: z.number(),
        settings: z
          .array(z.object({ change: PlanChangeSchema, plan: PlanSchema }))
          .describe('Cheapest first'),
        none: z
          .object({ reason: z.string().openapi({ example: 'redis-bound' }), sentence: z.string() })
          .nullable()
          .describe('Why no settings are enough; null: some are'),
      })
      .nullable(),
    score: z.object({ queue: ScoreSchema, instance: ScoreSchema }),
  })
  .openapi('QueuePlan');

type QueuePlan = z.infer<typeof QueuePlanSchema>;

interface PlanAsked {
  readonly change: PlanChange | null;
  readonly drainWithinSeconds: number | null;
  readonly scores: { readonly queue: Score; readonly instance: Score };
}

/** The answer of GET …/plan. Pure. */
function queuePlanJson(snapshot: Snapshot, basis: PlanBasis, asked: PlanAsked): QueuePlan {
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
    current: planJson(predict(input, {})),
    change: change && { ...change },
    after: change && planJson(predict(input, change)),
    toDrain: seconds === null ? null : drainJson(planToDrainWithin(input, seconds), seconds),
    score: { queue: { ...asked.scores.queue }, instance: { ...asked.scores.instance } },
  };
}

function drainJson(plans: DrainPlans, withinSeconds: number): NonNullable<QueuePlan['toDrain']> {
  if ('none' in plans)
    return { withinSeconds, settings: [], none: { reason: plans.none, sentence: plans.sentence } };
  return {
    withinSeconds,
    settings: plans.settings.map(({ change, plan }) => ({ change: { ...change }, plan: planJson(plan) })),
    none: null,
  };
}

const writePlan = jsonWriter(PlanSchema);
const writeForecast = jsonWriter(ForecastSchema);

function planJson(plan: Plan): QueuePlan['current'] {
  const [low, high] = plan.throughputRange;
  return writePlan(plan, {
    ...drainOf(plan),
    throughputRange: { low, high },
    warnings: [...(plan.whileFull === null ? [] : [plan.whileFull]), ...plan.warnings],
  });
}

/** Without the curve of memory, which GET …/plan has: a group of queues would make the answer too long. */
export function forecastJson({ plan }: Forecast): z.infer<typeof ForecastSchema> {
  return writeForecast(plan, drainOf(plan));
}

function drainOf({ drainSeconds, drainRange: [low, high], notKnown }: Plan) {
  // The likeliest time of too wide a range is not shown as a number.
  return {
    drainSeconds: notKnown === null ? drainSeconds : null,
    drainNotKnown: notKnown,
    drainRange: { low, high },
  };
}

const planRoute = jsonRoute(
  'get /instances/{instance}/queues/{queue}/plan',
  'Predicted drain time and memory of a queue, as it is and after a change',
  QueuePlanSchema,
  { params: queueParam, query: PlanQuerySchema },
);

export function planApi(deps: Pick<AppDeps, 'watch' | 'predictions'>) {
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
    const answer = queuePlanJson(snapshot, basis, {
      change: changeAsked(query, basis),
      drainWithinSeconds: query.drainWithinSeconds ?? null,
      scores: { queue: ofQueue, instance: ofInstance },
    });
    return c.json(answer, 200);
  });
}
