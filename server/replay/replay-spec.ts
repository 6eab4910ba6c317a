import { z } from 'zod';
import { jobTypeOf } from '../../agent/job-type-of.js';

export const MAX_QUEUES = 100;
export const MAX_RATE = 20_000;
const MAX_BATCH = 1_000;
const MAX_TEXT = 500;

const timeMs = z.int('must be a time in milliseconds since 1970').min(0, 'must not be negative');
const attempts = z.int('must be a whole number').min(0, 'must not be negative');

export const RateSchema = z
  .number('must be a number')
  .min(0.1, 'must be at least 0.1')
  .max(MAX_RATE, `must be at most ${MAX_RATE}`);

export const FilterSchema = z.strictObject({
  jobTypes: z.array(z.string().overwrite(jobTypeOf)).max(100, 'must be at most 100 job types').optional(),
  errorText: z.string().max(MAX_TEXT, `must be at most ${MAX_TEXT} characters`).optional(),
  fromMs: timeMs.optional(),
  toMs: timeMs.optional(),
  attemptsMin: attempts.optional(),
  attemptsMax: attempts.optional(),
  dataField: z
    .strictObject({
      path: z
        .string()
        .min(1, 'must name a field, e.g. customer.id')
        .max(200, 'must be at most 200 characters'),
      equals: z.union([z.string().max(MAX_TEXT), z.number(), z.boolean(), z.null()]),
    })
    .optional(),
});

export const SOURCES = ['failed', 'completed', 'parked'] as const;

/** What a person asks for. Which queues it is about stands beside it: names or a glob, see replay-request.ts. */
export const SpecSchema = z.strictObject({
  from: z.enum(SOURCES, 'must be failed, completed or parked').default('failed'),
  filter: FilterSchema.default({}),
  order: z.enum(['oldest', 'newest'], 'must be oldest or newest').default('oldest'),
  ratePerSecond: RateSchema.default(50),
  batchSize: z
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(MAX_BATCH, `must be at most ${MAX_BATCH}`)
    .default(500),
  mostInFlight: z
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(1_000_000, 'must be at most 1000000')
    .nullable()
    .default(null),
  guard: z.boolean('must be true or false').default(true),
  resetAttempts: z.boolean('must be true or false').default(true),
  reason: z
    .string('must say why')
    .trim()
    .min(1, 'must say why, for those who read the audit')
    .max(MAX_TEXT, `must be at most ${MAX_TEXT} characters`),
});

export type ReplaySpec = z.infer<typeof SpecSchema>;
