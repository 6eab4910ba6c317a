import { z } from '@hono/zod-openapi';
import { byTrouble } from '../../model/worker.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { apiPart, cursorQuery, instanceParam, jsonRoute, limitOf, queueIn, snapshotOf } from './env.js';
import { FleetSummarySchema, summariseFleet, WorkerSchema, workerJson } from './worker-schemas.js';

const workerParam = instanceParam.extend({
  worker: z.string().describe('Id of a worker, as GET …/workers has it'),
});

const listRoute = jsonRoute(
  'get /instances/{instance}/workers',
  'Every worker with its verdict, worst first',
  z.object({
    instance: z.string(),
    hearing: z.enum(['off', 'hearing', 'deaf']),
    total: z.number(),
    nextCursor: z.number().nullable(),
    summary: FleetSummarySchema,
    workers: z.array(WorkerSchema),
  }),
  {
    params: instanceParam,
    query: z.object({
      queue: z.string().max(1_000).optional().describe('Queue id or a bare name'),
      verdict: z.string().max(40).optional(),
      search: z.string().max(200).default(''),
      cursor: cursorQuery,
      limit: limitOf(1_000, 200),
    }),
  },
);

const oneRoute = jsonRoute('get /instances/{instance}/workers/{worker}', 'One worker', WorkerSchema, {
  params: workerParam,
});

export function workersApi(deps: Pick<AppDeps, 'watch'>) {
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
          workers: found.slice(cursor, next).map((one) => workerJson(one, snapshot.instance)),
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
      return c.json(workerJson(found, instance), 200);
    });
}
