import { z } from '@hono/zod-openapi';
import { type JobDetail, type JobRow, JobRowSchema } from '../../model/job-view.js';
import { jsonWriter } from '../../model/json.js';
import { JOB_STATES } from '../../model/memory.js';
import { type Actor, includesRole } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { apiPart, cursorQuery, jsonRoute, limitOf, queueIn, queueParam, snapshotOf } from './env.js';

const JobSchema = JobRowSchema.extend({
  state: z.string(),
  memoryBytes: z.number().nullable(),
  parentKey: z.string().nullable(),
  processedBy: z.string().nullable(),
  dataHidden: z.boolean().describe('True: the role does not see the fields that follow; they are null.'),
  isTruncated: z.boolean(),
  data: z.string().nullable(),
  options: z.string().nullable(),
  returnValue: z.string().nullable(),
  progress: z.string().nullable(),
  stackTrace: z.array(z.string()).nullable(),
  logs: z.array(z.string()).nullable(),
  logsTotal: z.number(),
}).openapi('Job');

const listRoute = jsonRoute(
  'get /instances/{instance}/queues/{queue}/jobs',
  'Jobs of a queue in one state, without their data',
  z.object({
    state: z.string(),
    total: z.number(),
    dataHidden: z.boolean(),
    nextCursor: z.number().nullable(),
    jobs: z.array(JobRowSchema),
  }),
  {
    params: queueParam,
    query: z.object({
      state: z.enum(JOB_STATES, `must be one of ${JOB_STATES.join(', ')}`).default('waiting'),
      cursor: cursorQuery,
      limit: limitOf(100, 50),
    }),
  },
);

const oneRoute = jsonRoute(
  'get /instances/{instance}/queues/{queue}/jobs/{jobId}',
  'One job; data, options, logs and stack traces only for roles that may see them',
  JobSchema,
  { params: queueParam.extend({ jobId: z.string() }) },
);

const findRoute = jsonRoute(
  'get /jobs/{jobId}',
  'The queues that hold a job of this id; at most 1,000 of each Redis are asked',
  z.object({
    jobs: z.array(z.object({ instance: z.string(), queue: z.string() })),
    unaskedQueues: z.number().describe('Queues beyond that, or of a Redis that can’t be asked now.'),
  }),
  { params: z.object({ jobId: z.string().max(1_000) }) },
);

const writeRow = jsonWriter(JobRowSchema);
const writeJob = jsonWriter(JobSchema);
/** What a job failed with often quotes its data. */
function rowJson(row: JobRow, showsData: boolean): z.infer<typeof JobRowSchema> {
  return writeRow(row, { failedReason: showsData ? row.failedReason : null });
}

function jobJson(job: JobDetail, showsData: boolean): z.infer<typeof JobSchema> {
  return writeJob(job, {
    dataHidden: !showsData,
    failedReason: showsData ? job.failedReason : null,
    data: showsData ? job.data : null,
    options: showsData ? job.opts : null,
    returnValue: showsData ? job.returnValue : null,
    progress: showsData ? job.progress : null,
    stackTrace: showsData ? [...job.stackTrace] : null,
    logs: showsData ? [...job.logs] : null,
  });
}

export function jobsApi(deps: Pick<AppDeps, 'watch' | 'listJobs' | 'readJob' | 'findJob' | 'jobDataRole'>) {
  const showsData = (actor: Actor): boolean => includesRole(actor.role, deps.jobDataRole);
  return apiPart()
    .openapi(findRoute, async (c) => {
      const { places, unasked } = await deps.findJob(c.req.valid('param').jobId);
      return c.json({ jobs: [...places], unaskedQueues: unasked }, 200);
    })
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
          jobs: page.jobs.map((job) => rowJson(job, shows)),
        },
        200,
      );
    })
    .openapi(oneRoute, async (c) => {
      const { instance, queue, jobId } = c.req.valid('param');
      const found = queueIn(snapshotOf(deps, instance), queue);
      const job = await deps.readJob(instance, found.id, jobId);
      if (!job) throw new Problem(404, 'not-found', `there is no job ${jobId.slice(0, 200)} in ${found.id}`);
      return c.json(jobJson(job, showsData(c.get('actor'))), 200);
    });
}
