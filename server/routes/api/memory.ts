import { z } from '@hono/zod-openapi';
import { isoTime, jsonWriter, TimeSchema } from '../../model/json.js';
import { bytesFields, CountSchema, memoryParts } from '../../model/memory.js';
import { foldRest, memorySharesOf } from '../../model/memory-shares.js';
import type { ChangeBy } from '../../model/role.js';
import type { QueueState, RedisNode, Snapshot } from '../../model/snapshot.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { auditOwn } from './audit.js';
import {
  apiPart,
  changeBy,
  changeQuery,
  instanceParam,
  jsonRoute,
  queueIn,
  queueParam,
  snapshotOf,
} from './env.js';

const share = {
  ...bytesFields,
  shareRatio: z
    .number()
    .nullable()
    .describe('Of what Redis holds against its limit; null: that is not known yet'),
};

const NodeMemorySchema = z
  .object({
    id: z.string(),
    address: z.string(),
    limitBytes: z.number().nullable(),
    usedRatio: z.number().nullable(),
    readAt: TimeSchema.nullable().describe('null: not permitted (MEMORY), or not read yet'),
    usedBytes: z.number(),
    queuesBytes: z.number().nullable(),
    queuesErrorBytes: z.number().nullable(),
    queuesToSample: z.number().nullable(),
    foreign: z
      .object({
        ...bytesFields,
        keys: z.number(),
        largest: z.array(z.object({ key: z.string(), bytes: z.number() })),
      })
      .nullable()
      .describe('Keys that belong to no queue; null: not known yet'),
    relay: z
      .object({ bytes: z.number(), keys: z.number(), namespaces: z.number() })
      .nullable()
      .describe('Keys of BullMQ’s Relay; null: none was met'),
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
      .describe('Beside usedBytes: resident less used; not counted against maxmemory'),
  })
  .openapi('NodeMemory');

const rest = z
  .object({ entries: z.number(), ...share })
  .nullable()
  .describe('Sum of all others; null: there are none');

const InstanceMemorySchema = z
  .object({
    instance: z.string(),
    readAt: TimeSchema.nullable(),
    stale: z.boolean(),
    complete: z.boolean().describe('Every queue that holds jobs has been sampled'),
    queuesToSample: z.number(),
    heldBytes: z.number().describe('What counts against the limit; shares are of this'),
    queues: z.object(share),
    nodes: z.array(NodeMemorySchema),
    byQueue: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        ...share,
        source: z.enum(['sample', 'count']),
        ...memoryParts,
      }),
    ),
    restOfQueues: rest,
    byType: z.array(z.object({ queue: z.string(), type: z.string(), jobBytes: z.number(), ...share })),
    restOfTypes: rest,
    byKind: z.array(z.object({ kind: z.string(), ...share })),
  })
  .openapi('InstanceMemory');

/** Queues and types listed one by one: an answer stays below a megabyte with the longest names. */
const MAX_QUEUES = 100;
const MAX_TYPES = 100;
/** Types listed of each queue in the answer for all. */
const MAX_TYPES_A_QUEUE = 10;

const write = jsonWriter(InstanceMemorySchema);
const writeNode = jsonWriter(NodeMemorySchema);
const writeShare = jsonWriter(z.object(share));
const writeParts = jsonWriter(z.object(memoryParts));
const writeCount = jsonWriter(CountSchema);

/** Where the memory of one Redis is. Pure. */
function memoryJson(snapshot: Snapshot): z.infer<typeof InstanceMemorySchema> {
  const shares = memorySharesOf(snapshot);
  const queues = foldRest(shares.byQueue, MAX_QUEUES, shares.heldBytes);
  const types = foldRest(shares.byType, MAX_TYPES, shares.heldBytes);
  return write(shares, {
    instance: snapshot.instance,
    readAt: isoTime(shares.readAtMs ?? snapshot.link.lastReadAtMs),
    stale: snapshot.link.status !== 'live',
    complete: isComplete(snapshot),
    nodes: snapshot.nodes.map(nodeMemory),
    byQueue: queues.shown.map(({ queue: { id, name }, memory, ...share }) => ({
      id,
      name,
      ...writeShare(share),
      source: memory.source,
      ...writeParts({ ...memory, types: memory.types.slice(0, MAX_TYPES_A_QUEUE) }),
    })),
    restOfQueues: queues.rest,
    byType: types.shown.map(({ queue, type, ...share }) => ({
      queue: queue.id,
      type: type.type,
      jobBytes: type.bytesPerJob,
      ...writeShare(share),
    })),
    restOfTypes: types.rest,
  });
}

