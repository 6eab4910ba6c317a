import { z } from '@hono/zod-openapi';
import { isAboutQueue, problemsByQueue } from '../../findings/trouble.js';
import { TenantShareSchema } from '../../model/job-type.js';
import { isoTime, jsonWriter, TimeSchema } from '../../model/json.js';
import { CountSchema, QueueMemorySchema } from '../../model/memory.js';
import { QUEUE_SORTS } from '../../model/queue-sort.js';
import { drainSecondsOf, oldestWaitingSeconds, workersOf } from '../../model/queue-verdict.js';
import { includesRole } from '../../model/role.js';
import { QueueFacts, type QueueState, type UnreadQueue } from '../../model/snapshot.js';
import { byTrouble, OverrideSchema } from '../../model/worker.js';
import type { AppDeps } from '../app-deps.js';
import {
  apiPart,
  cursorQuery,
  instanceParam,
  jsonRoute,
  limitOf,
  queueIn,
  queueParam,
  snapshotOf,
} from './env.js';
import { FindingSchema, findingsFor } from './findings.js';
import { JobTypeSchema, jobTypesJson } from './job-types.js';
import { listQueues } from './queue-list.js';
import { FleetSummarySchema, summariseFleet, WorkerSchema, workerJson } from './worker-schemas.js';

const PauseSchema = z.object({
  at: TimeSchema,
  actor: z.string(),
  formerConcurrency: z.number().nullable(),
});

const QueueSchema = QueueFacts.extend({
  paused: z.boolean().describe('Paused by Spillway or paused by the application.'),
  pause: z.object({ at: TimeSchema, actor: z.string(), formerConcurrency: z.number().nullable() }).nullable(),
  arrivalsPerSecond: z.number().nullable(),
  departuresPerSecond: z.number().nullable(),
  oldestWaitingSeconds: z.number().nullable(),
  drainSeconds: z.number().nullable().describe('null with drainNever true: not at these rates.'),
  drainNever: z.boolean(),
  memoryBytes: z.number().nullable(),
  memory: QueueMemorySchema.pick({
    backlogBytes: true,
    completedBytes: true,
    failedBytes: true,
    eventsBytes: true,
    sampledJobs: true,
  }).nullable(),
}).openapi('Queue');

/** A queue of which nothing is known now: in no list of queues, no sum and no rate. */
const UnreadQueueSchema = z
  .object({
    id: z.string(),
    prefix: z.string(),
    name: z.string(),
    since: TimeSchema.describe('Its last good read, else when it was found.'),
    problem: z.string(),
    command: z.string().nullable().describe('What Redis refuses; null: nobody is there to ask.'),
    last: QueueSchema.nullable().describe('As it was last read; not of now.'),
  })
  .openapi('UnreadQueue');

const MAX_QUEUES = 1_000;
const MAX_WORKERS = 200;

const listRoute = jsonRoute(
  'get /instances/{instance}/queues',
  'Queues, worst first',
  z.object({
    instance: z.string(),
    readAt: TimeSchema.nullable(),
    stale: z.boolean(),
    total: z.number(),
    nextCursor: z.number().nullable(),
    queues: z.array(QueueSchema),
    unread: z
      .array(UnreadQueueSchema)
      .describe(
        `Of those that the search matches, what can not be read now: not in \`queues\` and not in \`total\`, on every page; at most ${MAX_QUEUES}`,
      ),
  }),
  {
    params: instanceParam,
    query: z.object({
      search: z.string().max(200).default(''),
      sort: z.enum(QUEUE_SORTS, `must be one of ${QUEUE_SORTS.join(', ')}`).default('trouble'),
      cursor: cursorQuery,
      limit: limitOf(MAX_QUEUES, 100),
    }),
  },
);

const OneQueueSchema = QueueSchema.extend({
  instance: z.string(),
  stale: z.boolean(),
  memory: QueueMemorySchema.nullable(),
  count: CountSchema.nullable().describe('null: nobody has asked for an exact count'),
  tenants: z
    .array(TenantShareSchema)
    .nullable()
    .describe(
      'Most jobs first. null: tenantField is not configured, nothing is sampled yet, or your role may not see job data',
    ),
  findings: z.array(FindingSchema),
  jobTypes: z.array(JobTypeSchema).describe('Most work first, at most 60.'),
  fleet: FleetSummarySchema,
  overrides: z.array(OverrideSchema),
  workerList: z.array(WorkerSchema).describe('Worst first, at most 200; all by GET …/workers?queue='),
});

const oneRoute = jsonRoute(
  'get /instances/{instance}/queues/{queue}',
  'One queue with its findings',
  OneQueueSchema,
  { params: queueParam },
);

const writePause = jsonWriter(PauseSchema);
const writeQueue = jsonWriter(QueueSchema);
const writeUnread = jsonWriter(UnreadQueueSchema);
const writeOverrides = jsonWriter(z.array(OverrideSchema));
const writeMemory = jsonWriter(OneQueueSchema.pick({ memory: true, count: true, tenants: true }));

function queueJson(queue: QueueState, nowMs: number): z.infer<typeof QueueSchema> {
  const { rates, pause, flow } = queue;
  const drain = drainSecondsOf(queue);
  return writeQueue(queue, {
    paused: flow !== 'running',
    pause: flow === 'paused-by-spillway' ? pause && writePause(pause) : null,
    arrivalsPerSecond: rates?.arrivalsPerSecond ?? null,
    departuresPerSecond: rates?.departuresPerSecond ?? null,
    oldestWaitingSeconds: oldestWaitingSeconds(queue, nowMs),
    drainSeconds: drain !== null && Number.isFinite(drain) ? drain : null,
    drainNever: drain === Number.POSITIVE_INFINITY,
    memoryBytes: queue.memory?.totalBytes ?? null,
  });
}

function unreadJson(queue: UnreadQueue, nowMs: number): z.infer<typeof UnreadQueueSchema> {
  return writeUnread(queue, { last: queue.last && queueJson(queue.last, nowMs) });
}

export function queuesApi(deps: Pick<AppDeps, 'watch' | 'now' | 'jobDataRole'>) {
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
          queues: page.map((queue) => queueJson(queue, nowMs)),
          unread: snapshot.unread.queues
            .filter(({ id }) => id.toLowerCase().includes(search.trim().toLowerCase()))
            .slice(0, MAX_QUEUES)
            .map((queue) => unreadJson(queue, nowMs)),
        },
        200,
      );
    })
    .openapi(oneRoute, (c) => {
      const { instance, queue: idOrName } = c.req.valid('param');
      const { role } = c.get('actor');
      const snapshot = snapshotOf(deps, instance);
      const queue = queueIn(snapshot, idOrName);
      const fleet = workersOf(snapshot, queue.id).toSorted(byTrouble);
      const showsData = includesRole(role, deps.jobDataRole);
      return c.json(
        {
          ...queueJson(queue, deps.now()),
          instance: snapshot.instance,
          stale: snapshot.link.status !== 'live',
          // Tenants are job data.
          ...writeMemory({ ...queue, tenants: showsData ? queue.tenants : null }),
          findings: findingsFor(deps, role, (finding) => isAboutQueue(finding, instance, queue.id)),
          jobTypes: jobTypesJson(queue, showsData),
          fleet: summariseFleet(fleet),
          overrides: writeOverrides(queue.overrides),
          workerList: fleet.slice(0, MAX_WORKERS).map((one) => workerJson(one, snapshot.instance)),
        },
        200,
      );
    });
}
