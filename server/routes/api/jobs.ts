import { z } from '@hono/zod-openapi';
import { type Actor, includesRole } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { apiPart, jsonRoute, queueIn, queueParam, snapshotOf } from './env.js';
import { presentJob, presentJobRow } from './present.js';
import { JobRowSchema, JobSchema } from './schemas.js';

const STATES = [
  'waiting',
  'prioritized',
  'active',
  'delayed',
  'waiting-children',
  'completed',
  'failed',
] as const;

const listRoute = jsonRoute(
  {
    method: 'get',
    path: '/instances/{instance}/queues/{queue}/jobs',
    summary: 'Jobs of a queue in one state, without their data',
    request: {
      params: queueParam,
      query: z.object({
        state: z.enum(STATES, `must be one of ${STATES.join(', ')}`).default('waiting'),
        cursor: z.coerce.number('must be a nextCursor of an answer').int().min(0).default(0),
        limit: z.coerce
          .number('must be a number')
          .int()
          .min(1, 'must be at least 1')
          .max(100, 'must be at most 100')
          .default(50),
      }),
    },
  },
  z.object({
    state: z.string(),
    total: z.number(),
    dataHidden: z.boolean(),
    nextCursor: z.number().nullable(),
    jobs: z.array(JobRowSchema),
  }),
);

const oneRoute = jsonRoute(
  {
    method: 'get',
    path: '/instances/{instance}/queues/{queue}/jobs/{jobId}',
    summary: 'One job; data, options, logs and stack traces only for roles that may see them',
    request: { params: queueParam.extend({ jobId: z.string() }) },
  },
  JobSchema,
);

export function jobsApi(deps: AppDeps) {
  const showsData = (actor: Actor): boolean => includesRole(actor.role, deps.jobDataRole);
  return apiPart()
    .openapi(listRoute, async (c) => {
      const { instance, queue } = c.req.valid('param');
      const found = queueIn(snapshotOf(deps, instance), queue);
      const page = await deps.listJobs(instance, found.id, c.req.valid('query'));
      const shows = showsData(c.get('actor'));
      return c.json(
        {
          state: page.state,
          total: page.total,
          dataHidden: !shows,
          nextCursor: page.nextCursor,
          jobs: page.jobs.map((job) => presentJobRow(job, shows)),
        },
        200,
      );
    })
    .openapi(oneRoute, async (c) => {
      const { instance, queue, jobId } = c.req.valid('param');
      const found = queueIn(snapshotOf(deps, instance), queue);
      const job = await deps.readJob(instance, found.id, jobId);
      if (!job) throw new Problem(404, 'not-found', `there is no job ${jobId.slice(0, 200)} in ${found.id}`);
      return c.json(presentJob(job, showsData(c.get('actor'))), 200);
    });
}
