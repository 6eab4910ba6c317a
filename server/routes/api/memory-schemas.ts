import { z } from '@hono/zod-openapi';

const bytes = z
  .number()
  .openapi({ description: 'By estimate; the truth lies within ± errorBytes in 95 of 100 cases' });
const errorBytes = z.number().openapi({ description: '0: every job was counted' });
const shareRatio = z
  .number()
  .nullable()
  .openapi({ description: 'Of what Redis holds against its limit; null: that is not known yet' });
const share = { bytes, errorBytes, shareRatio };

const StateMemorySchema = z.object({ state: z.string(), jobs: z.number(), bytes, errorBytes });
const TypeMemorySchema = z.object({
  type: z.string(),
  bytes,
  errorBytes,
  unfinished: z.number().openapi({ description: 'Jobs of it that are not finished, by estimate' }),
  unfinishedError: z.number(),
  backlogBytes: z.number(),
  completedBytes: z.number(),
  failedBytes: z.number(),
  bytesPerJob: z.number(),
});
const KindMemorySchema = z.object({
  kind: z.string().openapi({ example: 'payload' }),
  bytes,
  errorBytes,
});

export const CountSchema = z
  .object({
    queue: z.string(),
    state: z.enum(['running', 'done', 'stopped', 'failed']),
    countedJobs: z.number(),
    totalJobs: z.number(),
    startedAt: z.string(),
    endedAt: z.string().nullable(),
    remainingSeconds: z.number().nullable(),
    problem: z.string().nullable(),
  })
  .openapi('MemoryCount', { description: 'A queue that is counted job by job, or was.' });

export const QueueMemorySchema = z
  .object({
    readAt: z.string(),
    source: z
      .enum(['sample', 'count'])
      .openapi({ description: 'By samples of its jobs, or by a look at every one' }),
    sampledJobs: z.number(),
    totalBytes: z.number(),
    errorBytes,
    backlogBytes: z.number(),
    completedBytes: z.number(),
    failedBytes: z.number(),
    eventsBytes: z.number(),
    states: z.array(StateMemorySchema),
    types: z.array(TypeMemorySchema),
    kinds: z.array(KindMemorySchema),
    largest: z
      .object({ jobId: z.string(), type: z.string(), bytes: z.number(), state: z.string() })
      .nullable()
      .openapi({ description: 'The largest job that was met' }),
  })
  .openapi('QueueMemory');

export const NodeMemorySchema = z
  .object({
    id: z.string(),
    address: z.string(),
    limitBytes: z.number().nullable(),
    usedRatio: z.number().nullable(),
    readAt: z.string().nullable().openapi({ description: 'null: not permitted (MEMORY), or not read yet' }),
    usedBytes: z.number(),
    queuesBytes: z.number().nullable(),
    queuesErrorBytes: z.number().nullable(),
    queuesToSample: z.number().nullable(),
    foreign: z
      .object({
        bytes,
        errorBytes,
        keys: z.number(),
        largest: z.array(z.object({ key: z.string(), bytes: z.number() })),
      })
      .nullable()
      .openapi({ description: 'Keys that belong to no queue; null: not known yet' }),
    clientBytes: z.number().nullable(),
    clientOutputBytes: z.number(),
    replicaBufferBytes: z.number().nullable(),
    replicationBacklogBytes: z.number(),
    aofBytes: z.number().nullable(),
    scriptBytes: z.number().nullable(),
    keyspaceBytes: z.number().nullable(),
    startupBytes: z.number().nullable(),
    unattributedBytes: z.number().nullable(),
    fragmentationBytes: z
      .number()
      .nullable()
      .openapi({ description: 'Beside usedBytes: resident less used; not counted against maxmemory' }),
  })
  .openapi('NodeMemory');

const rest = z
  .object({ entries: z.number(), ...share })
  .nullable()
  .openapi({ description: 'Sum of all others; null: there are none' });

export const InstanceMemorySchema = z
  .object({
    instance: z.string(),
    readAt: z.string().nullable(),
    stale: z.boolean(),
    complete: z.boolean().openapi({ description: 'Every queue that holds jobs has been sampled' }),
    queuesToSample: z.number(),
    heldBytes: z.number().openapi({ description: 'What counts against the limit; shares are of this' }),
    queues: z.object(share),
    nodes: z.array(NodeMemorySchema),
    byQueue: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        ...share,
        source: z.enum(['sample', 'count']),
        states: z.array(StateMemorySchema),
        types: z.array(TypeMemorySchema),
        kinds: z.array(KindMemorySchema),
      }),
    ),
    restOfQueues: rest,
    byType: z.array(z.object({ queue: z.string(), type: z.string(), jobBytes: z.number(), ...share })),
    restOfTypes: rest,
    byKind: z.array(z.object({ kind: z.string(), ...share })),
  })
  .openapi('InstanceMemory');