/** Every node reports its memory, and no queue with jobs is left to sample. */
function isComplete({ nodes }: Snapshot): boolean {
  return nodes.length > 0 && nodes.every(({ memory }) => memory !== null && memory.queuesToSample === 0);
}

const NOT_READ = {
  readAtMs: null,
  ...{
    queuesToSample: null,
    foreign: null,
    relay: null,
    clientBytes: null,
    replicaBufferBytes: null,
    aofBytes: null,
  },
  ...{ scriptBytes: null, keyspaceBytes: null, startupBytes: null, unattributedBytes: null },
  fragmentationBytes: null,
};

function nodeMemory({ memory, ...node }: RedisNode): z.infer<typeof NodeMemorySchema> {
  return writeNode({
    ...NOT_READ,
    usedBytes: node.usedBytes,
    replicationBacklogBytes: node.replicationBacklogBytes,
    ...memory,
    id: node.id,
    address: node.address,
    limitBytes: node.limit?.bytes ?? null,
    usedRatio: node.usedRatio,
    queuesBytes: memory?.queues.bytes ?? null,
    queuesErrorBytes: memory?.queues.errorBytes ?? null,
    clientOutputBytes: node.clientOutputBytes,
  });
}

const memoryRoute = jsonRoute(
  'get /instances/{instance}/memory',
  'Where the memory of a Redis is: by queue, state, job type and kind of data, and beside queues',
  InstanceMemorySchema,
  { params: instanceParam },
);

const COUNT_PATH = '/instances/{instance}/queues/{queue}/memory/count';

const startRoute = jsonRoute(
  `post ${COUNT_PATH}`,
  'Count every job of a queue, within the budget of reads; one queue of a Redis at a time',
  CountSchema,
  { params: queueParam, query: changeQuery },
);

const progressRoute = jsonRoute(`get ${COUNT_PATH}`, 'How far the count of a queue is', CountSchema, {
  params: queueParam,
});

const stopRoute = jsonRoute(`delete ${COUNT_PATH}`, 'Stop counting a queue', CountSchema, {
  params: queueParam,
  query: changeQuery,
});

type Deps = Pick<AppDeps, 'watch' | 'audit' | 'now' | 'newId'>;

/** Begins to count a queue of that id; the page does the same. @throws CountRefused */
export async function startCount(deps: Deps, by: ChangeBy, instance: string, queue: string) {
  const count = deps.watch.startCount(instance, queue, by.isDryRun);
  const act = { action: 'queue.count', instance, queue, args: {}, summary: 'its jobs are counted' } as const;
  if (!by.isDryRun) await auditOwn(deps, by, act);
  return count;
}

/** Ends a count that runs; the page does the same. @throws Problem 404 where none was ever asked for. */
export async function stopCount(deps: Deps, by: ChangeBy, instance: string, { id, count }: QueueState) {
  if (!count) throw neverCounted(id);
  if (by.isDryRun) return count.state === 'running' ? { ...count, state: 'stopped' as const } : count;
  const stopped = deps.watch.stopCount(instance, id) ?? count;
  const act = {
    action: 'queue.stop-count',
    instance,
    queue: id,
    args: {},
    summary: 'the count was stopped',
  } as const;
  await auditOwn(deps, by, act);
  return stopped;
}

export function memoryApi(deps: Deps) {
  const queueOf = (instance: string, queue: string) => queueIn(snapshotOf(deps, instance), queue);
  return apiPart()
    .openapi(memoryRoute, (c) => c.json(memoryJson(snapshotOf(deps, c.req.valid('param').instance)), 200))
    .openapi(startRoute, async (c) => {
      const { instance, queue } = c.req.valid('param');
      const by = changeBy(c, c.req.valid('query').reason);
      return c.json(writeCount(await startCount(deps, by, instance, queueOf(instance, queue).id)), 200);
    })
    .openapi(progressRoute, (c) => {
      const { instance, queue } = c.req.valid('param');
      const { id, count } = queueOf(instance, queue);
      if (!count) throw neverCounted(id);
      return c.json(writeCount(count), 200);
    })
    .openapi(stopRoute, async (c) => {
      const { instance, queue } = c.req.valid('param');
      const by = changeBy(c, c.req.valid('query').reason);
      return c.json(writeCount(await stopCount(deps, by, instance, queueOf(instance, queue))), 200);
    });
}

function neverCounted(queueId: string): Problem {
  return new Problem(404, 'not-found', `nobody has asked to count ${queueId}`);
}
