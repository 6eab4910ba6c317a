import { z } from '@hono/zod-openapi';
import { QUEUE_VERDICTS } from '../../model/snapshot.js';
import { FindingSchema, RemedySchema } from './finding-schemas.js';
import { ForecastSchema } from './plan-schemas.js';

/** Shapes that the API answers with. Times are ISO 8601 in UTC; ratios are 0 to 1; null means not known. */

const rateLimit = z.object({ max: z.number(), durationMs: z.number() }).nullable();
export const QueueSchema = z
  .object({
    id: z.string().openapi({ example: 'bull:mail' }),
    prefix: z.string(),
    name: z.string(),
    readAt: z.string(),
    verdict: z.enum(QUEUE_VERDICTS).openapi({
      description:
        'One word for its flow, the one that findings, pages and metrics use too. flowing: jobs are seen to leave, done; failing: most of what ends has failed; running, waiting: none has left lately, too early to call it a trouble.',
    }),
    verdictSince: z.string().openapi({ description: 'Since when it is in this trouble, or in none.' }),
    flow: z.enum(['running', 'paused-by-spillway', 'paused']),
    paused: z.boolean().openapi({ description: 'Paused by the console or paused by the application.' }),
    pause: z
      .object({ at: z.string(), actor: z.string(), formerConcurrency: z.number().nullable() })
      .nullable(),
    counts: z.object({
      waiting: z.number(),
      legacyPaused: z.number(),
      prioritized: z.number(),
      active: z.number(),
      delayed: z.number(),
      waitingChildren: z.number(),
      completed: z.number(),
      failed: z.number(),
    }),
    backlog: z.number(),
    unfinished: z.number(),
    arrivalsPerSecond: z.number().nullable(),
    departuresPerSecond: z.number().nullable(),
    oldestWaitingSeconds: z.number().nullable(),
    drainSeconds: z
      .number()
      .nullable()
      .openapi({ description: 'null with drainNever true: not at these rates.' }),
    drainNever: z.boolean(),
    memoryBytes: z.number().nullable(),
    memory: z
      .object({
        backlogBytes: z.number(),
        completedBytes: z.number(),
        failedBytes: z.number(),
        eventsBytes: z.number(),
        sampledJobs: z.number(),
      })
      .nullable(),
    eventsLength: z.number(),
    concurrency: z.number().nullable(),
    rateLimit,
    workers: z.number().nullable(),
    bullmqVersion: z.string().nullable(),
  })
  .openapi('Queue');

/** A queue of which nothing is known now: in no list of queues, no sum and no rate. */
export const UnreadQueueSchema = z
  .object({
    id: z.string(),
    prefix: z.string(),
    name: z.string(),
    since: z.string().openapi({ description: 'Its last good read, else when it was found.' }),
    problem: z.string(),
    command: z
      .string()
      .nullable()
      .openapi({ description: 'What Redis refuses; null: nobody is there to ask.' }),
    last: QueueSchema.nullable().openapi({ description: 'As it was last read; not of now.' }),
  })
  .openapi('UnreadQueue');

export const NodeSchema = z
  .object({
    id: z.string(),
    address: z.string(),
    version: z.string(),
    role: z.enum(['master', 'replica']),
    isReadOnly: z.boolean(),
    isFull: z.boolean(),
    usedBytes: z.number(),
    countedBytes: z.number(),
    maxBytes: z.number(),
    limitBytes: z.number().nullable(),
    limitSource: z.enum(['maxmemory', 'cgroup', 'host']).nullable(),
    usedRatio: z.number().nullable(),
    policy: z.string(),
    fragmentationRatio: z.number(),
    growthBytesPerSecond: z.number().nullable(),
    fullInSeconds: z.number().nullable(),
    fullInNotKnown: z.string().nullable().openapi({
      description:
        'Why fullInSeconds is null although memory grows; null: it is known, or nothing is filling.',
    }),
    refusedPerSecond: z.number().nullable(),
    evictedKeys: z.number(),
    connectedClients: z.number(),
    clientOutputBytes: z.number(),
    replicas: z.number(),
    replicationLagBytes: z.number().nullable(),
    opsPerSecond: z.number(),
    cpuRatio: z.number(),
    consoleCpuRatio: z.number(),
  })
  .openapi('RedisNode');

