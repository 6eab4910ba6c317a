import { z } from '@hono/zod-openapi';
import type { CountProgress, QueueMemory } from '../../model/memory.js';
import { foldRest, memorySharesOf, type Share } from '../../model/memory-shares.js';
import type { RedisNode, Snapshot } from '../../model/snapshot.js';
import { isoTime } from './iso-time.js';

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

/** Queues and types told one by one: an answer stays below a megabyte with the longest names. */
const MAX_QUEUES = 100;
const MAX_TYPES = 100;
/** Types told of each queue in the answer for all. */
const MAX_TYPES_A_QUEUE = 10;

/** Where the memory of one Redis is. Pure. */
export function presentMemory(snapshot: Snapshot): z.infer<typeof InstanceMemorySchema> {
  const shares = memorySharesOf(snapshot);
  const queues = foldRest(shares.byQueue, MAX_QUEUES, shares.heldBytes);
  const types = foldRest(shares.byType, MAX_TYPES, shares.heldBytes);
  return {
    instance: snapshot.instance,
    readAt: isoTime(shares.readAtMs ?? snapshot.link.lastReadAtMs),
    stale: snapshot.link.status !== 'live',
    complete: isComplete(snapshot),
    queuesToSample: shares.queuesToSample,
    heldBytes: shares.heldBytes,
    queues: plainShare(shares.queues),
    nodes: snapshot.nodes.map(presentNodeMemory),
    byQueue: queues.told.map(({ queue, memory, ...share }) => ({
      id: queue.id,
      name: queue.name,
      ...plainShare(share),
      source: memory.source,
      states: memory.states.map((state) => ({ ...state })),
      types: memory.types.slice(0, MAX_TYPES_A_QUEUE).map((type) => ({ ...type })),
      kinds: memory.kinds.map((kind) => ({ ...kind })),
    })),
    restOfQueues: queues.rest && { ...queues.rest },
    byType: types.told.map(({ queue, type, ...share }) => ({
      queue: queue.id,
      type: type.type,
      jobBytes: type.bytesPerJob,
      ...plainShare(share),
    })),
    restOfTypes: types.rest && { ...types.rest },
    byKind: shares.byKind.map((kind) => ({ kind: kind.kind, ...plainShare(kind) })),
  };
}

/** Every node tells of its memory, and no queue with jobs is left to sample. */
function isComplete(snapshot: Snapshot): boolean {
  return (
    snapshot.nodes.length > 0 &&
    snapshot.nodes.every(({ memory }) => memory !== null && memory.queuesToSample === 0)
  );
}

function plainShare({ bytes, errorBytes, shareRatio }: Share): Share {
  return { bytes, errorBytes, shareRatio };
}

function presentNodeMemory(node: RedisNode): z.infer<typeof NodeMemorySchema> {
  const { memory } = node;
  return {
    id: node.id,
    address: node.address,
    limitBytes: node.limit?.bytes ?? null,
    usedRatio: node.usedRatio,
    readAt: isoTime(memory?.readAtMs ?? null),
    usedBytes: memory?.usedBytes ?? node.usedBytes,
    queuesBytes: memory?.queues.bytes ?? null,
    queuesErrorBytes: memory?.queues.errorBytes ?? null,
    queuesToSample: memory?.queuesToSample ?? null,
    foreign: memory?.foreign
      ? { ...memory.foreign, largest: memory.foreign.largest.map((key) => ({ ...key })) }
      : null,
    clientBytes: memory?.clientBytes ?? null,
    clientOutputBytes: node.clientOutputBytes,
    replicaBufferBytes: memory?.replicaBufferBytes ?? null,
    replicationBacklogBytes: memory?.replicationBacklogBytes ?? node.replicationBacklogBytes,
    aofBytes: memory?.aofBytes ?? null,
    scriptBytes: memory?.scriptBytes ?? null,
    keyspaceBytes: memory?.keyspaceBytes ?? null,
    startupBytes: memory?.startupBytes ?? null,
    unattributedBytes: memory?.unattributedBytes ?? null,
    fragmentationBytes: memory?.fragmentationBytes ?? null,
  };
}

export function presentQueueMemory({ readAtMs, ...memory }: QueueMemory): z.infer<typeof QueueMemorySchema> {
  return {
    ...memory,
    readAt: isoTime(readAtMs),
    states: memory.states.map((state) => ({ ...state })),
    types: memory.types.map((type) => ({ ...type })),
    kinds: memory.kinds.map((kind) => ({ ...kind })),
    largest: memory.largest && { ...memory.largest },
  };
}

export function presentCount(count: CountProgress): z.infer<typeof CountSchema> {
  return {
    queue: count.queueId,
    state: count.state,
    countedJobs: count.countedJobs,
    totalJobs: count.totalJobs,
    startedAt: isoTime(count.startedAtMs),
    endedAt: isoTime(count.endedAtMs),
    remainingSeconds: count.remainingSeconds,
    problem: count.problem,
  };
}
