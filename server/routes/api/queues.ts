import { z } from '@hono/zod-openapi';
import { isAboutQueue, problemsByQueue } from '../../findings/trouble.js';
import { workersOf } from '../../model/queue-verdict.js';
import { includesRole } from '../../model/role.js';
import { byTrouble } from '../../model/worker.js';
import type { AppDeps } from '../app-deps.js';
import { apiPart, instanceParam, jsonRoute, queueIn, queueParam, snapshotOf } from './env.js';
import { FindingSchema, presentFindings } from './finding-schemas.js';
import { isoTime } from './iso-time.js';
import { JobTypeSchema, presentJobTypes } from './job-type-schemas.js';
import { CountSchema, presentCount, presentQueueMemory, QueueMemorySchema } from './memory-schemas.js';
import { presentQueue, presentUnread } from './present.js';
import { listQueues, QUEUE_SORTS } from './queue-list.js';
import { QueueSchema, UnreadQueueSchema } from './schemas.js';
import { presentTenants, TenantsSchema } from './tenants.js';
import {
  FleetSummarySchema,
  OverrideSchema,
  presentKept,
  presentWorker,
  summariseFleet,
  WorkerSchema,
} from './worker-schemas.js';

const MAX_QUEUES = 1_000;
const MAX_WORKERS = 200;

const listRoute = jsonRoute(
  {
    method: 'get',
    path: '/instances/{instance}/queues',
    summary: 'Queues, worst first',
    request: {
      params: instanceParam,
      query: z.object({
        search: z.string().max(200).default(''),
        sort: z.enum(QUEUE_SORTS, `must be one of ${QUEUE_SORTS.join(', ')}`).default('trouble'),
        cursor: z.coerce.number('must be a nextCursor of an answer').int().min(0).default(0),
        limit: z.coerce
          .number('must be a number')
          .int('must be a whole number')
          .min(1, 'must be at least 1')
          .max(MAX_QUEUES, `must be at most ${MAX_QUEUES}`)
          .default(100),
      }),
    },
  },
  z.object({
    instance: z.string(),
    readAt: z.string().nullable(),
    stale: z.boolean(),
    total: z.number(),
    nextCursor: z.number().nullable(),
    queues: z.array(QueueSchema),
    unread: z.array(UnreadQueueSchema).openapi({
      description: `Of those that the search matches, what can not be read now: not in \`queues\` and not in \`total\`, on every page; at most ${MAX_QUEUES}`,
    }),
  }),
);

const oneRoute = jsonRoute(
  {
    method: 'get',
    path: '/instances/{instance}/queues/{queue}',
    summary: 'One queue with its findings',
    request: { params: queueParam },
  },
  QueueSchema.extend({
    instance: z.string(),
    stale: z.boolean(),
    memory: QueueMemorySchema.nullable(),
    count: CountSchema.nullable().openapi({ description: 'null: nobody has asked for an exact count' }),
    tenants: TenantsSchema,
    findings: z.array(FindingSchema),
    jobTypes: z.array(JobTypeSchema).openapi({ description: 'Most work first, at most 60.' }),
    fleet: FleetSummarySchema,
    overrides: z.array(OverrideSchema),
    workerList: z
      .array(WorkerSchema)
      .openapi({ description: 'Worst first, at most 200; all by GET …/workers?queue=' }),
  }),
);

export function queuesApi(deps: AppDeps) {
  return apiPart()
    .openapi(listRoute, (c) => {
      const snapshot = snapshotOf(deps, c.req.valid('param').instance);
      const { search, sort, cursor, limit } = c.req.valid('query');
      const nowMs = deps.now();
      const found = listQueues(snapshot, { search, sort }, nowMs, problemsByQueue(deps.watch.findings()));
      const page = found.slice(cursor, cursor + limit);
      const next = cursor + page.length;
      return c.json(
        {
          instance: snapshot.instance,
          readAt: isoTime(snapshot.link.lastReadAtMs),
          stale: snapshot.link.status !== 'live',
          total: found.length,
          nextCursor: next < found.length ? next : null,
          queues: page.map((queue) => presentQueue(queue, nowMs)),
          unread: snapshot.unread.queues
            .filter(({ id }) => id.toLowerCase().includes(search.trim().toLowerCase()))
            .slice(0, MAX_QUEUES)
            .map((queue) => presentUnread(queue, nowMs)),
        },
        200,
      );
    })
    .openapi(oneRoute, (c) => {
      const { instance, queue: idOrName } = c.req.valid('param');
      const snapshot = snapshotOf(deps, instance);
      const queue = queueIn(snapshot, idOrName);
      const fleet = workersOf(snapshot, queue.id).toSorted(byTrouble);
      const findings = presentFindings(deps, c.get('actor').role, (finding) =>
        isAboutQueue(finding, instance, queue.id),
      );
      return c.json(
        {
          ...presentQueue(queue, deps.now()),
          instance: snapshot.instance,
          stale: snapshot.link.status !== 'live',
          memory: queue.memory && presentQueueMemory(queue.memory),
          count: queue.count && presentCount(queue.count),
          tenants: presentTenants(queue.tenants, includesRole(c.get('actor').role, deps.jobDataRole)),
          findings,
          jobTypes: presentJobTypes(queue, includesRole(c.get('actor').role, deps.jobDataRole)),
          fleet: summariseFleet(fleet),
          overrides: queue.overrides.map(presentKept),
          workerList: fleet.slice(0, MAX_WORKERS).map((one) => presentWorker(one, snapshot.instance)),
        },
        200,
      );
    });
}