export const InstanceSchema = z
  .object({
    name: z.string(),
    address: z.string(),
    topology: z.enum(['single', 'sentinel', 'cluster']),
    status: z.enum(['connecting', 'live', 'stale', 'unreachable']),
    stale: z.boolean().openapi({ description: 'True: these numbers are not of now; see readAt.' }),
    readAt: z.string().nullable(),
    problem: z.string().nullable(),
    usedBytes: z.number().nullable(),
    maxBytes: z.number().nullable(),
    policy: z.string().nullable(),
    usedRatio: z.number().nullable(),
    growthBytesPerSecond: z.number().nullable(),
    fullInSeconds: z.number().nullable(),
    fullInNotKnown: z.string().nullable().openapi({
      description:
        'Why fullInSeconds is null although memory grows; null: it is known, or nothing is filling.',
    }),
    isFull: z.boolean(),
    nodes: z.array(NodeSchema),
    unreadNodes: z
      .array(z.object({ address: z.string(), since: z.string(), problem: z.string() }))
      .openapi({ description: 'Masters of a Cluster that do not answer; no number here counts them.' }),
    totals: z.object({
      queues: z.number(),
      unreadQueues: z.number().openapi({
        description: 'Queues of which nothing is known now; the sums beside this lack them.',
      }),
      backlog: z.number(),
      active: z.number(),
      failed: z.number(),
      arrivalsPerSecond: z.number(),
      departuresPerSecond: z.number(),
    }),
    polling: z.object({
      intervalMs: z.number(),
      isSlowed: z.boolean(),
      slowedBecause: z.string().nullable(),
      redisCpuRatio: z.number(),
      budgetRatio: z.number(),
    }),
    hearing: z.object({
      status: z.enum(['off', 'hearing', 'deaf']),
      since: z.string(),
      problem: z.string().nullable(),
      resubscribed: z.number(),
      agents: z.number(),
      unreadable: z.number(),
    }),
    refusals: z
      .record(z.string(), z.string())
      .openapi({ description: 'What this Redis does not permit the console, in its words.' }),
  })
  .openapi('Instance');

export const OverviewSchema = z
  .object({
    at: z.string(),
    storeProblem: z.string().nullable(),
    instances: z.array(InstanceSchema),
    findings: z.array(FindingSchema),
  })
  .openapi('Overview');

const FieldSchema = z.object({ label: z.string(), before: z.string(), after: z.string() });
export const ActionCallSchema = z.object({
  action: z.string(),
  instance: z.string(),
  queues: z.array(z.string()),
  jobId: z.string().optional(),
  workers: z.array(z.string()).optional(),
  args: z.record(z.string(), z.unknown()),
});

export const PreviewSchema = z
  .object({
    summary: z.string(),
    fields: z.array(FieldSchema),
    effects: z.array(z.string()),
    warnings: z.array(
      z.object({ text: z.string(), instead: z.array(RemedySchema.partial({ predictedFreedBytes: true })) }),
    ),
    affected: z.object({ queues: z.number(), workers: z.number().nullable(), jobs: z.number() }),
    predictedFreedBytes: z.number().nullable(),
    isReversible: z.boolean(),
    mechanism: z.string(),
    isNoop: z.boolean(),
    forecast: ForecastSchema.nullable(),
  })
  .openapi('Preview');

export const WorkerResultSchema = z
  .object({
    worker: z.string(),
    label: z.string(),
    result: z.enum(['applied', 'refused', 'no-answer', 'late']).openapi({
      description:
        'no-answer, late (its clock is too far off): it follows what is kept when it is heard again',
    }),
    note: z.string().nullable(),
    concurrency: z.number().nullable(),
  })
  .openapi('WorkerResult');

