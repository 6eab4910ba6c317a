import { z } from '@hono/zod-openapi';
import type { Forecast } from '../../model/action.js';

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
    throughputRange: range.openapi({ description: '90 of 100 outcomes lie in it' }),
    drainSeconds: z.number().nullable().openapi({ description: 'null: never, or not known (drainNotKnown)' }),
    drainNotKnown: z.string().nullable().openapi({
      description:
        'Why drainSeconds is null although it drains: the range is over tenfold. null: it is known.',
    }),
    drainRange: z
      .object({ low: z.number().nullable(), high: z.number().nullable() })
      .openapi({ description: '90 of 100 outcomes lie in it; null: never' }),
    bottleneck: z.string().openapi({ example: 'workers' }),
    reason: z
      .string()
      .openapi({ description: 'One sentence with numbers: what limits, and what that comes to' }),
    warnings: z.array(z.string()),
    fullInSeconds: z
      .number()
      .nullable()
      .openapi({ description: 'Until Redis meets its limit; 0: it has; null: it does not' }),
    memory: z
      .array(
        z.object({ atSeconds: z.number(), bytes: z.number(), lowBytes: z.number(), highBytes: z.number() }),
      )
      .openapi({ description: 'Empty where memory is not known' }),
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

export const ScoreSchema = z
  .object({
    count: z.number().openapi({ description: 'Forecasts that were held against what happened' }),
    medianErrorRatio: z.number().nullable(),
    insideRangeRatio: z.number().nullable(),
  })
  .openapi('ForecastScore');

export const QueuePlanSchema = z
  .object({
    instance: z.string(),
    queue: z.string(),
    readAt: z.string(),
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
    assumed: z
      .array(z.string())
      .openapi({ description: 'What is not known and was taken to be so, a sentence each' }),
    current: PlanSchema.openapi({ description: 'As it goes on if nothing is changed' }),
    change: PlanChangeSchema.nullable(),
    after: PlanSchema.nullable().openapi({ description: 'null: no change was asked for' }),
    toDrain: z
      .object({
        withinSeconds: z.number(),
        settings: z
          .array(z.object({ change: PlanChangeSchema, plan: PlanSchema }))
          .openapi({ description: 'Cheapest first' }),
        none: z
          .object({ reason: z.string().openapi({ example: 'redis-bound' }), sentence: z.string() })
          .nullable()
          .openapi({ description: 'Why no settings are enough; null: some are' }),
      })
      .nullable(),
    score: z.object({ queue: ScoreSchema, instance: ScoreSchema }),
  })
  .openapi('QueuePlan');

/** Without the curve of memory, which GET …/plan has: a group of queues would make the answer too long. */
export function presentForecast(forecast: Forecast | null): z.infer<typeof ForecastSchema> | null {
  if (!forecast) return null;
  const { notKnown, drainRange, throughputPerSecond, bottleneck, fullInSeconds } = forecast.plan;
  const [low, high] = drainRange;
  const drainSeconds = notKnown === null ? forecast.plan.drainSeconds : null;
  return {
    drainSeconds,
    drainNotKnown: notKnown,
    drainRange: { low, high },
    throughputPerSecond,
    bottleneck,
    fullInSeconds,
  };
}
