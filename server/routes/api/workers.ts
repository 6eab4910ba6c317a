import { z } from '@hono/zod-openapi';
import { ActionError } from '../../model/action.js';
import { byTrouble } from '../../model/worker.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import {
  actionRoute,
  apiPart,
  dryRunQuery,
  groupQuery,
  instanceParam,
  jsonBody,
  jsonRoute,
  queueIn,
  queueParam,
  snapshotOf,
} from './env.js';
import { answerOutcomes, type Call, pullCalls } from './pull-calls.js';
import { reason } from './reason.js';
import { FleetSummarySchema, presentWorker, summariseFleet, WorkerSchema } from './worker-schemas.js';

const workerParam = instanceParam.extend({
  worker: z.string().openapi({ description: 'Id of a worker, as GET …/workers tells it' }),
});

const listRoute = jsonRoute(
  {
    method: 'get',
    path: '/instances/{instance}/workers',
    summary: 'Every worker with its verdict, worst first',
    request: {
      params: instanceParam,
      query: z.object({
        queue: z.string().max(1_000).optional().openapi({ description: 'Queue id or a bare name' }),
        verdict: z.string().max(40).optional(),
        search: z.string().max(200).default(''),
        cursor: z.coerce.number('must be a nextCursor of an answer').int().min(0).default(0),
        limit: z.coerce
          .number('must be a number')
          .int('must be a whole number')
          .min(1, 'must be at least 1')
          .max(1_000, 'must be at most 1000')
          .default(200),
      }),
    },
  },
  z.object({
    instance: z.string(),
    hearing: z.enum(['off', 'hearing', 'deaf']),
    total: z.number(),
    nextCursor: z.number().nullable(),
    summary: FleetSummarySchema,
    workers: z.array(WorkerSchema),
  }),
);

const oneRoute = jsonRoute(
  {
    method: 'get',
    path: '/instances/{instance}/workers/{worker}',
    summary: 'One worker',
    request: { params: workerParam },
  },
  WorkerSchema,
);

const forMs = z
  .number()
  .optional()
  .openapi({ description: 'How long it holds; without it until it is reverted.' });
const limiter = z.strictObject({ max: z.number(), durationMs: z.number() });

const workerChange = z.strictObject({
  concurrency: z.number().nullable().optional().openapi({ description: 'null: as deployed' }),
  paused: z.boolean().optional(),
  limiter: limiter.nullable().optional().openapi({ description: 'null: none' }),
  revert: z.literal(true).optional().openapi({ description: 'Takes back every order for this worker alone' }),
  reconnect: z
    .literal(true)
    .optional()
    .openapi({ description: 'New connections for one that takes nothing; last of what is asked for' }),
  forMs,
  reason,
});

const patchOneRoute = actionRoute({
  method: 'patch',
  path: '/instances/{instance}/workers/{worker}',
  summary: 'Change one running worker (agent)',
  request: { params: workerParam, query: dryRunQuery, body: jsonBody(workerChange) },
});

const queueChange = z.strictObject({
  concurrency: z
    .number()
    .nullable()
    .optional()
    .openapi({ description: 'For each worker; null: as deployed' }),
  factor: z.number().optional().openapi({ description: 'Times what each was deployed with' }),
  drainWithinSeconds: z.number().optional(),
  revert: z.literal(true).optional().openapi({ description: 'Takes back every order of the queue' }),
  forMs,
  reason,
});

const patchQueueRoute = actionRoute({
  method: 'patch',
  path: '/instances/{instance}/queues/{queue}/workers',
  summary: 'Change all running workers of a queue (agent)',
  request: { params: queueParam, query: dryRunQuery, body: jsonBody(queueChange) },
});

const patchGroupRoute = actionRoute({
  method: 'patch',
  path: '/instances/{instance}/workers',
  summary: 'Change all running workers of the queues that a glob matches (agent)',
  request: {
    params: instanceParam,
    query: groupQuery,
    body: jsonBody(queueChange),
  },
});

const NO_TIME =
  'forMs: revert and paused: false take orders back for good: send them by themselves, without forMs';

