import { z } from '@hono/zod-openapi';
import { compareTypes, TYPE_SORTS, typesOfQueue } from '../../model/job-type-order.js';
import { includesRole } from '../../model/role.js';
import { globMatcher } from '../../model/text.js';
import { firstOf } from '../../model/words.js';
import type { AppDeps } from '../app-deps.js';
import {
  actionRoute,
  apiPart,
  dryRunQuery,
  instanceParam,
  jsonBody,
  jsonRoute,
  queueIn,
  queueParam,
  snapshotOf,
} from './env.js';
import { isoTime } from './iso-time.js';
import { presentQueueJobType, QueueJobTypeSchema } from './job-type-schemas.js';
import { answerOutcomes } from './pull-calls.js';

const MAX_TYPES = 500;

const listRoute = jsonRoute(
  {
    method: 'get',
    path: '/instances/{instance}/job-types',
    summary: 'Job types of all queues: what waits, how long runs take, what fails, what is slow',
    request: {
      params: instanceParam,
      query: z.object({
        match: z
          .string()
          .max(200)
          .default('*')
          .openapi({ description: 'Glob over names of job types (`*` any characters, `?` one)' }),
        sort: z
          .enum(TYPE_SORTS, `must be one of ${TYPE_SORTS.join(', ')}`)
          .default('slow')
          .openapi({
            description:
              'slow: those in trouble first, then by work; work: waiting jobs × mean run time; largest first',
          }),
        limit: z.coerce
          .number('must be a number')
          .int('must be a whole number')
          .min(1, 'must be at least 1')
          .max(MAX_TYPES, `must be at most ${MAX_TYPES}`)
          .default(50),
      }),
    },
  },
  z.object({
    instance: z.string(),
    readAt: z.string().nullable(),
    stale: z.boolean(),
    total: z
      .number()
      .openapi({ description: 'That match. Of a queue with more than 60 types those with most work count.' }),
    jobTypes: z.array(QueueJobTypeSchema),
  }),
);

const patchRoute = actionRoute({
  method: 'patch',
  path: '/instances/{instance}/queues/{queue}/job-types/{type}',
  summary: 'Set the run time from which a job type is called slow, or null for none; idempotent',
  request: {
    params: queueParam.extend({
      type: z
        .string()
        .openapi({ description: 'Name of the job type, percent-encoded', example: 'send-digest' }),
    }),
    query: dryRunQuery,
    body: jsonBody(
      z.strictObject({
        slowThresholdMs: z.number().nullable().openapi({ description: '1 to 86,400,000', example: 10_000 }),
        reason: z
          .string()
          .max(500, 'must be at most 500 characters')
          .default('')
          .openapi({ description: 'Why: kept with the change. Needed unless dryRun.' }),
      }),
    ),
  },
});

/** Job types over all queues of a Redis, and their thresholds. */
export function jobTypesApi(deps: AppDeps) {
  return apiPart()
    .openapi(listRoute, (c) => {
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
          jobTypes: firstOf(found, limit, compareTypes(sort)).map((one) =>
            presentQueueJobType(one, showsData),
          ),
        },
        200,
      );
    })
    .openapi(patchRoute, async (c) => {
      const { instance, queue, type } = c.req.valid('param');
      const { slowThresholdMs, reason } = c.req.valid('json');
      const outcomes = await deps.runAction(c.get('actor'), {
        action: 'jobtype.threshold',
        instance,
        queues: [queueIn(snapshotOf(deps, instance), queue).id],
        args: { type, slowThresholdMs },
        reason,
        dryRun: c.req.valid('query').dryRun === 'true',
      });
      return answerOutcomes(c, outcomes);
    });
}
