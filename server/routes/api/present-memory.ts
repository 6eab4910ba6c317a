import type { z } from '@hono/zod-openapi';
import type { CountProgress, QueueMemory } from '../../model/memory.js';
import { foldRest, memorySharesOf, type Share } from '../../model/memory-shares.js';
import type { RedisNode, Snapshot } from '../../model/snapshot.js';
import { isoTime } from './iso-time.js';
import type {
  CountSchema,
  InstanceMemorySchema,
  NodeMemorySchema,
  QueueMemorySchema,
} from './memory-schemas.js';

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