function workerCalls(body: z.infer<typeof workerChange>): readonly Call[] {
  const time = body.forMs === undefined ? {} : { forMs: body.forMs };
  const isOrder = body.paused === true || body.concurrency !== undefined || body.limiter !== undefined;
  if (body.forMs !== undefined && (!isOrder || body.paused === false))
    throw new ActionError('invalid', NO_TIME);
  const calls: Call[] = [];
  if (body.revert) calls.push({ action: 'worker.revert', args: {} });
  if (body.paused === true) calls.push({ action: 'worker.pause', args: time });
  if (body.concurrency !== undefined)
    calls.push({ action: 'worker.concurrency', args: { value: body.concurrency, ...time } });
  if (body.limiter !== undefined)
    calls.push({ action: 'worker.limiter', args: { ...(body.limiter ?? { max: null }), ...time } });
  if (body.paused === false) calls.push({ action: 'worker.resume', args: {} });
  if (body.reconnect) calls.push({ action: 'worker.reconnect', args: {} });
  if (calls.length > 0) return calls;
  throw new ActionError(
    'invalid',
    'body: give at least one of concurrency, paused, limiter, revert and reconnect',
  );
}

function queueCall({ reason: _reason, revert, concurrency, ...rest }: z.infer<typeof queueChange>): Call {
  const given = [concurrency, rest.factor, rest.drainWithinSeconds, revert].filter(
    (one) => one !== undefined,
  );
  if (given.length !== 1)
    throw new ActionError(
      'invalid',
      'body: give exactly one of concurrency, factor, drainWithinSeconds and revert',
    );
  if (revert && rest.forMs !== undefined) throw new ActionError('invalid', NO_TIME);
  if (revert) return { action: 'workers.revert', args: {} };
  return {
    action: 'workers.concurrency',
    args: { ...rest, ...(concurrency === undefined ? {} : { value: concurrency }) },
  };
}

export function workersApi(deps: AppDeps) {
  return apiPart()
    .openapi(listRoute, (c) => {
      const snapshot = snapshotOf(deps, c.req.valid('param').instance);
      const { queue, verdict, search, cursor, limit } = c.req.valid('query');
      const queueId = queue === undefined ? null : queueIn(snapshot, queue).id;
      const text = search.toLowerCase();
      const found = snapshot.workers
        .filter((worker) => queueId === null || worker.queueId === queueId)
        .filter((one) => verdict === undefined || one.verdict === verdict)
        .filter((worker) => `${worker.label} ${worker.queueId}`.toLowerCase().includes(text))
        .toSorted(byTrouble);
      const next = cursor + limit;
      return c.json(
        {
          instance: snapshot.instance,
          hearing: snapshot.hearing.status,
          total: found.length,
          nextCursor: next < found.length ? next : null,
          summary: summariseFleet(found),
          workers: found.slice(cursor, next).map((one) => presentWorker(one, snapshot.instance)),
        },
        200,
      );
    })
    .openapi(oneRoute, (c) => {
      const { instance, worker: id } = c.req.valid('param');
      const snapshot = snapshotOf(deps, instance);
      const found = snapshot.workers.find((worker) => worker.id === id);
      if (!found)
        throw new Problem(404, 'not-found', `there is no worker ${id.slice(0, 100)} in ${instance} now`);
      return c.json(presentWorker(found, instance), 200);
    })
    .openapi(patchOneRoute, async (c) => {
      const { instance, worker } = c.req.valid('param');
      const body = c.req.valid('json');
      const dryRun = c.req.valid('query').dryRun === 'true';
      const target = { instance, queues: [], workers: [worker], reason: body.reason, dryRun };
      const outcomes = await pullCalls(deps, c.get('actor'), target, workerCalls(body));
      return answerOutcomes(c, outcomes);
    })
    .openapi(patchQueueRoute, async (c) => {
      const { instance, queue } = c.req.valid('param');
      const body = c.req.valid('json');
      const queues = [queueIn(snapshotOf(deps, instance), queue).id];
      const dryRun = c.req.valid('query').dryRun === 'true';
      const target = { instance, queues, reason: body.reason, dryRun };
      const outcomes = await pullCalls(deps, c.get('actor'), target, [queueCall(body)]);
      return answerOutcomes(c, outcomes);
    })
    .openapi(patchGroupRoute, async (c) => {
      const { match, dryRun } = c.req.valid('query');
      const body = c.req.valid('json');
      const { instance } = c.req.valid('param');
      const target = { instance, queues: [], match, reason: body.reason, dryRun: dryRun === 'true' };
      const outcomes = await pullCalls(deps, c.get('actor'), target, [queueCall(body)]);
      return answerOutcomes(c, outcomes);
    });
}
