import { z } from 'zod';
import { jobTypeOf } from '../../agent/job-type-of.js';

export const MAX_REPLAY_QUEUES = 100;
const MAX_REPLAY_RATE = 20_000;
const MAX_BATCH = 1_000;
const MAX_TEXT = 500;

const timeMs = z.int('must be a time in milliseconds since 1970').min(0, 'must not be negative');
const attempts = z.int('must be a whole number').min(0, 'must not be negative');

/** Why somebody changes something; empty: not said. */
export const ReasonSchema = z
  .string('must be text')
  .trim()
  .max(MAX_TEXT, `must be at most ${MAX_TEXT} characters`)
  .default('')
  .describe('Why: kept in the audit with the change.');

/** What somebody did, and why where that was said. */
export function saidBy(what: string, reason: string): string {
  return reason === '' ? what : `${what}: ${reason}`;
}

export const RateSchema = z
  .number('must be a number')
  .min(0.1, 'must be at least 0.1')
  .max(MAX_REPLAY_RATE, `must be at most ${MAX_REPLAY_RATE}`);

/** Which finished jobs a replay is about. Empty or absent: all. */
const FilterSchema = z.strictObject({
  jobTypes: z.array(z.string().overwrite(jobTypeOf)).max(100, 'must be at most 100 job types').optional(),
  /** Anywhere in the first characters of the error. */
  errorText: z.string().max(MAX_TEXT, `must be at most ${MAX_TEXT} characters`).optional(),
  /** When they finished, both ends included. */
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

const SOURCES = ['failed', 'completed', 'parked'] as const;

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
  reason: ReasonSchema,
});

export type ReplayFilter = Readonly<z.infer<typeof FilterSchema>>;

export type ReplaySpec = z.infer<typeof SpecSchema>;

/** What a filter looks at of one job. */
export interface FilterFacts {
  readonly name: string;
  readonly error: string;
  readonly attempts: number;
  /** The data as JSON text; null: not read, or too large to be. */
  readonly dataText: string | null;
}

/** Characters of an error that are read and compared. */
export const MAX_ERROR_LETTERS = 500;

/** Does a job in the time range match the rest of the filter? A field of data that can't be read matches nothing. */
export function matchesFilter(filter: ReplayFilter, job: FilterFacts): boolean {
  if (filter.jobTypes !== undefined && filter.jobTypes.length > 0 && !filter.jobTypes.includes(job.name))
    return false;
  if (filter.errorText && !job.error.slice(0, MAX_ERROR_LETTERS).includes(filter.errorText)) return false;
  if (filter.attemptsMin !== undefined && job.attempts < filter.attemptsMin) return false;
  if (filter.attemptsMax !== undefined && job.attempts > filter.attemptsMax) return false;
  if (filter.dataField !== undefined) {
    const found = fieldOf(job.dataText, filter.dataField.path);
    return found.isThere && found.value === filter.dataField.equals;
  }
  return true;
}

/** Is the time range all that is asked? Then jobs need not be looked into. */
export function isOnlyTime(filter: ReplayFilter): boolean {
  return (
    (filter.jobTypes === undefined || filter.jobTypes.length === 0) &&
    !filter.errorText &&
    filter.attemptsMin === undefined &&
    filter.attemptsMax === undefined &&
    filter.dataField === undefined
  );
}

function fieldOf(text: string | null, path: string): { readonly isThere: boolean; readonly value: unknown } {
  if (text === null) return { isThere: false, value: null };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: then it has no fields.
    return { isThere: false, value: null };
  }
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key))
      return { isThere: false, value: null };
    value = Reflect.get(value, key);
  }
  return { isThere: true, value };
}
