import { z } from '@hono/zod-openapi';
import { JobTypeFacts } from '../../model/job-type.js';
import {
  compareTypes,
  TYPE_SORTS,
  type TypeOfQueue,
  typesOfQueue,
  typeTroubles,
} from '../../model/job-type-order.js';
import { isoTime, jsonWriter, TimeSchema } from '../../model/json.js';
import { includesRole } from '../../model/role.js';
import type { QueueState } from '../../model/snapshot.js';
import { globMatcher } from '../../model/text.js';
import { firstOf } from '../../model/words.js';
import type { AppDeps } from '../app-deps.js';
import { apiPart, instanceParam, jsonRoute, limitOf, snapshotOf } from './env.js';

const MAX_TYPES = 500;

const FailingSchema = z.object({
  since: TimeSchema,
  beforeRatio: z.number(),
  sinceRatio: z.number(),
  failedSince: z.number(),
  error: z.string().nullable(),
  isNewError: z.boolean(),
});

export const JobTypeSchema = JobTypeFacts.extend({
  troubles: z
    .array(z.enum(['failing', 'absent', 'batch-wait', 'slow']))
    .describe('What is wrong, worst first; empty: nothing.'),
  workSeconds: z.number().describe('What its waiting jobs will take to run, one after the other.'),
  failing: FailingSchema.nullable(),
  errorsHidden: z.boolean().describe('True: the role does not see errors, which may quote job data.'),
  runTrendMs: z
    .array(z.number().nullable())
    .describe('Medians over spans of 10 s, oldest first; null: none ended.'),
}).openapi('JobType');

const QueueJobTypeSchema = JobTypeSchema.extend({
  queue: z.string().openapi({ description: 'Id of its queue', example: 'bull:mail' }),
}).openapi('QueueJobType');

const write = jsonWriter(JobTypeSchema);
const writeFailing = jsonWriter(FailingSchema);

/** Job types of a queue, the one that holds most work first. Pure. */
export function jobTypesJson(queue: QueueState, showsData: boolean): z.infer<typeof JobTypeSchema>[] {
  return typesOfQueue(queue).map((one) => jobTypeJson(one, showsData));
}

/** @param showsData whether the role sees errors: what a job failed with often quotes its data. */
function jobTypeJson({ type, workSeconds }: TypeOfQueue, showsData: boolean): z.infer<typeof JobTypeSchema> {
  const { failing } = type;
  return write(type, {
    troubles: [...typeTroubles(type)],
    workSeconds,
    failing:
      failing &&
      writeFailing(failing, {
        since: isoTime(failing.firstFailureAtMs),
        error: showsData ? failing.error : null,
      }),
    lastError: showsData ? type.lastError : null,
    errorsHidden: !showsData,
    runTrendMs: [...type.runTrend],
  });
}

const listRoute = jsonRoute(
  'get /instances/{instance}/job-types',
  'Job types of all queues: what waits, how long runs take, what fails, what is slow',
  z.object({
    instance: z.string(),
    readAt: TimeSchema.nullable(),
    stale: z.boolean(),
    total: z.number().describe('That match. Of a queue with more than 60 types those with most work count.'),
    jobTypes: z.array(QueueJobTypeSchema),
  }),
  {
    params: instanceParam,
    query: z.object({
      match: z
        .string()
        .max(200)
        .default('*')
        .describe('Glob over names of job types (`*` any characters, `?` one)'),
      sort: z
        .enum(TYPE_SORTS, `must be one of ${TYPE_SORTS.join(', ')}`)
        .default('slow')
        .describe(
          'slow: those in trouble first, then by work; work: waiting jobs × mean run time; largest first',
        ),
      limit: limitOf(MAX_TYPES, 50),
    }),
  },
);

/** Job types over all queues of a Redis. */
export function jobTypesApi(deps: Pick<AppDeps, 'watch' | 'jobDataRole'>) {
  return apiPart().openapi(listRoute, (c) => {
    const snapshot = snapshotOf(deps, c.req.valid('param').instance);
    const { match, sort, limit } = c.req.valid('query');
    const matches = globMatcher(match);
    const showsData = includesRole(c.get('actor').role, deps.jobDataRole);
    const found = snapshot.queues
      .flatMap(typesOfQueue)
      .filter(({ type }) => match === '*' || matches(type.name));
    return c.json(
      {
        instance: snapshot.instance,
        readAt: isoTime(snapshot.link.lastReadAtMs),
        stale: snapshot.link.status !== 'live',
        total: found.length,
        jobTypes: firstOf(found, limit, compareTypes(sort)).map((one) => ({
          queue: one.queue.id,
          ...jobTypeJson(one, showsData),
        })),
      },
      200,
    );
  });
}