export const OutcomeSchema = z
  .object({
    status: z.enum(['applied', 'unchanged', 'unverified', 'failed', 'refused']).openapi({
      description:
        'applied: done and read back. unchanged: was so already. unverified: in force, or perhaps so, and not confirmed by all. failed, refused: nothing was changed',
    }),
    action: z.string(),
    instance: z.string(),
    queue: z.string().nullable(),
    jobId: z.string().nullable(),
    worker: z.string().nullable(),
    workers: z.array(WorkerResultSchema).openapi({ description: 'What came of an order at each worker.' }),
    summary: z.string(),
    fields: z.array(FieldSchema),
    warnings: z.array(z.string()),
    freedBytes: z.number().nullable(),
    predictedFreedBytes: z.number().nullable(),
    preview: PreviewSchema.nullable(),
    undo: ActionCallSchema.nullable(),
    auditId: z.string().nullable(),
    durationMs: z.number(),
    isDryRun: z.boolean(),
  })
  .openapi('Outcome');

export const NotRecordedSchema = z
  .array(z.enum(['audit', 'idempotency-key']))
  .optional()
  .openapi({
    description:
      'Done, but the store could not be written (a full disk, say): of this no record was kept. A repeat with this Idempotency-Key is then carried out again',
  });

export const OutcomesSchema = z
  .object({
    outcomes: z.array(OutcomeSchema),
    applied: z.number(),
    unverified: z.number(),
    failed: z.number().openapi({ description: 'Targets of which nothing was changed' }),
    unanswered: z
      .array(
        WorkerResultSchema.extend({ instance: z.string(), queue: z.string().nullable() }).openapi(
          'UnansweredWorker',
        ),
      )
      .openapi({ description: 'Workers that have not answered an order yet; at most 500' }),
    notRecorded: NotRecordedSchema,
    predictedFreedBytes: z.number().nullable(),
    freedBytes: z.number().nullable(),
  })
  .openapi('Outcomes');

export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    instance: z.string().optional(),
    errors: z
      .array(z.object({ field: z.string(), value: z.unknown().optional(), problem: z.string() }))
      .optional(),
  })
  .openapi('Problem', { description: 'RFC 9457' });

export const JobRowSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    timestamp: z.string().nullable(),
    delayMs: z.number(),
    priority: z.number(),
    attemptsMade: z.number(),
    processedAt: z.string().nullable(),
    finishedAt: z.string().nullable(),
    failedReason: z.string().nullable(),
  })
  .openapi('JobRow');

export const JobSchema = JobRowSchema.extend({
  state: z.string(),
  memoryBytes: z.number().nullable(),
  parentKey: z.string().nullable(),
  processedBy: z.string().nullable(),
  dataHidden: z
    .boolean()
    .openapi({ description: 'True: the role does not see the fields that follow; they are null.' }),
  isTruncated: z.boolean(),
  data: z.string().nullable(),
  options: z.string().nullable(),
  returnValue: z.string().nullable(),
  progress: z.string().nullable(),
  stackTrace: z.array(z.string()).nullable(),
  logs: z.array(z.string()).nullable(),
  logsTotal: z.number(),
}).openapi('Job');

export const AuditRecordSchema = z
  .object({
    id: z.string(),
    at: z.string(),
    actor: z.string(),
    via: z.string(),
    reason: z.string(),
    action: z.string(),
    instance: z.string(),
    queue: z.string().nullable(),
    jobId: z.string().nullable(),
    worker: z.string().nullable(),
    args: z.record(z.string(), z.unknown()),
    before: z.record(z.string(), z.string()),
    after: z.record(z.string(), z.string()),
    status: z.string(),
    summary: z.string(),
    freedBytes: z.number().nullable(),
    durationMs: z.number(),
    undo: ActionCallSchema.nullable(),
    measurement: z.object({ at: z.string(), text: z.string(), isWarning: z.boolean() }).nullable(),
  })
  .openapi('AuditRecord');
