import { z } from '@hono/zod-openapi';
import type { PlanBasis } from '../forecast/plan-basis.js';
import { rateLimitAfter } from '../forecast/plan-basis.js';
import type { PlanChange } from '../model/plan.js';
import type { RateWindow } from '../model/rate-limit.js';

const MAX_SLOTS = 1_000_000;
const MAX_PER_WINDOW = 10_000_000;
const DAY_MS = 86_400_000;
const LONGEST_SECONDS = 86_400;
const NONE = 'none';

const slots = z.coerce
  .number('must be a whole number')
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(MAX_SLOTS, `must be at most ${MAX_SLOTS}`);
const bytes = z.coerce
  .number('must be a number of bytes')
  .int('must be a whole number of bytes')
  .min(0, 'must be at least 0')
  .max(Number.MAX_SAFE_INTEGER, 'is more than any Redis holds');
const flag = z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true');
const max = z.coerce
  .number('must be a whole number of jobs')
  .int('must be a whole number of jobs')
  .min(1, 'must be at least 1: a limit of 0 is no stop in BullMQ')
  .max(MAX_PER_WINDOW, `must be at most ${MAX_PER_WINDOW}`);
const windowMs = z.coerce
  .number('must be a whole number of milliseconds')
  .int('must be a whole number of milliseconds')
  .min(1, 'must be at least 1 ms')
  .max(DAY_MS, `must be at most ${DAY_MS} ms (a day)`);

const LIMIT_FORM = 'must be <max>/<durationMs>, such as 100/1000 for 100 a second, or none';
const limit = z.string().transform((text, context): RateWindow | null => {
  if (text === NONE) return null;
  const [, jobs, ms] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  const parsed = z.object({ max, durationMs: windowMs }).safeParse({ max: jobs, durationMs: ms });
  if (jobs !== undefined && parsed.success) return parsed.data;
  const why = jobs === undefined ? LIMIT_FORM : (parsed.error?.issues[0]?.message ?? LIMIT_FORM);
  context.addIssue({ code: 'custom', message: why });
  return z.NEVER;
});

/** What a plan can be asked for: settings that would be others. What is left out stays as it is. */
export const PlanQuerySchema = z
  .strictObject({
    concurrency: slots.optional().describe('Slots of all workers of the queue together'),
    globalConcurrency: z
      .union([
        z.literal(NONE).transform(() => null),
        z.coerce
          .number('must be a whole number or none')
          .int('must be a whole number or none')
          .min(0, 'must be at least 0')
          .max(MAX_SLOTS, `must be at most ${MAX_SLOTS}`),
      ])
      .optional()
      .openapi({ description: 'A number, or none', type: 'string' }),
    rateLimit: limit.optional().openapi({
      description: 'Jobs per window as max/durationMs (100/1000 is 100 a second), or none',
      type: 'string',
      example: '100/1000',
    }),
    rateLimitMax: max.optional().describe('The same as rateLimit, in two parameters'),
    rateLimitDurationMs: windowMs.optional().describe('1000 where left out'),
    pauseQueue: flag.optional().openapi({ description: 'true: paused; false: resumed', type: 'string' }),
    pauseArrivals: flag.optional().openapi({ description: 'true: producers add nothing', type: 'string' }),
    freedBytes: bytes.optional().describe('Redis memory that is freed first'),
    addedLimitBytes: bytes.optional().describe('By how much maxmemory is raised first'),
    drainWithinSeconds: z.coerce
      .number('must be a number of seconds')
      .min(1, 'must be at least 1 s')
      .max(LONGEST_SECONDS, `must be at most ${LONGEST_SECONDS} s (a day)`)
      .optional()
      .describe('Asks for settings that drain the queue within this time'),
  })
  .superRefine((query, context) => {
    const isTwice = query.rateLimit !== undefined && query.rateLimitMax !== undefined;
    if (isTwice)
      context.addIssue({
        code: 'custom',
        path: ['rateLimitMax'],
        message: 'give rateLimit or rateLimitMax, not both',
      });
    if (query.rateLimitDurationMs !== undefined && query.rateLimitMax === undefined)
      context.addIssue({
        code: 'custom',
        path: ['rateLimitDurationMs'],
        message: 'goes with rateLimitMax only',
      });
  });

type PlanQuery = z.infer<typeof PlanQuerySchema>;

/** The change that is asked for, with a rate limit as workers would count it; null: none. Pure. */
export function changeAsked(query: PlanQuery, basis: PlanBasis): PlanChange | null {
  const { concurrency, globalConcurrency, pauseQueue, pauseArrivals, freedBytes, addedLimitBytes } = query;
  const asked =
    query.rateLimitMax === undefined
      ? query.rateLimit
      : { max: query.rateLimitMax, durationMs: query.rateLimitDurationMs ?? 1000 };
  const change: PlanChange = {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(globalConcurrency === undefined ? {} : { globalConcurrency }),
    ...(asked === undefined ? {} : { rateLimit: rateLimitAfter(asked, basis) }),
    ...(pauseQueue === undefined ? {} : { pauseQueue }),
    ...(pauseArrivals === undefined ? {} : { pauseArrivals }),
    ...(freedBytes === undefined ? {} : { freedBytes }),
    ...(addedLimitBytes === undefined ? {} : { addedLimitBytes }),
  };
  return Object.keys(change).length === 0 ? null : change;
}
